// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/ops.hpp"
#include "gpu/ops/tile.hpp"
#include "gpu/ops/window.hpp"
#include "kit/insn.hpp"

namespace opmux::gpu {
namespace {

// Channels of a group from which tiles are worth their empty rows.
constexpr int64_t kTileRows = 8;

Window window_of(const opmux_opd& d) {
  const auto& a = reinterpret_cast<const opmux_op_conv&>(d);
  return {d, d.in[1].dim + 2, a.stride, a.dilation, a.pad};
}

bool answer(const opmux_devinfo& info, const opmux_opd& d, StepMaker& s, opmux_cap& cap) {
  const auto& a = reinterpret_cast<const opmux_op_conv&>(d);
  if (!check_operands(info, d, cap) || !check_apart(d, cap) || !check_window(d, window_of(d), cap))
    return false;
  tile_types(s, a.acc_dtype);
  s.bind("x", d, 0);
  s.bind("w", d, 1);
  return s.epilogue(info, d, a.acc_dtype, cap) && say_yes(info, d, cap);
}

void fill_views(const opmux_opd& d, StepMaker& s) {
  const opmux_tdesc& y = d.out[0];
  window_of(d).write(s);
  s.set("per_in", static_cast<uint64_t>(d.in[1].dim[1]));
  set_window_strides(s, "fs", 0, d.in[0], d.in[0]);
  set_window_strides(s, "ws", 0, d.in[1], d.in[1]);
  const uint32_t own = kit::own_inputs(d);
  for (uint32_t i = own; i < d.n_in; ++i) set_window_strides(s, "xs", 8 * (i - own), d.in[i], y);
  set_window_strides(s, "ys", 0, y, y);
}

}  // namespace

bool plan_conv(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const auto& a = reinterpret_cast<const opmux_op_conv&>(d);
  const opmux_tdesc& y = d.out[0];
  const int64_t rows = y.dim[1] / a.group, cols = window_of(d).outputs();
  StepMaker s("conv");
  if (rows < kTileRows) return kit_no(&cap, OPMUX_WHY_DIM, d.n_in, 1, rows, kTileRows);
  if (!answer(info, d, s, cap) || !check_tile_groups(info, d, 1, rows, 2, cols, cap)) return false;
  if (!plan) return true;
  fill_views(d, s);
  s.set("rows", static_cast<uint64_t>(rows));
  s.set("cols", static_cast<uint64_t>(cols));
  s.set("depth", static_cast<uint64_t>(d.in[1].dim[1] * window_of(d).taps()));
  s.set("groups", a.group);
  tile_groups(info, rows, cols, y.dim[0] * a.group, s);
  plan->steps.push_back(s.take());
  return true;
}

bool plan_conv_direct(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const auto& a = reinterpret_cast<const opmux_op_conv&>(d);
  const opmux_tdesc& y = d.out[0];
  StepMaker s("conv_direct");
  if (!answer(info, d, s, cap)) return false;
  if (!plan) return true;
  fill_views(d, s);
  s.set("channels", static_cast<uint64_t>(y.dim[1]));
  s.set("per_out", static_cast<uint64_t>(std::max<int64_t>(y.dim[1] / a.group, 1)));
  s.set("count", static_cast<uint64_t>(elements(y)));
  s.elements(info, static_cast<uint64_t>(elements(y)));
  plan->steps.push_back(s.take());
  return true;
}

}  // namespace opmux::gpu
