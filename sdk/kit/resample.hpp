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

// One axis of a resize.
struct ResizeAxis {
  uint32_t coordinates;  // OPMUX_RESIZE_*
  int64_t in, out;       // extents of x and y
  double scale, start, end;

  // Where output `at` lies; ONNX Resize, coordinate_transformation_mode.
  double position(int64_t at) const {
    const double x = static_cast<double>(at), extent = static_cast<double>(in), resized = scale * extent;
    const double half_pixel = (x + 0.5) / scale - 0.5;
    switch (coordinates) {
      case OPMUX_RESIZE_ASYMMETRIC:
        return x / scale;
      case OPMUX_RESIZE_ALIGN_CORNERS:
        return resized == 1 ? 0 : x * (extent - 1) / (resized - 1);
      case OPMUX_RESIZE_PYTORCH_HALF_PIXEL:
        return resized == 1 ? -0.5 : half_pixel;
      case OPMUX_RESIZE_HALF_PIXEL_SYMMETRIC:
        return half_pixel + extent / 2 * (1 - static_cast<double>(out) / resized);
      case OPMUX_RESIZE_TF_CROP_AND_RESIZE: {
        const double length = (end - start) * (extent - 1);
        return start * (extent - 1) + (resized == 1 ? length / 2 : x * length / (resized - 1));
      }
      default:
        return half_pixel;
    }
  }
  // Does the output at position p take the extrapolation value?
  bool is_outside(double p) const {
    return coordinates == OPMUX_RESIZE_TF_CROP_AND_RESIZE && (p < 0 || p > static_cast<double>(in - 1));
  }
  int64_t nearest(uint32_t rounding, double p) const {
    const double i = rounding == OPMUX_ROUND_PREFER_FLOOR  ? std::ceil(p - 0.5)
                     : rounding == OPMUX_ROUND_PREFER_CEIL ? std::floor(p + 0.5)
                     : rounding == OPMUX_ROUND_FLOOR       ? std::floor(p)
                                                           : std::ceil(p);
    return static_cast<int64_t>(std::clamp(i, 0.0, static_cast<double>(in - 1)));
  }
};

// How linear and cubic weigh the elements around a position.
struct ResizeKernel {
  bool is_cubic, antialias, exclude_outside;
  double a;  // coefficient of cubic

  double shrink(double scale) const { return antialias ? std::min(scale, 1.0) : 1.0; }
  // From a position to where the weights end.
  double radius(double scale) const { return (is_cubic ? 2 : 1) / shrink(scale); }
  double weight(double distance, double scale) const {
    distance *= shrink(scale);
    return is_cubic ? cubic_weight(distance, a) : std::max(0.0, 1 - std::fabs(distance));
  }

  // add(element, weight) in rising order, each element once; weights add up to 1. Nothing where all are 0.
  template <class Add>
  void taps(const ResizeAxis& axis, double p, Add&& add) const {
    const double reach = radius(axis.scale), last = static_cast<double>(axis.in - 1);
    p = std::clamp(p, -reach - 2, last + reach + 2);  // beyond that nothing changes
    const double low = std::floor(p - reach), high = std::ceil(p + reach);
    double sum = 0;
    for (double i = low; i <= high; ++i)
      if (!exclude_outside || (i >= 0 && i <= last)) sum += weight(i - p, axis.scale);
    if (sum == 0) return;
    double at = -1, together = 0;
    for (double i = low; i <= high; ++i) {
      if (exclude_outside && (i < 0 || i > last)) continue;
      const double element = std::clamp(i, 0.0, last);
      if (element != at) {
        if (together != 0) add(static_cast<int64_t>(at), together / sum);
        together = 0;
        at = element;
      }
      together += weight(i - p, axis.scale);
    }
    if (together != 0) add(static_cast<int64_t>(at), together / sum);
  }
};

// Bounds of what comes at run time.
inline constexpr double kResizeLeast = 1e-9, kResizeMost = 1e9;

}  // namespace opmux::kit
