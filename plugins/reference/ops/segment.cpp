// SPDX-License-Identifier: Apache-2.0
// Rows of x reduced by the segment that they belong to, or a softmax over the rows of each segment.
#include <limits>

#include "reference/ops/join.hpp"
#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

std::vector<size_t> read_ids(Job& job, int64_t segments) {
  std::vector<size_t> ids;
  for (uint64_t v : job.read<uint64_t>(1)) {
    const auto id = int64_t(v);
    if (id < 0 || id >= segments)
      fail(OPMUX_E_FAULT, 1, "segment: id %lld at position %zu is outside [0, %lld]",
           static_cast<long long>(id), ids.size(), static_cast<long long>(segments - 1));
    ids.push_back(size_t(id));
  }
  return ids;
}

// One column of one segment.
template <class R>
struct Cell {
  R value;
  double magnitude = 0;
  int64_t count = 0;
};

Join join_of(uint32_t kind) {
  constexpr Join kJoins[] = {Join::kSum, Join::kSum, Join::kMax, Join::kMin, Join::kProduct};
  return kJoins[kind - OPMUX_SEGMENT_SUM];
}

// The wrapped sum of integers divided by their number, truncated.
template <class R>
R mean_of(uint32_t dtype, R sum, int64_t count) {
  if constexpr (std::is_floating_point_v<R>) {
    return sum / R(count);
  } else {
    if (count == 0) return 0;
    return kit::is_signed(dtype) ? R(int64_t(sum) / count) : sum / R(count);
  }
}

template <class R>
void reduce_segments(Job& job, const std::vector<size_t>& ids) {
  const auto& d = job.desc<opmux_op_segment>();
  const uint32_t dtype = job.in(0).dtype;
  const Join join = join_of(d.kind);
  const std::vector<R> x = job.read<R>(0);
  int64_t columns = 1;
  for (uint32_t i = 1; i < job.in(0).rank; ++i) columns *= job.in(0).dim[i];
  std::vector<Cell<R>> cells(size_t(d.segments * columns), Cell<R>{neutral<R>(join, dtype)});
  for (size_t k = 0; k < x.size(); ++k) {
    Cell<R>& c = cells[ids[k / size_t(columns)] * size_t(columns) + k % size_t(columns)];
    c.value = joined(join, dtype, c.value, x[k]);
    c.magnitude = d.kind == OPMUX_SEGMENT_PROD ? underflow(c.magnitude, double(x[k]), double(c.value))
                                               : c.magnitude + std::fabs(double(x[k]));
    ++c.count;
  }
  std::vector<R> y;
  std::vector<double> magnitude;
  for (const Cell<R>& c : cells) {
    const bool mean = d.kind == OPMUX_SEGMENT_MEAN;
    y.push_back(mean ? mean_of(dtype, c.value, c.count) : c.value);
    const double size = std::fabs(double(y.back()));
    magnitude.push_back(mean                     ? c.magnitude / double(c.count)
                        : join == Join::kSum     ? c.magnitude
                        : join == Join::kProduct ? size + c.magnitude
                                                 : size);
  }
  job.write(0, y, magnitude);
}

template <class R>
void softmax_segments(Job& job, const std::vector<size_t>& ids) {
  const auto& d = job.desc<opmux_op_segment>();
  std::vector<R> x = job.read<R>(0);
  int64_t columns = 1;
  for (uint32_t i = 1; i < job.in(0).rank; ++i) columns *= job.in(0).dim[i];
  const auto cell = [&](size_t k) {
    return ids[k / size_t(columns)] * size_t(columns) + k % size_t(columns);
  };
  std::vector<R> top(size_t(d.segments * columns), -std::numeric_limits<R>::infinity()), sum(top.size(), 0);
  for (size_t k = 0; k < x.size(); ++k) top[cell(k)] = kit::detail::maximum(top[cell(k)], x[k]);
  for (size_t k = 0; k < x.size(); ++k) sum[cell(k)] += std::exp(x[k] - top[cell(k)]);
  // The difference is rounded before the exponential, which makes an error of u |difference| a relative one.
  std::vector<double> magnitude;
  for (size_t k = 0; k < x.size(); ++k) {
    const R below = x[k] - top[cell(k)];
    x[k] = std::exp(below) / sum[cell(k)];
    magnitude.push_back(x[k] == 0 ? 0 : double(x[k] * (1 - below)));
  }
  job.write(0, x, magnitude);
}

}  // namespace

void segment(Job& job) {
  const auto& d = job.desc<opmux_op_segment>();
  const std::vector<size_t> ids = read_ids(job, d.segments);
  with_wide_type(job.in(0).dtype, [&]<class R>(R) {
    if constexpr (std::is_floating_point_v<R>)
      if (d.kind == OPMUX_SEGMENT_SOFTMAX) return softmax_segments<R>(job, ids);
    reduce_segments<R>(job, ids);
  });
}

}  // namespace opmux::reference
