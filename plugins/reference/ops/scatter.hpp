// SPDX-License-Identifier: Apache-2.0
// What scatter_elements and scatter_nd share: updates that come one after another to places of y.
#pragma once

#include "reference/ops/index.hpp"
#include "reference/ops/join.hpp"

namespace opmux::reference {

inline Join join_of(uint32_t reduction) {
  constexpr Join kJoins[] = {Join::kSum, Join::kProduct, Join::kMin, Join::kMax};
  return kJoins[reduction - OPMUX_SCATTER_ADD];
}

// y = input 0; update k of input 2, row-major, goes to element place[k] of y, row-major.
inline void scatter(Job& job, uint32_t reduction, const std::vector<int64_t>& place) {
  if (reduction == OPMUX_SCATTER_SET) {
    std::vector<uint64_t> y = job.read_bits(0);
    const std::vector<uint64_t> updates = job.read_bits(2);
    for (size_t k = 0; k < place.size(); ++k) y[size_t(place[k])] = updates[k];
    job.write_bits(0, y);
    return;
  }
  const uint32_t dtype = job.in(0).dtype;
  with_wide_type(dtype, [&]<class R>(R) {
    std::vector<R> y = job.read<R>(0);
    const std::vector<R> updates = job.read<R>(2);
    std::vector<double> magnitude = absolute(y);
    for (size_t k = 0; k < place.size(); ++k) {
      const size_t at = size_t(place[k]);
      y[at] = joined(join_of(reduction), dtype, y[at], updates[k]);
      const double size = std::fabs(double(updates[k]));
      magnitude[at] = reduction == OPMUX_SCATTER_ADD ? magnitude[at] + size : std::fabs(double(y[at]));
    }
    job.write(0, y, magnitude);
  });
}

// Row-major steps of a tensor's dims.
inline std::array<int64_t, 8> row_major(const opmux_tdesc& t) {
  std::array<int64_t, 8> step{};
  int64_t n = 1;
  for (uint32_t i = t.rank; i-- > 0;) {
    step[i] = n;
    n *= t.dim[i];
  }
  return step;
}

}  // namespace opmux::reference
