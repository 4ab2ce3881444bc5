// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gpu/ops/ops.hpp"
#include "gpu/ops/tile.hpp"
#include "gpu/ops/window.hpp"
#include "kit/insn.hpp"

namespace opmux::gpu {
namespace {

constexpr int64_t kTileRows = 8;  // as for conv

const opmux_op_conv_transpose& desc(const opmux_opd& d) {
  return reinterpret_cast<const opmux_op_conv_transpose&>(d);
}

Window window_of(const opmux_opd& d) {
  const auto& a = desc(d);
  return {d, d.in[1].dim + 2, a.stride, a.dilation, a.pad};
}

bool answer(const opmux_devinfo& info, const opmux_opd& d, StepMaker& s, opmux_cap& cap) {
  const auto& a = desc(d);
  if (!check_operands(info, d, cap) || !check_apart(d, cap) || !check_spread(d, window_of(d), cap))
    return false;
  tile_types(s, a.acc_dtype);
  s.bind("x", d, 0);
  s.bind("w", d, 1);
  if (!s.check_type(info, "sum", 0, cap)) return false;
  return s.epilogue(info, d, a.acc_dtype, cap) && say_yes(info, d, cap);
}

void fill_views(const opmux_opd& d, StepMaker& s) {
  const Window w = window_of(d);
  w.write(s);
  w.write_jumps(s);
  s.set("per_in", static_cast<uint64_t>(d.in[0].dim[1] / desc(d).group));
  set_conv_strides(s, d);
}

}  // namespace

bool plan_conv_transpose(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const opmux_tdesc& y = d.out[0];
  const Window w = window_of(d);
  const int64_t group = desc(d).group, rows = y.dim[1] / group;
  int64_t phases = 1, cols = 1;
  StepMaker s("conv_transpose");
  for (uint32_t i = 0; i < 3; ++i) {
    const int64_t n = std::max<int64_t>(std::min(w.stride[i], w.out[i]), 1);
    s.set("phases", static_cast<uint64_t>(n), i);
    phases *= n;
    cols *= (w.out[i] + w.stride[i] - 1) / w.stride[i];
  }
  if (rows < kTileRows) return kit_no(&cap, OPMUX_WHY_DIM, d.n_in, 1, rows, kTileRows);
  if (!answer(info, d, s, cap) || !check_tile_groups(info, d, 1, rows, 2, cols, cap)) return false;
  if (!plan) return true;
  fill_views(d, s);
  s.set("rows", static_cast<uint64_t>(rows));
  s.set("groups", static_cast<uint64_t>(group));
  tile_groups(info, rows, cols, y.dim[0] * group * phases, s);
  plan->steps.push_back(s.take());
  return true;
}

bool plan_conv_transpose_direct(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap,
                                KernelPlan* plan) {
  const opmux_tdesc& y = d.out[0];
  StepMaker s("conv_transpose_direct");
  if (!answer(info, d, s, cap)) return false;
  if (!plan) return true;
  fill_views(d, s);
  s.set("channels", static_cast<uint64_t>(y.dim[1]));
  s.set("per_out", static_cast<uint64_t>(std::max<int64_t>(y.dim[1] / desc(d).group, 1)));
  s.set("count", static_cast<uint64_t>(elements(y)));
  s.elements(info, static_cast<uint64_t>(elements(y)));
  plan->steps.push_back(s.take());
  return true;
}

}  // namespace opmux::gpu
