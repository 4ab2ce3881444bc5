// SPDX-License-Identifier: Apache-2.0
// y = x at coordinates that an index tensor holds: the common engine of gather, gather_elements and
// gather_nd.
#ifndef OPMUX_CPU_INDEXED_COPY_HPP
#define OPMUX_CPU_INDEXED_COPY_HPP

#include <atomic>

#include "cpu/kernels/memory.hpp"
#include "cpu/loops.hpp"
#include "kit/op.h"

namespace opmux::cpu {

class IndexedCopy {
 public:
  // A coordinate is `count` numbers, `step` elements apart in index; number k walks x by stride[k] below
  // dim[k].
  struct Coordinate {
    uint32_t count = 1;
    int64_t step = 0, dim[OPMUX_MAX_RANK] = {}, stride[OPMUX_MAX_RANK] = {};
  };

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
    std::atomic<uint64_t>* bad;  // least position with a number out of range
  };
  int64_t number(const char* index, int64_t at) const;
  bool locate(const char* index, int64_t at, int64_t& offset) const;
  void row(const Data& data, uint64_t r) const;
  void elements(const Data& data, uint64_t r, int64_t yo, int64_t io, int64_t xo) const;

  Loops loops_;  // 0: y, 1: index, 2: x
  Coordinate coordinate_;
  bool wide_ = false;  // i64
  int64_t bytes_ = 1, n_ = 1;
  uint32_t outer_ = 0;
  uint64_t rows_ = 0, grain_ = 1;
  MoveFn move_ = nullptr;
};

}  // namespace opmux::cpu
#endif
