// SPDX-License-Identifier: Apache-2.0
// y = x taken along axis at the positions in index. Element moves are bit for bit.
#include "reference/ops/index.hpp"
#include "reference/ops/ops.hpp"

namespace opmux::reference {

void gather(Job& job) {
  const opmux_tdesc& x = job.in(0);
  const uint32_t axis = job.desc<opmux_op_gather>().axis;
  const std::vector<int64_t> chosen = read_index(job, "gather", x.dim[axis]);
  opmux_tdesc before = x, after = x;
  before.rank = axis;
  after.rank = x.rank - axis - 1;
  for (uint32_t i = 0; i < after.rank; ++i) {
    after.dim[i] = x.dim[axis + 1 + i];
    after.stride[i] = x.stride[axis + 1 + i];
  }
  const std::vector<int64_t> head = offsets_of(before), tail = offsets_of(after);
  std::vector<int64_t> source;
  source.reserve(head.size() * chosen.size() * tail.size());
  for (int64_t h : head)
    for (int64_t c : chosen)
      for (int64_t t : tail) source.push_back(h + c * x.stride[axis] + t);
  job.move(0, 0, source);
}

}  // namespace opmux::reference
