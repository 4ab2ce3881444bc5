// SPDX-License-Identifier: Apache-2.0
// c[.., i, j] = sum over k of a[.., i, k] b[.., k, j]. The sum is exact for 8-bit integers, else in the wide
// type, in the order of k, and rounded once to acc_dtype.
#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

// Dims of `matrix` with the leading dims of c.
opmux_tdesc with_batch_of(const opmux_tdesc& c, const opmux_tdesc& matrix) {
  opmux_tdesc t = c;
  t.dim[c.rank - 2] = matrix.dim[matrix.rank - 2];
  t.dim[c.rank - 1] = matrix.dim[matrix.rank - 1];
  return t;
}

template <class R>
void multiply(const R* a, const R* b, R* c, int64_t m, int64_t k, int64_t n) {
  for (int64_t i = 0; i < m; ++i)
    for (int64_t l = 0; l < k; ++l)
      for (int64_t j = 0; j < n; ++j) c[i * n + j] += a[i * k + l] * b[l * n + j];
}

template <class R>
std::vector<R> batched(const std::vector<R>& a, const std::vector<R>& b, const opmux_tdesc& c, int64_t k) {
  const int64_t m = c.dim[c.rank - 2], n = c.dim[c.rank - 1];
  std::vector<R> sums(size_t(count_of(c)), R(0));
  for (int64_t at = 0; m * n > 0 && at < int64_t(sums.size()) / (m * n); ++at)
    multiply(a.data() + at * m * k, b.data() + at * k * n, sums.data() + at * m * n, m, k, n);
  return sums;
}

}  // namespace

void matmul(Job& job) {
  const opmux_tdesc &a = job.in(0), &b = job.in(1), &c = job.out(0);
  const int64_t k = a.dim[a.rank - 1];
  with_wide_type(a.dtype, [&]<class R>(R) {
    const std::vector<R> left = job.read_as<R>(0, with_batch_of(c, a)),
                         right = job.read_as<R>(1, with_batch_of(c, b));
    std::vector<double> magnitude;
    if (job.wants_magnitude(0)) magnitude = batched(absolute(left), absolute(right), c, k);
    job.write(0, batched(left, right, c, k), magnitude, job.desc<opmux_op_matmul>().acc_dtype);
  });
}

}  // namespace opmux::reference
