// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gpu/ops/ops.hpp"
#include "gpu/ops/tile.hpp"
#include "gpu/ops/window.hpp"
#include "kit/insn.hpp"

namespace opmux::gpu {

bool plan_deform_conv(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const auto& a = reinterpret_cast<const opmux_op_deform_conv&>(d);
  const opmux_tdesc &x = d.in[0], &w = d.in[1], &y = d.out[0];
  const Window window(d, w.dim + 2, a.stride, a.dilation, a.pad);
  if (!check_operands(info, d, cap) || !check_apart(d, cap) || !check_doubles(info, cap) ||
      !check_window(d, window, cap))
    return false;
  const int64_t rows = y.dim[1] / a.group, cols = window.outputs();
  if (!check_tile_groups(info, d, 1, rows, 2, cols, cap)) return false;
  StepMaker s("deform_conv");
  s.source().doubles = true;
  tile_types(s, a.acc_dtype);
  s.bind("x", d, 0);
  s.bind("w", d, 1);
  s.bind("offset", d, 2);
  const bool masked = has_in(d, 3);
  if (masked)
    s.bind("mask", d, 3);
  else
    s.unused("mask", x.dtype);
  if (!s.epilogue(info, d, a.acc_dtype, cap)) return false;
  say_yes(info, d, cap);
  if (!plan) return true;
  window.write(s);
  s.set("rows", static_cast<uint64_t>(rows));
  s.set("cols", static_cast<uint64_t>(cols));
  s.set("depth", static_cast<uint64_t>(w.dim[1] * window.taps()));
  s.set("groups", a.group);
  s.set("per_in", static_cast<uint64_t>(w.dim[1]));
  s.set("per_offset", static_cast<uint64_t>(std::max<int64_t>(x.dim[1] / a.offset_group, 1)));
  s.set("has_mask", masked);
  set_conv_strides(s, d);
  for (uint32_t i = 0; i < 4; ++i) {
    s.set("os", static_cast<uint64_t>(d.in[2].stride[i]), i);
    if (masked) s.set("ms", static_cast<uint64_t>(d.in[3].stride[i]), i);
  }
  tile_groups(info, rows, cols, y.dim[0] * a.group, s);
  plan->steps.push_back(s.take());
  return true;
}

}  // namespace opmux::gpu
