// SPDX-License-Identifier: Apache-2.0
// Kit: where a result of resampling lies in its source. Every backend that takes positions from here, in f64,
// decides between neighbours as all others do, so that nearest is exact and NaN comes from the same places.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "opmux/ops/image.gen.h"

namespace opmux::kit {

// Keys 1981, "Cubic convolution interpolation for digital image processing": the weight at distance d.
inline double cubic_weight(double d, double a) {
  d = std::fabs(d);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

// To nearest, halves to even, whatever the rounding mode.
inline double round_even(double x) {
  const double low = std::floor(x), part = x - low;
  if (part != 0.5) return part < 0.5 ? low : low + 1;
  return std::fmod(low, 2) == 0 ? low : low + 1;
}

// One axis of a grid_sample.
struct SampleAxis {
  uint32_t mode, outside;
  bool align_corners;
  int64_t extent;  // of x, at least 1

  // Mirrored at both borders, as often as it takes.
  double reflect(double p) const {
    const double low = align_corners ? 0 : -0.5, span = static_cast<double>(extent) - (align_corners ? 1 : 0);
    if (span <= 0) return std::isfinite(p) ? 0 : NAN;
    if (p >= low && p <= low + span) return p;
    const double far = std::fabs(p - low), turns = std::floor(far / span), rest = far - turns * span;
    return std::fmod(turns, 2) == 0 ? low + rest : low + span - rest;
  }

  // Position of coordinate g; NaN: no value.
  double position(double g) const {
    const double n = static_cast<double>(extent);
    double p = align_corners ? (g + 1) / 2 * (n - 1) : ((g + 1) * n - 1) / 2;
    if (mode == OPMUX_INTERPOLATE_NEAREST) p = round_even(p);
    if (std::isnan(p)) return p;
    if (outside == OPMUX_OUTSIDE_BORDER) {
      if (p < -0.5 || p > n - 0.5 || align_corners) return std::clamp(p, 0.0, n - 1);
      return p;
    }
    if (outside == OPMUX_OUTSIDE_REFLECTION) return reflect(p);
    return std::clamp(p, -4.0, n + 3);  // beyond that all is as far outside
  }

  // Element at whole position i, -1 if there is none.
  int64_t element(int64_t i) const {
    if (i >= 0 && i < extent) return i;
    if (outside == OPMUX_OUTSIDE_ZEROS) return -1;
    const double inside = outside == OPMUX_OUTSIDE_BORDER ? static_cast<double>(i)
                                                          : std::trunc(reflect(static_cast<double>(i)));
    return static_cast<int64_t>(std::clamp(inside, 0.0, static_cast<double>(extent - 1)));
  }

  // Elements and weights of a position that is no NaN; the count. Weights of 0 are left out.
  int taps(double p, int64_t* at, double* weight) const {
    const double low = std::floor(p), part = p - low;
    const auto base = static_cast<int64_t>(low);
    int n = 0;
    auto add = [&](int64_t i, double w) {
      const int64_t e = element(i);
      if (w == 0 || e < 0) return;
      at[n] = e;
      weight[n++] = w;
    };
    if (mode == OPMUX_INTERPOLATE_NEAREST) {
      add(static_cast<int64_t>(round_even(p)), 1);
    } else if (mode == OPMUX_INTERPOLATE_LINEAR) {
      add(base, 1 - part);
      add(base + 1, part);
    } else {
      for (int64_t i = -1; i <= 2; ++i) add(base + i, cubic_weight(part - static_cast<double>(i), -0.75));
    }
    return n;
  }
};

}  // namespace opmux::kit
