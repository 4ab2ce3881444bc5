// SPDX-License-Identifier: Apache-2.0
// y[i..] = x[i.. with axis replaced by index[i..]], bit for bit.
#include "reference/ops/index.hpp"
#include "reference/ops/ops.hpp"

namespace opmux::reference {

void gather_elements(Job& job) {
  const opmux_tdesc &x = job.in(0), &index = job.in(1);
  const uint32_t axis = job.desc<opmux_op_gather_elements>().axis;
  const std::vector<int64_t> chosen = read_index(job, "gather_elements", x.dim[axis]);
  std::vector<int64_t> source;
  opmux_tdesc others = index;  // the dims of index with the steps of x, but none along the axis
  for (uint32_t i = 0; i < x.rank; ++i) others.stride[i] = i == axis ? 0 : x.stride[i];
  for (int64_t offset : offsets_of(others)) source.push_back(offset + chosen[source.size()] * x.stride[axis]);
  job.move(0, 0, source);
}

}  // namespace opmux::reference
