// SPDX-License-Identifier: Apache-2.0
// An image as the sum of its patches: y[n, c, o * stride + k * dilation - pad] += x[n, c, k, o]. ONNX Col2Im.
#include "reference/ops/ops.hpp"
#include "reference/ops/window.hpp"

namespace opmux::reference {
namespace {

template <class R>
void add_patches(Job& job, const Window& win, int64_t planes) {
  const std::vector<R> x = job.read<R>(0);
  std::vector<R> y(size_t(planes * win.in_plane()), R(0));
  std::vector<double> magnitude(y.size());
  for (int64_t p = 0; p < planes; ++p)
    win.taps([&](const int64_t* k, int64_t tap) {
      win.hits(k, [&](int64_t block, int64_t pixel) {
        const R v = x[size_t((p * win.kernel_plane() + tap) * win.out_plane() + block)];
        y[size_t(p * win.in_plane() + pixel)] += v;
        magnitude[size_t(p * win.in_plane() + pixel)] += double(std::fabs(v));
      });
    });
  job.write(0, y, magnitude);
}

}  // namespace

void col2im(Job& job) {
  const auto& d = job.desc<opmux_op_col2im>();
  const opmux_tdesc& y = job.out(0);
  const std::span<const int64_t> kernel = job.list(d.kernel), stride = job.list(d.stride),
                                 dilation = job.list(d.dilation), pad = job.list(d.pad);
  const uint32_t n = y.rank - 2;
  opmux_tdesc blocks = y;  // the image is the input of the window, the blocks are its output
  for (uint32_t i = 0; i < n; ++i)
    blocks.dim[2 + i] =
        (y.dim[2 + i] + pad[i] + pad[n + i] - dilation[i] * (kernel[i] - 1) - 1) / stride[i] + 1;
  const Window win(y, blocks, kernel, stride, dilation, pad);
  if (y.dtype == OPMUX_F64)
    add_patches<long double>(job, win, y.dim[0] * y.dim[1]);
  else
    add_patches<double>(job, win, y.dim[0] * y.dim[1]);
}

}  // namespace opmux::reference
