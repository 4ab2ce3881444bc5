// SPDX-License-Identifier: Apache-2.0
// y = exp(x - max) / sum of exp(x - max) along one axis, or its logarithm. A row of -infinity, and a row with
// +infinity or NaN, has NaN in it by that formula.
//
// Magnitudes: x - max errs by u |x - max|, which exp makes a relative error, and the sum of n terms by n u;
// the logarithm of that sum errs by as much in absolute terms, however small y is.
#include <limits>

#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

// Elements x[0], x[step], .. of one row, in place.
// What lets an exponential below the normal numbers of f32 count as 0: 4 u of it are 2^-126.
template <class R>
constexpr R kFlushed = 0;
template <>
constexpr double kFlushed<double> = 0x1p-104;

template <class R>
void row(R* x, double* magnitude, int64_t n, int64_t step, bool log) {
  R top = -std::numeric_limits<R>::infinity(), sum = 0;
  for (int64_t i = 0; i < n; ++i) top = kit::detail::maximum(top, x[i * step]);
  for (int64_t i = 0; i < n; ++i) sum += std::exp(x[i * step] - top);
  const R log_sum = std::log(sum);
  for (int64_t i = 0; i < n; ++i) {
    R& v = x[i * step];
    const R below = v - top;
    v = log ? below - log_sum : std::exp(below) / sum;
    const R size = v == 0 ? R(0) : v * (1 + std::fabs(below));
    magnitude[i * step] = double(log ? std::fabs(below) + log_sum + 1 : size + kFlushed<R>);
  }
}

}  // namespace

void softmax(Job& job) {
  const auto& d = job.desc<opmux_op_softmax>();
  const opmux_tdesc& x = job.in(0);
  int64_t step = 1, outer = 1;
  for (uint32_t i = 0; i < x.rank; ++i) (i < d.axis ? outer : step) *= i == d.axis ? 1 : x.dim[i];
  with_wide_type(x.dtype, [&]<class R>(R) {
    if constexpr (std::is_floating_point_v<R>) {
      const int64_t n = x.dim[d.axis];
      std::vector<R> y = job.read<R>(0);
      std::vector<double> magnitude(y.size());
      for (int64_t o = 0; o < outer && n != 0; ++o)
        for (int64_t i = 0; i < step; ++i)
          row(y.data() + o * n * step + i, magnitude.data() + o * n * step + i, n, step,
              d.kind == OPMUX_SOFTMAX_LOG);
      job.write(0, y, magnitude, x.dtype == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32);
    }
  });
}

}  // namespace opmux::reference
