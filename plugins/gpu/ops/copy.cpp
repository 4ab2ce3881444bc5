// SPDX-License-Identifier: Apache-2.0
// copy, and fill as a copy of a value that repeats.
#include "gpu/ops/ops.hpp"

namespace opmux::gpu {

Step copy_step(const opmux_devinfo& info, const opmux_opd& d, uint32_t from, uint32_t to) {
  const opmux_tdesc &x = *kit_operand(&d, from), &y = *kit_operand(&d, to);
  StepMaker s("copy");
  s.bind("x", d, from, raw_type(x.dtype));
  s.bind("y", d, to, raw_type(x.dtype));
  kit::Walk w(y);
  w.add(x).add(y).collapse();
  s.walk(w, "rank", "dims", {{"xs"}, {"ys"}});
  s.elements(info, static_cast<uint64_t>(elements(y)));
  return s.take();
}

bool plan_copy(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  if (!check_moved(info, d, cap, {}) || !check_apart(d, cap)) return false;
  if (plan) plan->steps.push_back(copy_step(info, d, 0, 1));
  return say_yes(info, d, cap);
}

}  // namespace opmux::gpu
