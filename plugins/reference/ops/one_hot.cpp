// SPDX-License-Identifier: Apache-2.0
// y = on where the coordinate along `axis` equals the index, off elsewhere. A negative index counts from the
// end; one that is out of range, or NaN, matches nowhere; a float index is truncated.
#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

// -1: matches nowhere.
int64_t hot_position(uint32_t dtype, Scalar index, int64_t depth) {
  if (kit::is_float(dtype)) {
    if (!(std::fabs(index.f) < 0x1p62)) return -1;
    index = kit::of_int(int64_t(index.f));
  }
  if (!kit::is_signed(dtype) && !kit::is_float(dtype)) return index.u < uint64_t(depth) ? index.i : -1;
  const int64_t i = index.i < 0 ? index.i + depth : index.i;
  return i >= 0 && i < depth ? i : -1;
}

}  // namespace

void one_hot(Job& job) {
  const opmux_tdesc &index = job.in(0), &y = job.out(0);
  const uint32_t axis = job.desc<opmux_op_one_hot>().axis;
  const int64_t depth = y.dim[axis], on = job.in(1).stride[0];
  // The walk over y has the coordinate along the axis as its operand 0 and the element of index as operand 1.
  std::array<int64_t, 8> along{}, element{};
  along[axis] = 1;
  for (uint32_t i = 0; i < y.rank; ++i)
    if (i != axis) element[i] = index.stride[i < axis ? i : i - 1];
  kit::Walk walk(y);
  walk.add_strides(along).add_strides(element);
  std::vector<int64_t> source;
  walk.each([&](const int64_t* offset) {
    const Scalar value = kit::load(index.dtype, job.in_data(0), offset[1]);
    source.push_back(hot_position(index.dtype, value, depth) == offset[0] ? on : 0);
  });
  job.move(0, 1, source);
}

}  // namespace opmux::reference
