// SPDX-License-Identifier: Apache-2.0
// The order of elements that the sort family shares: NaN is above +inf and equal to NaN, -0 equals 0.
#pragma once

#include <algorithm>
#include <numeric>

#include "reference/job.hpp"

namespace opmux::reference {

inline bool comes_before(uint32_t dtype, Scalar a, Scalar b) {
  if (kit::is_float(dtype)) return std::isnan(b.f) ? !std::isnan(a.f) : a.f < b.f;
  return kit::is_signed(dtype) ? a.i < b.i : a.u < b.u;
}

// Elements of input 0 as rows along an axis: element i of row r is at r.start + i * step.
struct Rows {
  Rows(const Job& job, uint32_t axis) : dtype(job.in(0).dtype), base(job.in_data(0)) {
    opmux_tdesc outer = job.in(0);
    n = outer.dim[axis];
    step = outer.stride[axis];
    outer.dim[axis] = 1;
    kit::Walk walk(outer);
    walk.add_strides(std::to_array(outer.stride));
    walk.each([&](const int64_t* offset) { start.push_back(offset[0]); });
  }
  Scalar at(size_t row, int64_t i) const { return kit::load(dtype, base, start[row] + i * step); }
  // Positions in a row, sorted by its elements.
  std::vector<int64_t> sorted(size_t row, bool descending) const {
    std::vector<int64_t> order(static_cast<size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      const Scalar x = at(row, descending ? b : a), y = at(row, descending ? a : b);
      return comes_before(dtype, x, y) || (a < b && !comes_before(dtype, y, x));
    });
    return order;
  }
  uint32_t dtype;
  const void* base;
  int64_t n, step;
  std::vector<int64_t> start;
};

// Writes outputs 0 (elements) and 1 (positions): `picked` has k positions for each row, one row after
// another.
inline void write_picked(Job& job, const Rows& rows, uint32_t axis, int64_t k,
                         const std::vector<int64_t>& picked) {
  opmux_tdesc y = job.in(0);
  y.dim[axis] = k;
  std::array<int64_t, 8> along{}, row{};  // steps of y through positions and through rows
  int64_t step = 1;
  for (uint32_t i = y.rank; i-- > 0;) {
    if (i == axis) {
      along[i] = 1;
    } else {
      row[i] = step;
      step *= y.dim[i];
    }
  }
  std::vector<int64_t> source;
  std::vector<uint64_t> index;
  kit::Walk walk(y);
  walk.add_strides(along).add_strides(row);
  walk.each([&](const int64_t* offset) {
    const int64_t at = picked[size_t(offset[1] * k + offset[0])];
    index.push_back(uint64_t(at));
    source.push_back(rows.start[size_t(offset[1])] + at * rows.step);
  });
  job.move(0, 0, source);
  job.write(1, index);
}

}  // namespace opmux::reference
