// SPDX-License-Identifier: Apache-2.0
// Cross-correlation over 1 to 3 spatial dims: y[n, m, o] = sum over c, k of x[n, c, o * stride + k * dilation
// - pad] w[m, c, k], with the channels of each group apart; rounded once to acc_dtype.
#include "reference/ops/ops.hpp"
#include "reference/ops/window.hpp"

namespace opmux::reference {
namespace {

template <class R>
std::vector<R> correlate(const std::vector<R>& x, const std::vector<R>& w, const Window& win, int64_t batch,
                         int64_t group, int64_t in_channels, int64_t out_channels) {
  const int64_t per_in = in_channels / group, per_out = out_channels / group;
  std::vector<R> y(size_t(batch * out_channels * win.out_plane()), R(0));
  for (int64_t n = 0; n < batch; ++n)
    for (int64_t m = 0; m < out_channels; ++m) {
      R* plane = y.data() + (n * out_channels + m) * win.out_plane();
      for (int64_t c = 0; c < per_in; ++c) {
        const R* from = x.data() + (n * in_channels + m / per_out * per_in + c) * win.in_plane();
        const R* weight = w.data() + (m * per_in + c) * win.kernel_plane();
        win.taps([&](const int64_t* k, int64_t tap) {
          const R value = weight[tap];
          const int64_t step = win.stride[2];
          win.rows(k, [&](int64_t o, int64_t i, int64_t n) {
            for (int64_t j = 0; j < n; ++j) plane[o + j] += from[i + j * step] * value;
          });
        });
      }
    }
  return y;
}

}  // namespace

void conv(Job& job) {
  const auto& d = job.desc<opmux_op_conv>();
  const opmux_tdesc &x = job.in(0), &w = job.in(1), &y = job.out(0);
  const Window win(x, y, dims_of(w).subspan(2), job.list(d.stride), job.list(d.dilation), job.list(d.pad));
  with_wide_type(x.dtype, [&]<class R>(R) {
    const std::vector<R> in = job.read<R>(0), weight = job.read<R>(1);
    std::vector<double> magnitude;
    if (job.wants_magnitude(0))
      magnitude = correlate(absolute(in), absolute(weight), win, x.dim[0], d.group, x.dim[1], y.dim[1]);
    job.write(0, correlate(in, weight, win, x.dim[0], d.group, x.dim[1], y.dim[1]), magnitude, d.acc_dtype);
  });
}

}  // namespace opmux::reference
