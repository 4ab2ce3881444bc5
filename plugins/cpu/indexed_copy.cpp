// SPDX-License-Identifier: Apache-2.0
#include "cpu/indexed_copy.hpp"

#include <algorithm>
#include <cstring>

#include "cpu/answer.hpp"
#include "cpu/parallel.hpp"

namespace opmux::cpu {

void IndexedCopy::plan(const opmux_tdesc& y, uint32_t index_dtype, const int64_t* index_stride,
                       const int64_t* x_stride, const Coordinate& coordinate) {
  coordinate_ = coordinate;
  coordinate_.wide = index_dtype == OPMUX_I64;
  bytes_ = element_bytes(y.dtype);
  move_ = find_move(bytes_);
  loops_ = Loops(y);
  loops_.add(y);
  loops_.add_strides(index_stride);
  loops_.add_strides(x_stride);
  loops_.simplify(0);
  if (loops_.elements() == 0) return;
  outer_ = loops_.rank == 0 ? 0 : loops_.rank - 1;
  n_ = loops_.rank == 0 ? 1 : loops_.dim[outer_];
  rows_ = static_cast<uint64_t>(loops_.elements() / n_);
  const bool block = loops_.rank == 0 || loops_.stride[1][outer_] == 0;
  grain_ = grain_for(rows_, 10 + static_cast<double>(n_) * (block ? 0.1 * static_cast<double>(bytes_) : 2.0));
}

void IndexedCopy::elements(const Data& data, uint64_t r, int64_t yo, int64_t io, int64_t xo) const {
  const int64_t ys = loops_.stride[0][outer_], is = loops_.stride[1][outer_], xs = loops_.stride[2][outer_];
  const auto size = static_cast<size_t>(bytes_);
  for (int64_t c = 0; c < n_; ++c) {
    int64_t at;
    if (!coordinate_.locate(data.index, io + c * is, at)) {
      data.bad->note(r * static_cast<uint64_t>(n_) + static_cast<uint64_t>(c));
      continue;
    }
    const char* from = data.x + (xo + c * xs + at) * bytes_;
    char* to = data.y + (yo + c * ys) * bytes_;
    switch (size) {  // constant sizes, so that each is one load and one store
      case 4:
        std::memcpy(to, from, 4);
        break;
      case 8:
        std::memcpy(to, from, 8);
        break;
      case 2:
        std::memcpy(to, from, 2);
        break;
      default:
        *to = *from;
    }
  }
}

void IndexedCopy::row(const Data& data, uint64_t r) const {
  const int64_t yo = loops_.offset(0, outer_, r), io = loops_.offset(1, outer_, r),
                xo = loops_.offset(2, outer_, r);
  if (loops_.rank > 0 && loops_.stride[1][outer_] != 0) return elements(data, r, yo, io, xo);
  int64_t at;
  if (!coordinate_.locate(data.index, io, at)) return data.bad->note(r * static_cast<uint64_t>(n_));
  const int64_t ys = loops_.rank == 0 ? 1 : loops_.stride[0][outer_],
                xs = loops_.rank == 0 ? 1 : loops_.stride[2][outer_];
  move_(data.y + yo * bytes_, ys, data.x + (xo + at) * bytes_, xs, n_);
}

opmux_status IndexedCopy::run(const kit_call* call, opmux_err* err, const char* name) const {
  FirstFault bad;
  const Data data{static_cast<char*>(call->arg[2]), static_cast<const char*>(call->arg[0]),
                  static_cast<const char*>(call->arg[1]), &bad};
  parallel_for(call->host, rows_, grain_, [&](uint64_t begin, uint64_t end) {
    for (uint64_t r = begin; r < end; ++r) row(data, r);
  });
  if (!bad.any()) return OPMUX_OK;
  return coordinate_.fault(name, data.index, loops_.offset(1, loops_.rank, bad.position()), err);
}

}  // namespace opmux::cpu
