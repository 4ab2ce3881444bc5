// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gpu/ops/ops.hpp"
#include "gpu/ops/window.hpp"

namespace opmux::gpu {
namespace {

constexpr int64_t kChannels = 4;  // GK_CHANNELS of the kernel

}  // namespace

bool plan_roi_align(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const auto& a = reinterpret_cast<const opmux_op_roi_align&>(d);
  const opmux_tdesc &x = d.in[0], &roi = d.in[1], &image = d.in[2], &y = d.out[0];
  if (!check_operands(info, d, cap) || !check_apart(d, cap) || !check_doubles(info, cap)) return false;
  say_yes(info, d, cap);
  if (!plan) return true;
  StepMaker s("roi_align");
  s.source().doubles = true;
  s.bind("x", d, 0);
  s.bind("roi", d, 1);
  s.bind("image", d, 2);
  s.bind("y", d, 3);
  s.type("sum", x.dtype == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32);
  s.set("kind", a.kind);
  s.set("half_pixel", a.half_pixel);
  s.set("samples", a.samples);
  s.set_float("scale", a.spatial_scale);
  s.set("in", static_cast<uint64_t>(x.dim[0]), 0);
  s.set("out", 1, 0);
  for (uint32_t i = 1; i < 3; ++i) {
    s.set("in", static_cast<uint64_t>(x.dim[1 + i]), i);
    s.set("out", static_cast<uint64_t>(y.dim[1 + i]), i);
  }
  set_window_strides(s, "xs", 0, x, x);
  set_window_strides(s, "ys", 0, y, y);
  for (uint32_t i = 0; i < 2; ++i) s.set("rs", static_cast<uint64_t>(roi.stride[i]), i);
  s.set("image_step", static_cast<uint64_t>(image.stride[0]));
  const int64_t chunks = (y.dim[1] + kChannels - 1) / kChannels;
  const auto count = static_cast<uint64_t>(y.dim[0] * chunks * y.dim[2] * y.dim[3]);
  s.set("regions", static_cast<uint64_t>(y.dim[0]));
  s.set("all_channels", static_cast<uint64_t>(y.dim[1]));
  s.set("channels", static_cast<uint64_t>(chunks));
  s.set("count", count);
  s.elements(info, std::max(count, static_cast<uint64_t>(y.dim[0])));
  plan->steps.push_back(s.take());
  plan->faulty_arg = 1;
  return true;
}

}  // namespace opmux::gpu
