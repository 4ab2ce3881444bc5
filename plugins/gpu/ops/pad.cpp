// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/ops.hpp"

namespace opmux::gpu {

bool plan_pad(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const auto& a = reinterpret_cast<const opmux_op_pad&>(d);
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  if (!check_moved(info, d, cap, {}) || !check_apart(d, cap)) return false;
  say_yes(info, d, cap);
  if (!plan) return true;
  const uint32_t raw = raw_type(x.dtype);
  StepMaker s("pad");
  s.bind("x", d, 0, raw);
  s.bind("y", d, d.n_in, raw);
  if (has_in(d, 1))
    s.bind("value", d, 1, raw);
  else
    s.unused("value", raw);
  s.set("mode", a.mode);
  s.set("has_value", has_in(d, 1));
  s.set("rank", y.rank);
  for (uint32_t i = 0; i < y.rank; ++i) {
    s.set("dims", static_cast<uint64_t>(y.dim[i]), i);
    s.set("ys", static_cast<uint64_t>(y.stride[i]), i);
    s.set("xs", static_cast<uint64_t>(x.stride[i]), i);
    s.set("xdims", static_cast<uint64_t>(x.dim[i]), i);
    s.set("begins", static_cast<uint64_t>(d.list[a.pad.first + i]), i);
  }
  s.elements(info, static_cast<uint64_t>(elements(y)));
  plan->steps.push_back(s.take());
  return true;
}

}  // namespace opmux::gpu
