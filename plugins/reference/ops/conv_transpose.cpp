// SPDX-License-Identifier: Apache-2.0
// The gradient of conv by its input: x[n, c, i] w[c, m, k] is added to y[n, m, i * stride + k * dilation -
// pad], where that lies inside; rounded once to acc_dtype. ONNX ConvTranspose.
#include "reference/ops/ops.hpp"
#include "reference/ops/window.hpp"

namespace opmux::reference {
namespace {

// `win` is the window of the conv whose gradient this is: its input is our output.
template <class R>
std::vector<R> spread(const std::vector<R>& x, const std::vector<R>& w, const Window& win, int64_t batch,
                      int64_t group, int64_t in_channels, int64_t out_channels) {
  const int64_t per_in = in_channels / group, per_out = out_channels / group;
  std::vector<R> y(size_t(batch * out_channels * win.in_plane()), R(0));
  for (int64_t n = 0; n < batch; ++n)
    for (int64_t m = 0; m < out_channels; ++m) {
      R* plane = y.data() + (n * out_channels + m) * win.in_plane();
      for (int64_t c = m / per_out * per_in; c < (m / per_out + 1) * per_in; ++c) {
        const R* from = x.data() + (n * in_channels + c) * win.out_plane();
        const R* weight = w.data() + (c * per_out + m % per_out) * win.kernel_plane();
        win.taps([&](const int64_t* k, int64_t tap) {
          const R value = weight[tap];
          const int64_t step = win.stride[2];
          win.rows(k, [&](int64_t o, int64_t i, int64_t n) {
            for (int64_t j = 0; j < n; ++j) plane[i + j * step] += from[o + j] * value;
          });
        });
      }
    }
  return y;
}

}  // namespace

void conv_transpose(Job& job) {
  const auto& d = job.desc<opmux_op_conv_transpose>();
  const opmux_tdesc &x = job.in(0), &w = job.in(1), &y = job.out(0);
  const Window win(y, x, dims_of(w).subspan(2), job.list(d.stride), job.list(d.dilation), job.list(d.pad));
  with_wide_type(x.dtype, [&]<class R>(R) {
    const std::vector<R> in = job.read<R>(0), weight = job.read<R>(1);
    std::vector<double> magnitude;
    if (job.wants_magnitude(0))
      magnitude = spread(absolute(in), absolute(weight), win, x.dim[0], d.group, x.dim[1], y.dim[1]);
    job.write(0, spread(in, weight, win, x.dim[0], d.group, x.dim[1], y.dim[1]), magnitude, d.acc_dtype);
  });
}

}  // namespace opmux::reference
