// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/ops.hpp"
#include "gpu/ops/states.hpp"
#include "kit/operands/state.gen.hpp"

namespace opmux::gpu {

using enum operands::selective_scan::Input;
using enum operands::selective_scan::Output;

bool plan_selective_scan(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const opmux_tdesc &x = d.in[kX], &a = d.in[kA], &b = d.in[kB];
  const uint32_t type = real_storage(x.dtype);
  const bool wide = x.dtype == OPMUX_F64;
  const int64_t rows = x.dim[0] * x.dim[2], depth = a.dim[1];
  if (!check_operands(info, d, cap) || !check_places(d, cap, {{kPresent, kPast}})) return false;
  if (!check_state(info, rows, depth, wide, cap)) return false;
  StepMaker s("selective_scan");
  real_types(s, x.dtype, wide);
  bind_in(s, d, "x", kX, type, "xs");
  bind_in(s, d, "delta", kDelta, type, "des");
  bind_in(s, d, "a", kA, type, "as");
  bind_in(s, d, "b", kB, type, "bs");
  bind_in(s, d, "c", kC, type, "cs");
  bind_in(s, d, "skip", kSkip, type, "ss", "with_skip");
  bind_in(s, d, "past", kPast, type, "ps", "with_past");
  bind_out(s, d, "y", 0, type, "ys");
  bind_out(s, d, "present", kPresent, type, "ns", "with_present");
  set_states(info, s, rows, depth, wide);
  if (!s.fits(info, cap)) return false;
  say_yes(info, d, cap, state_bytes(rows, depth, wide));
  if (!plan) return true;
  s.set("channels", static_cast<uint64_t>(x.dim[2]));
  s.set("per_group", static_cast<uint64_t>(b.dim[2] > 0 ? std::max<int64_t>(x.dim[2] / b.dim[2], 1) : 1));
  s.set("steps", static_cast<uint64_t>(x.dim[1]));
  plan->workspace = state_bytes(rows, depth, wide);
  plan->steps.push_back(s.take());
  return true;
}

}  // namespace opmux::gpu
