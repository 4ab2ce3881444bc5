// SPDX-License-Identifier: Apache-2.0
// y = x; y[i.. with axis replaced by index[i..]] takes in updates[i..], row-major. SET bit for bit.
#include "reference/ops/ops.hpp"
#include "reference/ops/scatter.hpp"

namespace opmux::reference {

void scatter_elements(Job& job) {
  const opmux_tdesc &x = job.in(0), &index = job.in(1);
  const auto& d = job.desc<opmux_op_scatter_elements>();
  const std::vector<int64_t> chosen = read_index(job, "scatter_elements", x.dim[d.axis]);
  const std::array<int64_t, 8> step = row_major(x);
  opmux_tdesc others = index;  // the dims of index with the steps of x, but none along the axis
  for (uint32_t i = 0; i < x.rank; ++i) others.stride[i] = i == d.axis ? 0 : step[i];
  std::vector<int64_t> place;
  for (int64_t offset : offsets_of(others)) place.push_back(offset + chosen[place.size()] * step[d.axis]);
  scatter(job, d.reduction, place);
}

}  // namespace opmux::reference
