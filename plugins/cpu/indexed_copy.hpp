// SPDX-License-Identifier: Apache-2.0
// y = x at coordinates that an index tensor holds: the common engine of gather, gather_elements and
// gather_nd.
#ifndef OPMUX_CPU_INDEXED_COPY_HPP
#define OPMUX_CPU_INDEXED_COPY_HPP

#include "cpu/coordinate.hpp"
#include "cpu/kernels/memory.hpp"
#include "cpu/loops.hpp"

namespace opmux::cpu {

class IndexedCopy {
 public:
  // index_stride, x_stride: steps along the dims of y, 0 where y's position does not count.
  void plan(const opmux_tdesc& y, uint32_t index_dtype, const int64_t* index_stride, const int64_t* x_stride,
            const Coordinate& coordinate);

  // Arguments in the order x, index, y. A number out of range is OPMUX_E_FAULT at operand 1; nothing is read
  // out of bounds.
  opmux_status run(const kit_call* call, opmux_err* err, const char* name) const;

 private:
  struct Data {
    char* y;
    const char *x, *index;
    FirstFault* bad;
  };
  void row(const Data& data, uint64_t r) const;
  void elements(const Data& data, uint64_t r, int64_t yo, int64_t io, int64_t xo) const;

  Loops loops_;  // 0: y, 1: index, 2: x
  Coordinate coordinate_;
  int64_t bytes_ = 1, n_ = 1;
  uint32_t outer_ = 0;
  uint64_t rows_ = 0, grain_ = 1;
  MoveFn move_ = nullptr;
};

}  // namespace opmux::cpu
#endif
