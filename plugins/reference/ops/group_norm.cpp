// SPDX-License-Identifier: Apache-2.0
// y = (x - mean) / sqrt(variance + epsilon) * scale[c] + bias[c], with statistics over the channels of a
// group and all spatial dims of x [N, C, spatial]. Magnitudes as in layer_norm.
#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

template <class R>
void normalise(Job& job) {
  const auto& d = job.desc<opmux_op_group_norm>();
  const opmux_tdesc& x = job.in(0);
  std::vector<R> y = job.read<R>(0), scale, bias;
  std::vector<double> size(y.size());
  if (job.has_in(1)) scale = job.read<R>(1);
  if (job.has_in(2)) bias = job.read<R>(2);
  const int64_t channels = x.dim[1], groups = x.dim[0] * d.groups;
  const int64_t n = groups == 0 ? 0 : int64_t(y.size()) / groups,
                plane = y.empty() ? 1 : n * d.groups / channels;
  for (int64_t g = 0; n > 0 && g < groups; ++g) {
    R mean = 0, square = 0, sizes = 0;
    for (int64_t i = g * n; i < (g + 1) * n; ++i) {
      mean += y[size_t(i)];
      sizes += std::fabs(y[size_t(i)]);
    }
    mean /= R(n);
    sizes /= R(n);
    for (int64_t i = g * n; i < (g + 1) * n; ++i) square += (y[size_t(i)] - mean) * (y[size_t(i)] - mean);
    const R inverse = 1 / std::sqrt(square / R(n) + R(d.epsilon));
    for (int64_t i = g * n; i < (g + 1) * n; ++i) {
      const size_t c = size_t(i / plane % channels);
      R& v = y[size_t(i)];
      R m = (std::fabs(v) + sizes) * inverse;
      v = (v - mean) * inverse;
      m += std::fabs(v) * (1 + sizes * inverse);
      if (!scale.empty()) v *= scale[c], m *= std::fabs(scale[c]);
      if (!bias.empty()) v += bias[c], m += std::fabs(bias[c]);
      size[size_t(i)] = double(m);
    }
  }
  job.write(0, y, size);
}

}  // namespace

void group_norm(Job& job) {
  if (job.in(0).dtype == OPMUX_F64)
    normalise<long double>(job);
  else
    normalise<double>(job);
}

}  // namespace opmux::reference
