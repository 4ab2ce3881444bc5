// SPDX-License-Identifier: Apache-2.0
// The last dim of index holds coordinates into the dims of x after batch_dims; each picks a slice of x. Bit
// for bit.
#include "reference/ops/index.hpp"
#include "reference/ops/ops.hpp"

namespace opmux::reference {

void gather_nd(Job& job) {
  const opmux_tdesc &x = job.in(0), &index = job.in(1);
  const uint32_t batch = job.desc<opmux_op_gather_nd>().batch_dims, last = index.rank - 1;
  const uint32_t n = uint32_t(index.dim[last]);
  const std::vector<uint64_t> coordinates = job.read<uint64_t>(1);
  opmux_tdesc slice{};
  for (uint32_t i = batch + n; i < x.rank; ++i) {
    slice.dim[slice.rank] = x.dim[i];
    slice.stride[slice.rank++] = x.stride[i];
  }
  // One step per tuple of coordinates; only batch dims move in x by themselves.
  opmux_tdesc tuples = index;
  tuples.rank = last;
  for (uint32_t i = 0; i < last; ++i) tuples.stride[i] = i < batch ? x.stride[i] : 0;
  const std::vector<int64_t> within = offsets_of(slice);
  std::vector<int64_t> source;
  int64_t at = 0;
  for (int64_t base : offsets_of(tuples)) {
    for (uint32_t i = 0; i < n; ++i, ++at)
      base +=
          position("gather_nd", int64_t(coordinates[size_t(at)]), x.dim[batch + i], at) * x.stride[batch + i];
    for (int64_t offset : within) source.push_back(base + offset);
  }
  job.move(0, 0, source);
}

}  // namespace opmux::reference
