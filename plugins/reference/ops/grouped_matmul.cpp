// SPDX-License-Identifier: Apache-2.0
// Each row of a times the matrix of its group; rows outside of all groups are 0.
#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

// offsets, checked.
std::vector<int64_t> read_offsets(const Job& job, int64_t rows) {
  std::vector<int64_t> out;
  for (uint64_t v : job.read<uint64_t>(2)) {
    const int64_t low = out.empty() ? 0 : out.back();
    if (int64_t(v) < low || int64_t(v) > rows)
      fail(OPMUX_E_FAULT, 2, "grouped_matmul: offset %lld at position %zu is outside [%lld, %lld]",
           static_cast<long long>(v), out.size(), static_cast<long long>(low), static_cast<long long>(rows));
    out.push_back(int64_t(v));
  }
  return out;
}

template <class R>
std::vector<R> products(const std::vector<R>& a, const std::vector<R>& b, const std::vector<int64_t>& offsets,
                        int64_t rows, int64_t k, int64_t n) {
  std::vector<R> sum(size_t(rows * n), R(0));
  for (int64_t g = 0; g + 1 < int64_t(offsets.size()); ++g)
    for (int64_t i = offsets[size_t(g)]; i < offsets[size_t(g + 1)]; ++i)
      for (int64_t l = 0; l < k; ++l)
        for (int64_t j = 0; j < n; ++j)
          sum[size_t(i * n + j)] += a[size_t(i * k + l)] * b[size_t((g * k + l) * n + j)];
  return sum;
}

}  // namespace

void grouped_matmul(Job& job) {
  const int64_t rows = job.in(0).dim[0], k = job.in(0).dim[1], n = job.in(1).dim[2];
  const std::vector<int64_t> offsets = read_offsets(job, rows);
  with_wide_type(job.in(0).dtype, [&]<class R>(R) {
    const std::vector<R> a = job.read<R>(0), b = job.read<R>(1);
    std::vector<double> magnitude;
    if (job.wants_magnitude(0)) magnitude = products(absolute(a), absolute(b), offsets, rows, k, n);
    job.write(0, products(a, b, offsets, rows, k, n), magnitude,
              job.desc<opmux_op_grouped_matmul>().acc_dtype);
  });
}

}  // namespace opmux::reference
