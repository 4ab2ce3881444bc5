// SPDX-License-Identifier: Apache-2.0
// Convolution whose taps are moved by a tensor. ONNX DeformConv; Zhu et al. 2018, "Deformable ConvNets v2".
#include <limits>

#include "reference/ops/ops.hpp"
#include "reference/ops/window.hpp"

namespace opmux::reference {
namespace {

// What a position of a plane holds, and the same of absolute values; 0 beyond the plane.
template <class R>
struct Sample {
  R value = 0;
  double magnitude = 0;
};
template <class R>
Sample<R> sample(const R* plane, int64_t height, int64_t width, double y, double x) {
  Sample<R> s;
  if (y <= -1 || y >= double(height) || x <= -1 || x >= double(width)) return s;
  const auto low_y = int64_t(std::floor(y)), low_x = int64_t(std::floor(x));
  for (int64_t i = low_y; i <= low_y + 1; ++i)
    for (int64_t j = low_x; j <= low_x + 1; ++j) {
      const double weight = (1 - std::fabs(y - double(i))) * (1 - std::fabs(x - double(j)));
      if (i < 0 || i >= height || j < 0 || j >= width || weight == 0) continue;
      s.value += R(weight) * plane[i * width + j];
      s.magnitude += double(std::fabs(R(weight) * plane[i * width + j]));
    }
  return s;
}

template <class R>
void convolve(Job& job) {
  const auto& d = job.desc<opmux_op_deform_conv>();
  const opmux_tdesc &x = job.in(0), &w = job.in(1), &y = job.out(0);
  const Window win(x, y, dims_of(w).subspan(2), job.list(d.stride), job.list(d.dilation), job.list(d.pad));
  const std::vector<R> image = job.read<R>(0), weight = job.read<R>(1), offset = job.read<R>(2);
  const std::vector<R> mask = job.has_in(3) ? job.read<R>(3) : std::vector<R>();
  const int64_t batch = x.dim[0], channels = x.dim[1], per_in = w.dim[1], per_out = y.dim[1] / d.group;
  const int64_t taps = win.kernel_plane(), points = win.out_plane(), per_offset = channels / d.offset_group;
  std::vector<R> result(size_t(count_of(y)));
  std::vector<double> magnitude(result.size());
  for (int64_t n = 0; n < batch; ++n)
    for (int64_t c = 0; c < channels; ++c)
      win.taps([&](const int64_t* k, int64_t tap) {
        const int64_t moved = (n * d.offset_group + c / per_offset) * taps + tap;
        for (int64_t point = 0; point < points; ++point) {
          const R factor = mask.empty() ? R(1) : mask[size_t(moved * points + point)];
          const double at_y = double(win.at(1, point / win.out[2], k[1])),
                       at_x = double(win.at(2, point % win.out[2], k[2]));
          const double y_moved = at_y + double(offset[size_t(2 * moved * points + point)]),
                       x_moved = at_x + double(offset[size_t((2 * moved + 1) * points + point)]);
          Sample<R> s;
          if (std::isnan(y_moved) || std::isnan(x_moved) || !std::isfinite(factor))
            s.value = std::numeric_limits<R>::quiet_NaN();
          else if (factor != 0)
            s = sample(image.data() + (n * channels + c) * win.in_plane(), win.in[1], win.in[2], y_moved,
                       x_moved);
          const int64_t group = c / per_in;
          for (int64_t m = group * per_out; m < (group + 1) * per_out; ++m) {
            const R v = weight[size_t((m * per_in + c % per_in) * taps + tap)];
            const auto to = size_t((n * y.dim[1] + m) * points + point);
            result[to] += v * factor * s.value;
            magnitude[to] += double(std::fabs(v * factor)) * s.magnitude;
          }
        }
      });
  job.write(0, result, magnitude, d.acc_dtype);
}

}  // namespace

void deform_conv(Job& job) {
  if (job.in(0).dtype == OPMUX_F64)
    convolve<long double>(job);
  else
    convolve<double>(job);
}

}  // namespace opmux::reference
