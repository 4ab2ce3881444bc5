// SPDX-License-Identifier: Apache-2.0
#include "reference/job.hpp"

#include <cstdarg>

namespace opmux::reference {

void fail(opmux_status status, uint32_t arg, const char* format, ...) {
  char text[KIT_SENTENCE];
  va_list list;
  va_start(list, format);
  std::vsnprintf(text, sizeof text, format, list);
  va_end(list);
  throw kit::Failure(status, arg, text);
}

uint32_t raw_type(uint32_t dtype) {
  switch (OPMUX_DTYPE_BITS(dtype)) {
    case 64:
      return OPMUX_U64;
    case 32:
      return OPMUX_U32;
    case 16:
      return OPMUX_U16;
    case 4:
      return OPMUX_U4;
    case 2:
      return OPMUX_U2;
    default:
      return OPMUX_U8;
  }
}

Epilogue::Epilogue(const kit_call& call, uint32_t output, uint32_t value_dtype) : call_(&call) {
  const opmux_opd& d = *call.d;
  dtype_[0] = value_dtype;
  // Extra operands stand last, in the order of the programs.
  uint32_t after = d.n_in;
  for (uint32_t p = d.n_prog; p-- > 0;) {
    if (d.prog[p].slot == OPMUX_SLOT_MAIN) continue;
    after -= d.prog[p].n_in - 1;
    if (d.prog[p].slot != OPMUX_SLOT_EPILOGUE(output)) continue;
    prog_ = &d.prog[p];
    first_ = after;
  }
  for (uint32_t i = 0; i < extras(); ++i) dtype_[i + 1] = extra(i).dtype;
  if (prog_) kit::value_types(*prog_, dtype_);
}

Scalar Epilogue::apply(Scalar value0, const int64_t* offset) {
  value_[0] = value0;
  for (uint32_t i = 0; i < extras(); ++i)
    value_[i + 1] = kit::load(dtype_[i + 1], call_->arg[first_ + i], offset[i]);
  kit::run_program(*prog_, dtype_, value_);
  return value_[prog_->out[0]];
}

long double Epilogue::unrounded() const { return unrounded_value(*prog_, dtype_, value_, prog_->out[0]); }

long double unrounded_value(const opmux_prog& prog, const uint32_t* dtype, const Scalar* value, uint32_t v) {
  if (v < prog.n_in) return value[v].f;
  const opmux_insn& x = prog.insn[v - prog.n_in];
  const uint32_t a = x.op == OPMUX_FN_CONST ? 0 : x.a;
  return kit::evaluate_unrounded(x, dtype[a], value[a], value[x.op >= OPMUX_FN_ADD ? x.b : a],
                                 value[x.op >= OPMUX_FN_SELECT ? x.c : a]);
}

std::vector<uint64_t> Job::read_bits(uint32_t i) const {
  const uint32_t raw = raw_type(in(i).dtype);
  std::vector<uint64_t> bits;
  kit::Walk walk(in(i));
  walk.add(in(i));
  walk.each([&](const int64_t* offset) { bits.push_back(kit::load(raw, in_data(i), offset[0]).u); });
  return bits;
}

void Job::write_bits(uint32_t o, const std::vector<uint64_t>& bits) {
  if (!wants(o)) return;
  const opmux_tdesc& t = out(o);
  const uint32_t raw = raw_type(t.dtype);
  kit::Walk walk(t);
  walk.add(t);
  int64_t k = 0;
  walk.each([&](const int64_t* offset) {
    const uint64_t u = bits[size_t(k)];
    if (!oracle_)
      kit::store(raw, out_data(o), offset[0], Scalar{.u = u});
    else
      put_exact(k, t.dtype, kit::from_bits(t.dtype, u));
    ++k;
  });
}

void Job::move(uint32_t o, uint32_t i, const std::vector<int64_t>& source, uint64_t other) {
  if (!wants(o)) return;
  const uint32_t raw = raw_type(out(o).dtype);
  std::vector<uint64_t> bits;
  bits.reserve(source.size());
  for (int64_t from : source) bits.push_back(from == kNoSource ? other : kit::load(raw, in_data(i), from).u);
  write_bits(o, bits);
}

void Job::put_unrounded(int64_t k, long double value, double magnitude) {
  const double hi = double(value);
  oracle_->hi[k] = hi;
  if (oracle_->lo) oracle_->lo[k] = std::isfinite(hi) ? double(value - hi) : 0;
  if (oracle_->magnitude) oracle_->magnitude[k] = magnitude;
}

void Job::put_exact(int64_t k, uint32_t dtype, Scalar value) {
  const long double wide = to_wide<long double>(dtype, value);
  put_unrounded(k, wide, double(std::fabs(wide)));
}

}  // namespace opmux::reference
