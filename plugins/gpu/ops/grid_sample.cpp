// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gpu/ops/ops.hpp"
#include "gpu/ops/window.hpp"

namespace opmux::gpu {
namespace {

// A lane takes more than one channel where that leaves lanes enough to fill a device.
constexpr int64_t kLanes = 1 << 16, kLeastChannels = 4, kMostChannels = 64;

}  // namespace

bool plan_grid_sample(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const auto& a = reinterpret_cast<const opmux_op_grid_sample&>(d);
  const opmux_tdesc &x = d.in[0], &grid = d.in[1], &y = d.out[0];
  if (!check_operands(info, d, cap) || !check_apart(d, cap) || !check_doubles(info, cap)) return false;
  say_yes(info, d, cap);
  if (!plan) return true;
  const uint32_t dims = x.rank - 2;
  const int64_t channels = y.dim[1];
  const int64_t chunk = std::clamp<int64_t>(elements(y) / kLanes, kLeastChannels, kMostChannels);
  const int64_t chunks = (channels + chunk - 1) / chunk;
  StepMaker s("grid_sample");
  s.source().doubles = true;
  s.bind("x", d, 0);
  s.bind("grid", d, 1);
  s.bind("y", d, 2);
  s.type("sum", x.dtype == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32);
  s.set("mode", a.mode);
  s.set("beyond", a.outside);
  s.set("align", a.align_corners);
  s.set("dims", dims);
  int64_t lanes = y.dim[0] * chunks;
  for (uint32_t i = 0; i < 3; ++i) {
    const bool there = i + dims >= 3;
    const uint32_t axis = there ? i + dims - 1 : 0;  // of x and y
    s.set("in", there ? static_cast<uint64_t>(x.dim[axis]) : 1, i);
    s.set("out", there ? static_cast<uint64_t>(y.dim[axis]) : 1, i);
    if (there) s.set("gs", static_cast<uint64_t>(grid.stride[axis - 1]), 2 + i);
    if (there) lanes *= y.dim[axis];
  }
  s.set("gs", static_cast<uint64_t>(grid.stride[0]), 0);
  s.set("grid_step", static_cast<uint64_t>(grid.stride[grid.rank - 1]));
  set_window_strides(s, "xs", 0, x, x);
  set_window_strides(s, "ys", 0, y, y);
  s.set("all_channels", static_cast<uint64_t>(channels));
  s.set("chunk", static_cast<uint64_t>(chunk));
  s.set("channels", static_cast<uint64_t>(chunks));
  s.set("count", static_cast<uint64_t>(lanes));
  s.elements(info, static_cast<uint64_t>(lanes));
  plan->steps.push_back(s.take());
  return true;
}

}  // namespace opmux::gpu
