// SPDX-License-Identifier: Apache-2.0
// Each bag is a run of indices; its rows of the table are summed, averaged or compared column by column.
#include "reference/ops/index.hpp"
#include "reference/ops/join.hpp"
#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

std::vector<int64_t> read_offsets(Job& job, int64_t n) {
  std::vector<int64_t> offsets;
  for (uint64_t v : job.read<uint64_t>(2)) {
    const auto offset = int64_t(v), least = offsets.empty() ? 0 : offsets.back();
    if (offset < least || offset > n)
      fail(OPMUX_E_FAULT, 2, "embedding_bag: offset %lld at position %zu is outside [%lld, %lld]",
           static_cast<long long>(offset), offsets.size(), static_cast<long long>(least),
           static_cast<long long>(n));
    offsets.push_back(offset);
  }
  return offsets;
}

template <class R>
void bags(Job& job, const std::vector<int64_t>& offsets) {
  const uint32_t kind = job.desc<opmux_op_embedding_bag>().kind;
  const opmux_tdesc& table = job.in(0);
  const size_t columns = size_t(table.dim[1]);
  const std::vector<uint64_t> index = job.read<uint64_t>(1);
  const std::vector<R> rows = job.read<R>(0);
  const std::vector<R> weights = job.has_in(3) ? job.read<R>(3) : std::vector<R>(index.size(), R(1));
  std::vector<R> y;
  std::vector<double> magnitude;
  for (size_t b = 0; b + 1 < offsets.size(); ++b) {
    const int64_t count = offsets[b + 1] - offsets[b];
    const Join join = kind == OPMUX_BAG_MAX && count != 0 ? Join::kMax : Join::kSum;
    std::vector<R> sum(columns, neutral<R>(join, table.dtype));
    std::vector<double> size(columns);
    for (int64_t i = offsets[b]; i < offsets[b + 1]; ++i) {
      const int64_t row = position("embedding_bag", int64_t(index[size_t(i)]), table.dim[0], i);
      for (size_t c = 0; c < columns; ++c) {
        const R v = rows[size_t(row) * columns + c] * weights[size_t(i)];
        sum[c] = joined(join, table.dtype, sum[c], v);
        size[c] += std::fabs(double(v));
      }
    }
    const R divisor = kind == OPMUX_BAG_MEAN && count != 0 ? R(count) : R(1);
    for (size_t c = 0; c < columns; ++c) {
      y.push_back(sum[c] / divisor);
      magnitude.push_back(join == Join::kMax ? std::fabs(double(sum[c])) : size[c] / double(divisor));
    }
  }
  job.write(0, y, magnitude);
}

}  // namespace

void embedding_bag(Job& job) {
  const std::vector<int64_t> offsets = read_offsets(job, job.in(1).dim[0]);
  with_wide_type(job.in(0).dtype, [&]<class R>(R) {
    if constexpr (std::is_floating_point_v<R>) bags<R>(job, offsets);
  });
}

}  // namespace opmux::reference
