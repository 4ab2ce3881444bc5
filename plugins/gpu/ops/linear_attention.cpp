// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "gpu/ops/ops.hpp"
#include "gpu/ops/states.hpp"
#include "kit/operands/state.gen.hpp"

namespace opmux::gpu {

using enum operands::linear_attention::Input;
using enum operands::linear_attention::Output;

bool plan_linear_attention(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const float scale = reinterpret_cast<const opmux_op_linear_attention&>(d).scale;
  const opmux_tdesc &q = d.in[kQ], &k = d.in[kK], &v = d.in[kV];
  const uint32_t type = real_storage(q.dtype), state = has_in(d, kPast)       ? d.in[kPast].dtype
                                                       : has_out(d, kPresent) ? d.out[kPresent].dtype
                                                                              : q.dtype;
  const bool wide = q.dtype == OPMUX_F64 || state == OPMUX_F64;
  const int64_t rows = k.dim[0] * k.dim[1] * v.dim[3], depth = k.dim[3];
  if (!check_operands(info, d, cap) || !check_places(d, cap, {{kPresent, kPast}})) return false;
  if (!check_state(info, rows, depth, wide, cap)) return false;
  StepMaker s("linear_attention");
  real_types(s, q.dtype, wide);
  real_access(s, state, wide, "_PAST", "past_brain");
  bind_in(s, d, "q", kQ, type, "qs");
  bind_in(s, d, "k", kK, type, "ks");
  bind_in(s, d, "v", kV, type, "vs");
  bind_in(s, d, "past", kPast, real_storage(state), "ps", "with_past");
  bind_in(s, d, "decay", kDecay, type, "ds", "with_decay");
  bind_in(s, d, "beta", kBeta, type, "bs", "with_beta");
  bind_out(s, d, "y", 0, type, "ys");
  bind_out(s, d, "present", kPresent, real_storage(state), "ns", "with_present");
  set_states(info, s, rows, depth, wide);
  if (!s.fits(info, cap)) return false;
  say_yes(info, d, cap, state_bytes(rows, depth, wide));
  if (!plan) return true;
  s.set("values", static_cast<uint64_t>(v.dim[3]));
  s.set("kv_heads", static_cast<uint64_t>(k.dim[1]));
  s.set("group", static_cast<uint64_t>(k.dim[1] > 0 ? q.dim[1] / k.dim[1] : 1));
  s.set("steps", static_cast<uint64_t>(q.dim[2]));
  set_real(s, "scale", scale == 0 ? 1 / std::sqrt(static_cast<double>(depth)) : static_cast<double>(scale));
  plan->workspace = state_bytes(rows, depth, wide);
  plan->steps.push_back(s.take());
  return true;
}

}  // namespace opmux::gpu
