// SPDX-License-Identifier: Apache-2.0
#include "cpu/strided_copy.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "cpu/answer.hpp"
#include "cpu/parallel.hpp"
#include "cpu/tiles.hpp"

namespace opmux::cpu {
namespace {

constexpr int64_t kChunkBytes = 256 * 1024;    // of a contiguous copy, per item
constexpr int64_t kChunkElements = 32 * 1024;  // of a single strided row, per item
constexpr int64_t kMinPlane = 8;               // thinner planes are copied row by row

}  // namespace

void StridedCopy::plan(const opmux_tdesc& y, const opmux_tdesc& x) {
  bytes_ = element_bytes(y.dtype);
  loops_ = Loops(y);
  loops_.add(y);
  loops_.add(x);
  loops_.simplify(0);
  count_ = loops_.elements();
  if (count_ == 0) return;
  stream_ = 2 * count_ * bytes_ > kStreamBytes;
  move_ = find_move(bytes_);
  const uint32_t r = loops_.rank;
  if (r == 0 || (r == 1 && loops_.stride[0][0] == 1 && loops_.stride[1][0] == 1)) {
    kind_ = Kind::kBytes;
    items_ = static_cast<uint64_t>((count_ * bytes_ + kChunkBytes - 1) / kChunkBytes);
    return;
  }
  outer_ = r - 1;
  kind_ = Kind::kRows;
  // The plane of y's and x's own unit strides.
  for (uint32_t i = 0; i + 1 < r && loops_.stride[0][r - 1] == 1 && loops_.stride[1][r - 1] != 0; ++i) {
    if (loops_.stride[1][i] != 1 || loops_.dim[i] < kMinPlane || loops_.dim[r - 1] < kMinPlane) continue;
    for (uint32_t j = i; j + 2 < r; ++j) {
      std::swap(loops_.dim[j], loops_.dim[j + 1]);
      for (auto& s : loops_.stride) std::swap(s[j], s[j + 1]);
    }
    kind_ = Kind::kPlanes;
    outer_ = r - 2;
    transpose_ = find_transpose(bytes_);
    bands_ = (loops_.dim[outer_] + kTransposeTile - 1) / kTransposeTile;
    break;
  }
  items_ = static_cast<uint64_t>(kind_ == Kind::kPlanes ? bands_ : 1);
  for (uint32_t i = 0; i < outer_; ++i) items_ *= static_cast<uint64_t>(loops_.dim[i]);
  if (outer_ == 0 && kind_ == Kind::kRows)
    items_ = static_cast<uint64_t>((loops_.dim[0] + kChunkElements - 1) / kChunkElements);
  const double per_item = 0.2 * static_cast<double>(count_ * bytes_) / static_cast<double>(items_);
  grain_ = grain_for(items_, 3 + per_item);
}

void StridedCopy::rows(uint64_t begin, uint64_t end, char* y, const char* x) const {
  const int64_t n = loops_.dim[outer_], ys = loops_.stride[0][outer_], xs = loops_.stride[1][outer_];
  if (outer_ == 0) {
    const auto from = static_cast<int64_t>(begin) * kChunkElements;
    return move_(y + from * ys * bytes_, ys, x + from * xs * bytes_, xs,
                 std::min(static_cast<int64_t>(end) * kChunkElements, n) - from);
  }
  const uint32_t last = outer_ - 1;
  const auto run = static_cast<uint64_t>(loops_.dim[last]);
  for (uint64_t i = begin; i < end;) {
    const uint64_t in = i % run, some = std::min(run - in, end - i);
    int64_t yo = loops_.offset(0, outer_, i), xo = loops_.offset(1, outer_, i);
    for (uint64_t k = 0; k < some; ++k) {
      move_(y + yo * bytes_, ys, x + xo * bytes_, xs, n);
      yo += loops_.stride[0][last];
      xo += loops_.stride[1][last];
    }
    i += some;
  }
}

void StridedCopy::planes(uint64_t begin, uint64_t end, char* y, const char* x) const {
  for (uint64_t i = begin; i < end; ++i) {
    const auto bands = static_cast<uint64_t>(bands_);
    const int64_t r = static_cast<int64_t>(i % bands) * kTransposeTile;
    const int64_t yo = loops_.offset(0, outer_, i / bands) + r * loops_.stride[0][outer_];
    const int64_t xo = loops_.offset(1, outer_, i / bands) + r;
    transpose_(y + yo * bytes_, loops_.stride[0][outer_], x + xo * bytes_, loops_.stride[1][outer_ + 1],
               std::min(kTransposeTile, loops_.dim[outer_] - r), loops_.dim[outer_ + 1], stream_);
  }
  if (stream_) stream_fence();
}

void StridedCopy::run(const opmux_host_api* host, void* to, const void* from) const {
  auto* y = static_cast<char*>(to);
  const auto* x = static_cast<const char*>(from);
  const auto size = static_cast<size_t>(count_ * bytes_);
  switch (kind_) {
    case Kind::kEmpty:
      return;
    case Kind::kBytes:
      if (items_ == 1) return (void)std::memcpy(y, x, size);
      return parallel_for(host, items_, 4, [&](uint64_t begin, uint64_t end) {
        const size_t at = begin * kChunkBytes, n = std::min<size_t>(size, end * kChunkBytes) - at;
        if (!stream_) return (void)std::memcpy(y + at, x + at, n);
        stream_copy(y + at, x + at, n);
        stream_fence();
      });
    case Kind::kRows:
      return parallel_for(host, items_, grain_, [&](uint64_t b, uint64_t e) { rows(b, e, y, x); });
    case Kind::kPlanes:
      return parallel_for(host, items_, grain_, [&](uint64_t b, uint64_t e) { planes(b, e, y, x); });
  }
}

}  // namespace opmux::cpu
