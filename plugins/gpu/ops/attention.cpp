// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "gpu/ops/ops.hpp"
#include "kit/operands/attention.gen.hpp"
#include "kit/scalar.hpp"

namespace opmux::gpu {
namespace {

using enum operands::attention::Input;
using enum operands::attention::Output;

constexpr int64_t kMostWidth = 512;  // elements of q in shared memory, and shares of values in registers

// The state must be where it was; the other outputs are apart from all inputs.
bool check_aliases(const opmux_opd& d, opmux_cap& cap) {
  for (uint32_t o = 0; o < d.n_out; ++o) {
    if (!has_out(d, o)) continue;
    const bool state = o == kPresentK || o == kPresentV;
    const uint32_t alias = d.alias ? d.alias[o] : 0, from = kPastK + o - kPresentK;
    bool ok = alias == (state ? from + 1 : 0);
    for (uint32_t i = 0; state && ok && i < 4; ++i) ok = d.out[o].stride[i] == d.in[from].stride[i];
    if (!ok) return kit_no(&cap, OPMUX_WHY_ALIAS, d.n_in + o, 0, alias, 0);
  }
  return true;
}

bool check(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap) {
  if (!check_operands(info, d, cap)) return false;
  if (d.in[kQ].dtype == OPMUX_F64)
    return kit_no(&cap, OPMUX_WHY_DTYPE, kQ, 0, OPMUX_F64, 0);  // no exp of f64
  // Sequences by lengths or starts, and blocks, are not there yet.
  for (uint32_t i :
       {uint32_t{kQLen}, uint32_t{kKLen}, uint32_t{kQStart}, uint32_t{kKStart}, uint32_t{kBlocks}}) {
    if (has_in(d, i)) return kit_no(&cap, OPMUX_WHY_DTYPE, i, 0, d.in[i].dtype, OPMUX_NONE);
  }
  if (has_in(d, kMask) && d.in[kMask].dtype == OPMUX_F64)
    return kit_no(&cap, OPMUX_WHY_DTYPE, kMask, 0, OPMUX_F64, 0);
  for (uint32_t i : {uint32_t{kQ}, uint32_t{kV}}) {
    if (d.in[i].dim[3] > kMostWidth) return kit_no(&cap, OPMUX_WHY_DIM, i, 3, d.in[i].dim[3], kMostWidth);
  }
  if (d.in[kQ].dim[3] < 1) return kit_no(&cap, OPMUX_WHY_DIM, kQ, 3, d.in[kQ].dim[3], 1);
  return check_aliases(d, cap);
}

// Strides of t, aligned at the last of four dims.
void set_strides(StepMaker& s, const char* name, const opmux_tdesc& t) {
  for (uint32_t i = 0; i < t.rank; ++i)
    s.set(name, t.dim[i] == 1 ? 0 : static_cast<uint64_t>(t.stride[i]), 4 - t.rank + i);
}

void bind_operands(const opmux_opd& d, StepMaker& s) {
  const uint32_t type = d.in[kQ].dtype;
  const auto optional = [&](const char* name, bool there, uint32_t arg, uint32_t otherwise, const char* flag,
                            const char* value, const char* strides) {
    if (!there) return s.unused(name, otherwise);
    s.bind(name, d, arg);
    if (flag) s.define(flag, value);
    if (strides) set_strides(s, strides, *kit_operand(&d, arg));
  };
  s.bind("q", d, kQ);
  s.bind("k", d, kK);
  s.bind("v", d, kV);
  s.bind("y", d, d.n_in);
  set_strides(s, "qs", d.in[kQ]);
  set_strides(s, "ks", d.in[kK]);
  set_strides(s, "vs", d.in[kV]);
  set_strides(s, "ys", d.out[0]);
  const bool masked = has_in(d, kMask), past = has_in(d, kPastK);
  const bool truth = masked && d.in[kMask].dtype == OPMUX_BOOL;
  optional("mask", masked, kMask, OPMUX_F32, "GK_MASK(m)", truth ? "((m) ? 0.0f : -GK_INF)" : "(m)", "ms");
  optional("past_k", past, kPastK, type, "GK_PAST", "1", "pks");
  optional("past_v", past, kPastV, type, nullptr, nullptr, "pvs");
  optional("past_len", past, kPastLen, OPMUX_I32, nullptr, nullptr, nullptr);
  optional("slopes", has_in(d, kSlopes), kSlopes, OPMUX_F32, "GK_SLOPED", "1", nullptr);
  if (has_in(d, kSlopes)) s.set("slope_stride", static_cast<uint64_t>(d.in[kSlopes].stride[0]));
  const bool lse = has_out(d, kLse);
  if (!lse) return s.unused("lse", OPMUX_F32);
  s.bind("lse", d, d.n_in + kLse);
  s.define("GK_LSE", "1");
  for (uint32_t i = 0; i < 3; ++i) s.set("ls", static_cast<uint64_t>(d.out[kLse].stride[i]), i);
}

void fill(const opmux_devinfo& info, const opmux_opd& d, StepMaker& s) {
  const auto& a = reinterpret_cast<const opmux_op_attention&>(d);
  const opmux_tdesc &q = d.in[kQ], &k = d.in[kK];
  s.set("heads", static_cast<uint64_t>(q.dim[1]));
  s.set("queries", static_cast<uint64_t>(q.dim[2]));
  s.set("fresh", static_cast<uint64_t>(k.dim[2]));
  s.set("head_group", static_cast<uint64_t>(k.dim[1] > 0 ? q.dim[1] / k.dim[1] : 1));
  s.set("value_width", static_cast<uint64_t>(d.in[kV].dim[3]));
  s.set("capacity", has_in(d, kPastK) ? static_cast<uint64_t>(d.in[kPastK].dim[2]) : 0);
  s.set("causal", a.causal);
  s.set("window", static_cast<uint32_t>(a.window));
  s.set_float("scale",
              a.scale == 0 ? static_cast<float>(1 / std::sqrt(static_cast<double>(q.dim[3]))) : a.scale);
  s.set_float("cap", a.soft_cap);
  s.groups(info, static_cast<uint64_t>(q.dim[0] * q.dim[1] * q.dim[2]));
}

// New rows of keys or values into the state that is output o, which is copied first if it is bound apart.
void append(const opmux_devinfo& info, const opmux_opd& d, uint32_t fresh, uint32_t o, KernelPlan& plan) {
  if (!has_out(d, o)) return;
  const uint32_t state = kPastK + o - kPresentK, raw = raw_type(d.out[o].dtype);
  plan.steps.push_back(copy_step(info, d, state, d.n_in + o));
  plan.steps.back().unless_same = {state, d.n_in + o};
  StepMaker s("state_append");
  s.bind("x", d, fresh, raw);
  s.bind("past_len", d, kPastLen);
  s.bind("y", d, d.n_in + o, raw);
  s.set("fresh", static_cast<uint64_t>(d.in[fresh].dim[2]));
  s.set("capacity", static_cast<uint64_t>(d.out[o].dim[2]));
  s.set("row", static_cast<uint64_t>(d.out[o].stride[2]));
  kit::Walk w(d.in[fresh]);
  w.add(d.in[fresh]).add_strides(std::to_array(d.out[o].stride)).collapse();
  s.walk(w, "rank", "dims", {{"xs"}, {"ys"}});
  s.elements(info, static_cast<uint64_t>(elements(d.in[fresh])));
  plan.steps.push_back(s.take());
}

}  // namespace

bool plan_attention(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  if (!check(info, d, cap)) return false;
  StepMaker s("attention");
  bind_operands(d, s);
  if (!s.fits(info, cap)) return false;
  say_yes(info, d, cap);
  if (!plan) return true;
  s.define("GK_WIDTH", fmt::format("{}", d.in[kQ].dim[3]));
  s.define("GK_SHARE", fmt::format("{}", std::max<int64_t>((d.in[kV].dim[3] + 63) / 64, 1)));
  fill(info, d, s);
  plan->steps.push_back(s.take());
  append(info, d, kK, kPresentK, *plan);
  append(info, d, kV, kPresentV, *plan);
  if (has_in(d, kPastK)) plan->faulty_arg = kPastLen;
  return true;
}

}  // namespace opmux::gpu
