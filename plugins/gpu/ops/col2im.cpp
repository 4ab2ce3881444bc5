// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gpu/ops/ops.hpp"
#include "gpu/ops/window.hpp"

namespace opmux::gpu {
namespace {

// The patches are the input of a transposed convolution, the image is its output.
Window window_of(const opmux_opd& d) {
  const auto& a = reinterpret_cast<const opmux_op_col2im&>(d);
  opmux_opd shaped = d;
  const opmux_tdesc& y = d.out[0];
  opmux_tdesc patches = y;
  const uint32_t n = y.rank - 2;
  for (uint32_t i = 0; i < n; ++i) {
    const auto at = [&](const opmux_slice& l, uint32_t k) { return d.list[l.first + k]; };
    const int64_t room = y.dim[2 + i] + at(a.pad, i) + at(a.pad, n + i);
    patches.dim[2 + i] = (room - at(a.dilation, i) * (at(a.kernel, i) - 1) - 1) / at(a.stride, i) + 1;
  }
  shaped.in = &patches;
  return {shaped, d.list + a.kernel.first, a.stride, a.dilation, a.pad};
}

}  // namespace

bool plan_col2im(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  if (!check_operands(info, d, cap) || !check_apart(d, cap)) return false;
  const Window w = window_of(d);
  if (!check_spread(d, w, cap)) return false;
  say_yes(info, d, cap);
  if (!plan) return true;
  StepMaker s("col2im");
  s.bind("x", d, 0);
  s.bind("y", d, 1);
  s.type("sum", x.dtype == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32);
  w.write(s);
  w.write_jumps(s);
  for (uint32_t i = 0; i < 3; ++i) s.set("xs", static_cast<uint64_t>(x.stride[i]), i);
  set_window_strides(s, "ys", 0, y, y);
  s.set("channels", static_cast<uint64_t>(y.dim[1]));
  s.set("count", static_cast<uint64_t>(elements(y)));
  s.elements(info, static_cast<uint64_t>(elements(y)));
  plan->steps.push_back(s.take());
  return true;
}

}  // namespace opmux::gpu
