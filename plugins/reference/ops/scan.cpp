// SPDX-License-Identifier: Apache-2.0
// Running sums, products and extremes along one axis.
#include "reference/ops/join.hpp"
#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

Join join_of(uint32_t kind) {
  constexpr Join kJoins[] = {Join::kSum, Join::kProduct, Join::kMax, Join::kMin};
  return kJoins[kind - OPMUX_SCAN_SUM];
}

}  // namespace

void scan(Job& job) {
  const auto& d = job.desc<opmux_op_scan>();
  const opmux_tdesc& x = job.in(0);
  int64_t step = 1, outer = 1;
  for (uint32_t i = 0; i < x.rank; ++i) (i < d.axis ? outer : step) *= i == d.axis ? 1 : x.dim[i];
  const int64_t n = x.dim[d.axis];
  const Join join = join_of(d.kind);
  with_wide_type(x.dtype, [&]<class R>(R) {
    const std::vector<R> in = job.read<R>(0);
    std::vector<R> y(in.size());
    std::vector<double> magnitude(in.size());
    for (int64_t row = 0; row < outer * step && n != 0; ++row) {
      R sum = neutral<R>(join, x.dtype);
      double size = 0, lost = 0;
      for (int64_t i = 0; i < n; ++i) {
        const int64_t at = d.reverse ? n - 1 - i : i;
        const size_t k = size_t(row / step * n * step + at * step + row % step);
        const R before = sum;
        const double size_before = size;
        sum = joined(join, x.dtype, sum, in[k]);
        if (d.kind == OPMUX_SCAN_PROD) lost = underflow(lost, double(in[k]), double(sum));
        size = d.kind == OPMUX_SCAN_SUM ? size + std::fabs(double(in[k])) : std::fabs(double(sum)) + lost;
        y[k] = d.exclusive ? before : sum;
        magnitude[k] = d.exclusive ? size_before : size;
      }
    }
    job.write(0, y, magnitude);
  });
}

}  // namespace opmux::reference
