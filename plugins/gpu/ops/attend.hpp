// SPDX-License-Identifier: Apache-2.0
// What the host sides of attention and paged_attention share: the words of kernels/body/attend.h.
#pragma once

#include <fmt/format.h>

#include <cmath>

#include "gpu/ops/values.hpp"

namespace opmux::gpu {

inline constexpr int64_t kMostWidth =
    512;  // elements of q in shared memory, and shares of values in registers

// Widths of q and of values within the kernel's arrays.
inline bool check_widths(uint32_t q, int64_t width, uint32_t q_axis, uint32_t v, int64_t values,
                         opmux_cap& cap) {
  if (width < 1) return kit_no(&cap, OPMUX_WHY_DIM, q, q_axis, width, 1);
  if (width > kMostWidth) return kit_no(&cap, OPMUX_WHY_DIM, q, q_axis, width, kMostWidth);
  return values <= kMostWidth || kit_no(&cap, OPMUX_WHY_DIM, v, 3, values, kMostWidth);
}

template <class Desc>
void set_attend(StepMaker& s, const Desc& a, int64_t width, int64_t values) {
  s.set("width_q", static_cast<uint64_t>(width));
  s.set("value_width", static_cast<uint64_t>(values));
  // Columns of values that a lane sums: a power of two, for few texts.
  uint32_t share = 1;
  while (share * s.source().file->group < values) share *= 2;
  s.define("GK_SHARE", fmt::format("{}", share));
  s.set("causal", a.causal);
  s.set("window", static_cast<uint32_t>(a.window));
  set_real(s, "scale",
           a.scale == 0 ? 1 / std::sqrt(static_cast<double>(width)) : static_cast<double>(a.scale));
  set_real(s, "cap", static_cast<double>(a.soft_cap));
}

// The slopes of heads, and the logarithms of sums, on demand.
inline void bind_slopes(StepMaker& s, const opmux_opd& d, uint32_t arg) {
  const bool there = has_in(d, arg);
  s.set("sloped", there);
  if (!there) return s.unused("slopes", OPMUX_F32);
  s.bind("slopes", d, arg);
  s.set("slope_stride", static_cast<uint64_t>(d.in[arg].stride[0]));
}
inline void bind_lse(StepMaker& s, const opmux_opd& d, uint32_t o) {
  const bool there = has_out(d, o);
  s.set("with_lse", there);
  if (!there) return s.unused("lse", OPMUX_F32);
  s.bind("lse", d, d.n_in + o);
  for (uint32_t i = 0; i < d.out[o].rank; ++i) s.set("ls", static_cast<uint64_t>(d.out[o].stride[i]), i);
}

}  // namespace opmux::gpu
