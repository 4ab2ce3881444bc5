// SPDX-License-Identifier: Apache-2.0
// y = x / (bias + alpha / size * sum of x^2)^beta, the sum over the channels from c - floor((size - 1) / 2)
// to c + ceil((size - 1) / 2) that exist.
#include <algorithm>

#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

template <class R>
void normalise(Job& job) {
  const auto& d = job.desc<opmux_op_lrn>();
  const opmux_tdesc& x = job.in(0);
  const std::vector<R> in = job.read<R>(0);
  std::vector<R> y(in.size());
  std::vector<double> magnitude(in.size());
  int64_t plane = 1;
  for (uint32_t i = 2; i < x.rank; ++i) plane *= x.dim[i];
  const int64_t channels = x.dim[1], below = (int64_t{d.size} - 1) / 2, above = int64_t{d.size} / 2;
  for (int64_t n = 0; n < x.dim[0]; ++n)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t i = 0; i < plane; ++i) {
        R sum = 0;
        for (int64_t k = std::max<int64_t>(c - below, 0); k <= std::min(c + above, channels - 1); ++k) {
          const R v = in[size_t((n * channels + k) * plane + i)];
          sum += v * v;
        }
        const size_t at = size_t((n * channels + c) * plane + i);
        const R part = R(d.alpha) / R(d.size) * sum, base = R(d.bias) + part;
        y[at] = in[at] / std::pow(base, R(d.beta));
        // The base errs in relation to its terms, the power beta times as much and by its own logarithm.
        const R terms = (std::fabs(R(d.bias)) + std::fabs(part)) / std::fabs(base);
        const R grown = 1 + std::fabs(R(d.beta)) * (terms + std::fabs(std::log(std::fabs(base))));
        magnitude[at] = double(std::fabs(y[at]) * grown);
      }
  job.write(0, y, magnitude);
}

}  // namespace

void lrn(Job& job) {
  if (job.in(0).dtype == OPMUX_F64)
    normalise<long double>(job);
  else
    normalise<double>(job);
}

}  // namespace opmux::reference
