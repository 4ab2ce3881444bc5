// SPDX-License-Identifier: Apache-2.0
// y = (x - mean) / sqrt(variance + epsilon) * scale + bias over the dims from `axis` on (layer), or
// x / sqrt(mean of x^2 + epsilon) * scale + bias (RMS). Two passes, population variance.
//
// Magnitudes: with a = mean of |x|, the mean errs in relation to a, so z = (x - mean) inverse errs in
// relation to
// (|x| + a) inverse, and the inverse, from differences that err so, in relation to 1 + a inverse.
#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

template <class R>
void normalise(Job& job) {
  const auto& d = job.desc<opmux_op_layer_norm>();
  const opmux_tdesc& x = job.in(0);
  const bool rms = d.kind == OPMUX_NORM_RMS;
  int64_t n = 1;
  for (uint32_t i = d.axis; i < x.rank; ++i) n *= x.dim[i];
  std::vector<R> y = job.read<R>(0), scale, bias, means, inverses;
  std::vector<double> size(y.size()), mean_size, inverse_size;
  if (job.has_in(1)) scale = job.read_as<R>(1, x);
  if (job.has_in(2)) bias = job.read_as<R>(2, x);
  const int64_t rows = count_of(x) == 0 ? 0 : count_of(x) / n;
  for (int64_t r = 0; r < rows; ++r) {
    R mean = 0, square = 0, sizes = 0;
    for (int64_t i = r * n; i < (r + 1) * n && !rms; ++i) {
      mean += y[size_t(i)];
      sizes += std::fabs(y[size_t(i)]);
    }
    mean /= R(n);
    sizes /= R(n);
    for (int64_t i = r * n; i < (r + 1) * n; ++i) square += (y[size_t(i)] - mean) * (y[size_t(i)] - mean);
    const R inverse = 1 / std::sqrt(square / R(n) + R(d.epsilon));
    for (int64_t i = r * n; i < (r + 1) * n; ++i) {
      R& v = y[size_t(i)];
      R m = (std::fabs(v) + sizes) * inverse;
      v = (v - mean) * inverse;
      m += std::fabs(v) * (1 + sizes * inverse);
      if (!scale.empty()) v *= scale[size_t(i)], m *= std::fabs(scale[size_t(i)]);
      if (!bias.empty()) v += bias[size_t(i)], m += std::fabs(bias[size_t(i)]);
      size[size_t(i)] = double(m);
    }
    mean_size.push_back(double(sizes));
    inverse_size.push_back(double(inverse * (1 + sizes * inverse)));
    means.push_back(mean);
    inverses.push_back(inverse);
  }
  // Statistics of no elements: 0 / 0.
  const auto statistic = [&](uint32_t o, std::vector<R>& v, std::vector<double>& m) {
    if (!job.has_out(o)) return;
    v.resize(size_t(count_of(job.out(o))), std::numeric_limits<R>::quiet_NaN());
    m.resize(v.size());
    job.write(o, v, m);
  };
  job.write(0, y, size);
  statistic(1, means, mean_size);
  statistic(2, inverses, inverse_size);
}

}  // namespace

void layer_norm(Job& job) {
  if (job.in(0).dtype == OPMUX_F64)
    normalise<long double>(job);
  else
    normalise<double>(job);
}

}  // namespace opmux::reference
