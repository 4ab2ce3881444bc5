// SPDX-License-Identifier: Apache-2.0
// y = x; the slice of y at each tuple of coordinates takes in that of updates, row-major. SET bit for bit.
#include "reference/ops/ops.hpp"
#include "reference/ops/scatter.hpp"

namespace opmux::reference {

void scatter_nd(Job& job) {
  const opmux_tdesc &x = job.in(0), &index = job.in(1);
  const uint32_t n = uint32_t(index.dim[index.rank - 1]);
  const std::vector<uint64_t> coordinates = job.read<uint64_t>(1);
  const std::array<int64_t, 8> step = row_major(x);
  int64_t slice = 1;
  for (uint32_t i = n; i < x.rank; ++i) slice *= x.dim[i];
  std::vector<int64_t> place;
  for (size_t at = 0; at < coordinates.size();) {
    int64_t base = 0;
    for (uint32_t i = 0; i < n; ++i, ++at)
      base += position("scatter_nd", int64_t(coordinates[at]), x.dim[i], int64_t(at)) * step[i];
    for (int64_t j = 0; j < slice; ++j) place.push_back(base + j);
  }
  scatter(job, job.desc<opmux_op_scatter_nd>().reduction, place);
}

}  // namespace opmux::reference
