// SPDX-License-Identifier: Apache-2.0
// Pooling over 1 to 3 spatial dims. ONNX MaxPool, AveragePool, LpPool.
//
// Corners: padding never wins a max and adds nothing to a sum. The divisor of an average counts the elements
// under the window, with count_include_pad also those of the padding, but never what lies beyond it
// (ceil_mode). A max takes the first of equals and NaN over everything. A window that hits no element
// (dilation can do that) gives the lowest value with index -1, and 0 as an average. column_major counts the
// spatial dims of one channel with the first one fastest, as ONNX Runtime does.
#include <limits>

#include "reference/ops/ops.hpp"
#include "reference/ops/window.hpp"

namespace opmux::reference {
namespace {

int64_t flat_index(const Window& win, int64_t plane, int64_t position, bool column_major) {
  if (!column_major) return plane * win.in_plane() + position;
  const int64_t i2 = position % win.in[2], i1 = position / win.in[2] % win.in[1],
                i0 = position / win.in[2] / win.in[1];
  return plane * win.in_plane() + i0 + win.in[0] * (i1 + win.in[1] * i2);
}

void pool_max(Job& job, const Window& win, int64_t planes) {
  const auto& d = job.desc<opmux_op_pool>();
  const uint32_t dtype = job.in(0).dtype;
  const std::vector<double> x = [&] {
    if (kit::is_float(dtype)) return job.read<double>(0);
    std::vector<double> small;  // 8-bit integers only
    for (uint64_t v : job.read<uint64_t>(0)) small.push_back(to_wide<double>(dtype, Scalar{.u = v}));
    return small;
  }();
  const double lowest = kit::is_float(dtype) ? -std::numeric_limits<double>::infinity()
                        : dtype == OPMUX_I8  ? -128
                                             : 0;
  std::vector<double> y(size_t(planes * win.out_plane()), lowest);
  std::vector<uint64_t> index(y.size(), ~uint64_t(0));
  for (int64_t p = 0; p < planes; ++p)
    win.taps([&](const int64_t* k, int64_t) {
      win.hits(k, [&](int64_t o, int64_t i) {
        const size_t to = size_t(p * win.out_plane() + o);
        const double v = x[size_t(p * win.in_plane() + i)];
        const bool first = index[to] == ~uint64_t(0);
        if (!first && !(v > y[to]) && !(std::isnan(v) && !std::isnan(y[to]))) return;
        if (!first && std::isnan(y[to])) return;
        y[to] = v;
        index[to] = uint64_t(flat_index(win, p, i, d.column_major != 0));
      });
    });
  job.write(0, y);
  if (job.has_out(1)) job.write(1, index);
}

// Taps of the window at output o of axis a that fall on the input or its padding.
int64_t covered(const Window& win, int a, int64_t o) {
  int64_t n = 0;
  for (int64_t k = 0; k < win.kernel[a]; ++k) {
    const int64_t i = win.at(a, o, k);
    n += i >= -win.begin[a] && i < win.in[a] + win.end[a];
  }
  return n;
}

template <class R>
void pool_sum(Job& job, const Window& win, int64_t planes) {
  const auto& d = job.desc<opmux_op_pool>();
  const bool average = d.kind == OPMUX_POOL_AVERAGE;
  const std::vector<R> x = job.read<R>(0);
  std::vector<R> y(size_t(planes * win.out_plane()), R(0)), size(y.size(), R(0));
  std::vector<int64_t> hit(size_t(win.out_plane()), 0);
  win.taps([&](const int64_t* k, int64_t) {
    win.hits(k, [&](int64_t o, int64_t i) {
      ++hit[size_t(o)];
      for (int64_t p = 0; p < planes; ++p) {
        const R v = x[size_t(p * win.in_plane() + i)];
        y[size_t(p * win.out_plane() + o)] += average ? v : std::pow(std::fabs(v), R(d.p));
        size[size_t(p * win.out_plane() + o)] += std::fabs(v);
      }
    });
  });
  std::vector<double> magnitude;
  for (size_t j = 0; j < y.size(); ++j) {
    const int64_t o = int64_t(j) % win.out_plane();
    int64_t n = hit[size_t(o)];
    if (d.count_include_pad)
      n = covered(win, 0, o / win.out[2] / win.out[1]) * covered(win, 1, o / win.out[2] % win.out[1]) *
          covered(win, 2, o % win.out[2]);
    if (average)
      y[j] = n == 0 ? R(0) : y[j] / R(n);
    else
      y[j] = std::pow(y[j], 1 / R(d.p));
    magnitude.push_back(average ? double(size[j] / R(n == 0 ? 1 : n)) : double(y[j]));
  }
  job.write(0, y, magnitude);
}

}  // namespace

void pool(Job& job) {
  const auto& d = job.desc<opmux_op_pool>();
  const opmux_tdesc &x = job.in(0), &y = job.out(0);
  const Window win(x, y, job.list(d.kernel), job.list(d.stride), job.list(d.dilation), job.list(d.pad));
  const int64_t planes = x.dim[0] * x.dim[1];
  if (d.kind == OPMUX_POOL_MAX)
    pool_max(job, win, planes);
  else if (x.dtype == OPMUX_F64)
    pool_sum<long double>(job, win, planes);
  else
    pool_sum<double>(job, win, planes);
}

}  // namespace opmux::reference
