// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "gpu/ops/ops.hpp"
#include "gpu/ops/values.hpp"

namespace opmux::gpu {

bool plan_lrn(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const auto& a = reinterpret_cast<const opmux_op_lrn&>(d);
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  if (!check_operands(info, d, cap) || !check_apart(d, cap)) return false;
  say_yes(info, d, cap);
  if (!plan) return true;
  StepMaker s("lrn");
  real_types(s, x.dtype, x.dtype == OPMUX_F64);
  bind_real(s, "x", d, 0);
  bind_real(s, "y", d, 1);
  kit::Walk w(y);
  w.add(x).add(y).add_strides({0, 1});
  w.collapse();
  s.walk(w, "rank", "dims", {{"xs"}, {"ys"}, {"cs"}});
  s.set("channels", static_cast<uint64_t>(x.dim[1]));
  s.set("step", static_cast<uint64_t>(x.stride[1]));
  s.set("below", (a.size - 1) / 2);
  s.set("above", a.size / 2);
  const double alpha = static_cast<double>(a.alpha), beta = static_cast<double>(a.beta);
  set_real(s, "alpha", alpha / static_cast<double>(a.size));
  set_real(s, "beta", beta);
  set_real(s, "bias", static_cast<double>(a.bias));
  // The sign of a power of a number below 0.
  s.set("whole", std::trunc(beta) == beta);
  s.set("odd", std::fmod(beta, 2) != 0);
  s.elements(info, static_cast<uint64_t>(elements(y)));
  plan->steps.push_back(s.take());
  return true;
}

}  // namespace opmux::gpu
