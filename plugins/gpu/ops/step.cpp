// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "gpu/ops/values.hpp"
#include "kit/insn.hpp"
#include "kit/schema/schema.hpp"

namespace opmux::gpu {
namespace {

bool check_view(const opmux_devinfo& info, uint32_t arg, const opmux_tdesc& t, bool output, opmux_cap& cap) {
  if (t.layout != 0) return kit_no(&cap, OPMUX_WHY_LAYOUT, arg, 0, t.layout, 0);
  if (t.quant != 0) return kit_no(&cap, OPMUX_WHY_QUANT, arg, 0, static_cast<int64_t>(t.quant), 0);
  int64_t count = 1;
  for (uint32_t i = 0; i < t.rank; ++i) {
    if (output && t.stride[i] == 0 && t.dim[i] > 1) return kit_no(&cap, OPMUX_WHY_STRIDE, arg, i, 0, 1);
    if (t.dim[i] >= kMaxElements) return kit_no(&cap, OPMUX_WHY_DIM, arg, i, t.dim[i], kMaxElements - 1);
    count *= t.dim[i];
    if (count >= kMaxElements) return kit_no(&cap, OPMUX_WHY_DIM, arg, i, count, kMaxElements - 1);
  }
  const uint64_t size = reach_of(t).size(), element = OPMUX_DTYPE_BITS(t.dtype) / 8;
  // Elements, and words of elements, are counted in 32 bits.
  const uint64_t limit = std::min(binding_limit(info), UINT32_MAX * std::clamp<uint64_t>(element, 1, 4));
  if (size > limit) {
    return kit_no(&cap, OPMUX_WHY_MEMORY, arg, 0, static_cast<int64_t>(size), static_cast<int64_t>(limit));
  }
  return true;
}

}  // namespace

bool check_dtype(const opmux_devinfo& info, uint32_t arg, uint32_t dtype, opmux_cap& cap) {
  const Kind k = kind_of(dtype);
  if (k == Kind::kNone) return kit_no(&cap, OPMUX_WHY_DTYPE, arg, 0, dtype, 0);
  uint64_t need = 0;
  if (k == Kind::kDouble) need = OPMUX_FEAT_F64 | OPMUX_FEAT_I64;
  if (k == Kind::kLong || k == Kind::kUlong) need = OPMUX_FEAT_I64;
  for (uint64_t bit : {OPMUX_FEAT_F64, OPMUX_FEAT_I64}) {
    if (need & bit & ~info.features)
      return kit_no(&cap, OPMUX_WHY_FEATURE, arg, 0, static_cast<int64_t>(bit), 0);
  }
  return true;
}

uint64_t binding_limit(const opmux_devinfo& info) {
  return info.max_binding_bytes < 256 ? 0 : info.max_binding_bytes - 256;
}

int64_t elements(const opmux_tdesc& t) {
  int64_t n = 1;
  for (uint32_t i = 0; i < t.rank; ++i) n *= t.dim[i];
  return n;
}
bool has_in(const opmux_opd& d, uint32_t i) { return i < kit::own_inputs(d) && is_present(d.in[i]); }
bool has_out(const opmux_opd& d, uint32_t o) { return o < d.n_out && is_present(d.out[o]); }

bool check_operands(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap) {
  return check_coded(info, d, cap, {});
}

bool check_moved(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap,
                 std::initializer_list<uint32_t> read) {
  for (uint32_t i = 0; i < d.n_in + d.n_out; ++i) {
    const opmux_tdesc& t = *kit_operand(&d, i);
    if (!is_present(t)) continue;
    if (!check_view(info, i, t, i >= d.n_in, cap)) return false;
    if (std::ranges::find(read, i) != read.end()) {
      if (!check_dtype(info, i, t.dtype, cap)) return false;
    } else if (raw_type(t.dtype) == OPMUX_NONE) {
      return kit_no(&cap, OPMUX_WHY_DTYPE, i, 0, t.dtype, 0);
    }
  }
  return true;
}

bool check_coded(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap,
                 std::initializer_list<uint32_t> coded) {
  for (uint32_t i = 0; i < d.n_in + d.n_out; ++i) {
    const opmux_tdesc& t = *kit_operand(&d, i);
    if (!is_present(t)) continue;
    if (!check_view(info, i, t, i >= d.n_in, cap)) return false;
    const bool known = std::ranges::find(coded, i) != coded.end() && code_format(t.dtype) != 0;
    if (!known && !check_dtype(info, i, t.dtype, cap)) return false;
  }
  return true;
}

bool check_doubles(const opmux_devinfo& info, opmux_cap& cap) {
  return check_dtype(info, OPMUX_NO_ARG, OPMUX_F64, cap);
}

bool check_workspace(const opmux_devinfo& info, uint64_t bytes, opmux_cap& cap) {
  const uint64_t limit = std::min<uint64_t>(binding_limit(info), static_cast<uint64_t>(kMaxElements) * 4);
  return bytes <= limit || kit_no(&cap, OPMUX_WHY_MEMORY, OPMUX_NO_ARG, 0, static_cast<int64_t>(bytes),
                                  static_cast<int64_t>(limit));
}

bool check_apart(const opmux_opd& d, opmux_cap& cap) {
  for (uint32_t o = 0; d.alias && o < d.n_out; ++o) {
    if (d.alias[o] != 0) return kit_no(&cap, OPMUX_WHY_ALIAS, d.alias[o] - 1, 0, 0, 0);
  }
  return true;
}

bool same_places(const opmux_tdesc& a, const opmux_tdesc& b) {
  bool same = a.dtype == b.dtype && a.rank == b.rank;
  for (uint32_t i = 0; same && i < a.rank; ++i)
    same = a.dim[i] == b.dim[i] && (a.dim[i] <= 1 || a.stride[i] == b.stride[i]);
  return same;
}

bool check_in_place(const opmux_opd& d, uint32_t i, opmux_cap& cap) {
  if (!d.alias || d.alias[0] == 0) return true;
  return (d.alias[0] == i + 1 && same_places(d.in[i], d.out[0])) ||
         kit_no(&cap, OPMUX_WHY_ALIAS, d.n_in, 0, d.alias[0], 0);
}

bool say_yes(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, uint64_t workspace) {
  const bool cpu = info.kind == OPMUX_DEV_CPU;
  const double units = std::max(1u, info.compute_units);
  const double flops_per_ns = cpu ? 1.0 : units * 50, bytes_per_ns = cpu ? 2.0 : 200.0;
  const double start_ns = cpu ? 100e3 : 10e3;
  const double work = std::max(static_cast<double>(schema::flops(d)) / flops_per_ns,
                               static_cast<double>(schema::bytes(d)) / bytes_per_ns);
  kit_yes(&cap, OPMUX_ACC_STRICT, static_cast<uint64_t>(std::min(start_ns + work, 9e18)));
  cap.ws_min = cap.ws_best = workspace;
  return true;
}

void StepMaker::bind(const std::string& name, const opmux_opd& d, uint32_t arg, uint32_t dtype) {
  const opmux_tdesc& t = *kit_operand(&d, arg);
  type(name, dtype == OPMUX_NONE ? t.dtype : dtype);
  use(name, d, arg, OPMUX_DTYPE_BITS(t.dtype));
}

void StepMaker::bind_bytes(const std::string& name, const opmux_opd& d, uint32_t arg) {
  type(name, OPMUX_U8);
  use(name, d, arg, 8);
}

void StepMaker::use(const std::string& name, const opmux_opd& d, uint32_t arg, uint32_t bits) {
  const opmux_tdesc& t = *kit_operand(&d, arg);
  // What is empty is not touched, and need not be bound.
  if (reach_of(t).size() == 0) return;
  uint32_t from = arg;
  if (t.flags & OPMUX_T_HOST_SCALAR) {
    from = kScalars;
    for (uint32_t i = 0; i < arg; ++i) from += (kit_operand(&d, i)->flags & OPMUX_T_HOST_SCALAR) != 0;
  }
  const auto shift = shifts_.find(arg);
  uses_.push_back({name, {from, 0, reach_of(t), bits, false, shift == shifts_.end() ? 0 : shift->second}});
}

void StepMaker::workspace(const std::string& name, uint64_t offset, uint64_t bytes, uint32_t dtype) {
  type(name, dtype);
  const Reach r{static_cast<int64_t>(offset), static_cast<int64_t>(offset + bytes)};
  uses_.push_back({name, {kWorkspace, 0, r, element_bytes(dtype) * 8, false}});
}

void StepMaker::unused(const std::string& name, uint32_t dtype) {
  std::erase_if(uses_, [&](const Use& u) { return u.name == name; });
  type(name, dtype);
}

bool StepMaker::program(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap) {
  const ProgramRefusal r = write_program(d.prog[0], 0, 0, d.in, d.out, info.features, step_.source);
  if (r.feature) return kit_no(&cap, OPMUX_WHY_FEATURE, OPMUX_NO_ARG, 0, static_cast<int64_t>(r.feature), 0);
  if (r.refused) return kit_no(&cap, OPMUX_WHY_PROGRAM, 0, 0, r.insn, 0);
  if (!fits(info, cap)) return false;
  for (uint32_t i = 0; i < d.n_in; ++i) bind(fmt::format("x{}", i), d, i);
  for (uint32_t o = 0; o < d.n_out; ++o) bind(fmt::format("y{}", o), d, d.n_in + o);
  return true;
}

bool StepMaker::epilogue(const opmux_devinfo& info, const opmux_opd& d, uint32_t dtype0, opmux_cap& cap) {
  const uint32_t own = kit::own_inputs(d);
  if (d.n_prog > 1 || (d.n_prog == 1 && d.prog[0].slot != OPMUX_SLOT_EPILOGUE(0)))
    return kit_no(&cap, OPMUX_WHY_PROGRAM, d.n_prog - 1, 0, 0, 0);
  if (d.n_prog == 0) {
    write_result(dtype0, d.out[0], step_.source);
  } else {
    const ProgramRefusal r =
        write_program(d.prog[0], 1, dtype0, d.in + own, d.out, info.features, step_.source);
    if (r.feature)
      return kit_no(&cap, OPMUX_WHY_FEATURE, OPMUX_NO_ARG, 0, static_cast<int64_t>(r.feature), 0);
    if (r.refused) return kit_no(&cap, OPMUX_WHY_PROGRAM, 0, 0, r.insn, 0);
  }
  if (!fits(info, cap)) return false;
  for (uint32_t i = own; i < d.n_in; ++i) bind(fmt::format("x{}", i - own), d, i);
  bind("y0", d, d.n_in);
  return true;
}

bool StepMaker::check_type(const opmux_devinfo& info, const std::string& name, uint32_t arg,
                           opmux_cap& cap) const {
  return check_dtype(info, arg, step_.source.types.at(name), cap);
}

bool StepMaker::fits(const opmux_devinfo& info, opmux_cap& cap) const {
  uint32_t most = 0;
  std::memcpy(&most, info.priv, sizeof most);
  const auto used = static_cast<uint32_t>(step_.source.bindings().size()) + 1;
  if (most == 0 || most > kMaxBindings) most = kMaxBindings;
  return used <= most || kit_no(&cap, OPMUX_WHY_PROGRAM, 0, 0, used, most);
}

void StepMaker::set(const std::string& name, uint64_t value, uint32_t at) {
  auto& words = words_[name];
  if (words.size() <= at) words.resize(at + 1);
  words[at] = static_cast<uint32_t>(value);
}

void StepMaker::set_float(const std::string& name, float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  set(name, bits);
}

void StepMaker::walk(const kit::Walk& w, const std::string& rank, const std::string& dims,
                     const std::vector<Strides>& strides) {
  set(rank, w.rank());
  for (uint32_t a = 0; a < w.rank(); ++a) {
    set(dims, static_cast<uint64_t>(w.dim(a)), a);
    for (size_t k = 0; k < strides.size(); ++k)
      set(strides[k].name, static_cast<uint64_t>(w.stride(k, a)), strides[k].at + a);
  }
}

void StepMaker::program_walk(const opmux_opd& d, std::vector<std::array<int64_t, 8>> own,
                             const std::vector<Strides>& names) {
  kit::Walk w(d.out[0]);
  auto all = names;
  for (const auto& s : own) w.add_strides(s);
  const uint32_t first = first_program_arg(d);
  for (uint32_t i = 0; i < step_.source.operands; ++i) {
    w.add(d.in[first + i]);
    all.push_back({"xs", 8 * i});
  }
  for (uint32_t o = 0; o < step_.source.results; ++o) {
    w.add(d.out[o]);
    all.push_back({"ys", 8 * o});
  }
  w.collapse();
  walk(w, "rank", "dims", all);
}

uint32_t StepMaker::first_program_arg(const opmux_opd& d) const { return d.n_in - step_.source.operands; }

void StepMaker::elements(const opmux_devinfo& info, uint64_t count) {
  groups(info, (count + step_.source.file->group - 1) / step_.source.file->group);
}

void StepMaker::groups(const opmux_devinfo& info, uint64_t count) {
  const uint64_t most = std::clamp<uint64_t>(info.max_groups[0], 1, UINT32_MAX);
  for (uint64_t first = 0; first < count; first += most)
    dispatch({{static_cast<uint32_t>(std::min(most, count - first)), 1, 1}, static_cast<uint32_t>(first)});
}

Step StepMaker::take() {
  if (step_.source.file->faults) uses_.push_back({"fault", {kFaultWord, 0, {0, 4}, 32, true}});
  uint32_t binding = 1;
  for (const Source::Bound& b : step_.source.bindings()) {
    for (Use& u : uses_) {
      if (u.name != b.name) continue;
      u.use.binding = binding;
      u.use.written |= b.access != Access::kIn;
      step_.uses.push_back(u.use);
    }
    ++binding;
  }
  for (const KernelFile::Param& p : step_.source.params()) {
    auto& words = words_[p.name];
    if (words.size() > p.words)
      throw std::logic_error(
          fmt::format("kernel {}: too many words for {}", step_.source.file->name, p.name));
    words.resize(p.words);
    step_.words.insert(step_.words.end(), words.begin(), words.end());
    words_.erase(p.name);
  }
  if (!words_.empty())
    throw std::logic_error(
        fmt::format("kernel {} has no word {}", step_.source.file->name, words_.begin()->first));
  if (step_.words.empty()) step_.words.push_back(0);
  return std::move(step_);
}

}  // namespace opmux::gpu
