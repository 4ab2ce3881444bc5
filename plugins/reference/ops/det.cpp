// SPDX-License-Identifier: Apache-2.0
// Determinants by Gaussian elimination with row pivoting. The magnitude is Hadamard's bound, the product of
// the rows' lengths: rounding errors are small beside it, however close to singular the matrix is.
#include <algorithm>
#include <limits>

#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

// A product that can leave the range of R on its way.
template <class R>
class Product {
 public:
  void multiply(R factor) {
    int e = 0;
    mantissa_ = std::frexp(mantissa_ * factor, &e);
    exponent_ += e;
  }
  R value() const { return std::ldexp(mantissa_, int(std::clamp<int64_t>(exponent_, -100000, 100000))); }

 private:
  R mantissa_ = 1;
  int64_t exponent_ = 0;
};

template <class R>
R determinant(R* a, int64_t n) {
  for (int64_t i = 0; i < n * n; ++i)
    if (!std::isfinite(a[i])) return std::numeric_limits<R>::quiet_NaN();
  Product<R> product;
  for (int64_t k = 0; k < n; ++k) {
    int64_t pivot = k;
    for (int64_t i = k; i < n; ++i)
      if (std::fabs(a[i * n + k]) > std::fabs(a[pivot * n + k])) pivot = i;
    if (pivot != k) {
      std::swap_ranges(a + k * n, a + (k + 1) * n, a + pivot * n);
      product.multiply(R(-1));
    }
    const R top = a[k * n + k];
    product.multiply(top);
    for (int64_t i = k + 1; i < n && top != 0; ++i) {
      const R factor = a[i * n + k] / top;
      for (int64_t j = k + 1; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
    }
  }
  return product.value();
}

template <class R>
double hadamard(const R* a, int64_t n) {
  Product<R> bound;
  for (int64_t i = 0; i < n; ++i) {
    R sum = 0;
    for (int64_t j = 0; j < n; ++j) sum = std::hypot(sum, a[i * n + j]);
    bound.multiply(sum);
  }
  return double(bound.value());
}

template <class R>
void determinants(Job& job) {
  std::vector<R> x = job.read<R>(0);
  const int64_t n = job.in(0).dim[job.in(0).rank - 1];
  std::vector<R> y;
  std::vector<double> magnitude;
  for (int64_t i = 0; i < count_of(job.out(0)); ++i) {
    R* matrix = x.data() + i * n * n;
    magnitude.push_back(hadamard(matrix, n));
    y.push_back(determinant(matrix, n));
  }
  job.write(0, y, magnitude);
}

}  // namespace

void det(Job& job) {
  if (job.in(0).dtype == OPMUX_F64)
    determinants<long double>(job);
  else
    determinants<double>(job);
}

}  // namespace opmux::reference
