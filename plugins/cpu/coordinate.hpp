// SPDX-License-Identifier: Apache-2.0
// Coordinates that an index tensor holds: reading them within their range, and reporting those that are not.
#ifndef OPMUX_CPU_COORDINATE_HPP
#define OPMUX_CPU_COORDINATE_HPP

#include <atomic>
#include <cstring>

#include "kit/op.h"

namespace opmux::cpu {

// `count` numbers, `step` elements apart in index; number k walks its tensor by stride[k] below dim[k].
struct Coordinate {
  uint32_t count = 1;
  bool wide = false;  // index is i64, else i32
  int64_t step = 0, dim[OPMUX_MAX_RANK] = {}, stride[OPMUX_MAX_RANK] = {};

  int64_t number(const char* index, int64_t at) const {
    if (wide) {
      int64_t v;
      std::memcpy(&v, index + at * 8, sizeof v);
      return v;
    }
    int32_t v;
    std::memcpy(&v, index + at * 4, sizeof v);
    return v;
  }
  // False where a number is out of range.
  bool locate(const char* index, int64_t at, int64_t& offset) const {
    offset = 0;
    for (uint32_t k = 0; k < count; ++k) {
      int64_t v = number(index, at + k * step);
      if (v < 0) v += dim[k];
      if (v < 0 || v >= dim[k]) return false;
      offset += v * stride[k];
    }
    return true;
  }
  // The sentence for a coordinate that locate() refused.
  opmux_status fault(const char* name, const char* index, int64_t at, opmux_err* err) const {
    for (uint32_t k = 0; k < count; ++k) {
      const int64_t v = number(index, at + k * step);
      if (v >= -dim[k] && v < dim[k]) continue;
      return kit_fail(err, OPMUX_E_FAULT, 1, "%s: index %lld is outside [%lld, %lld]", name,
                      static_cast<long long>(v), static_cast<long long>(-dim[k]),
                      static_cast<long long>(dim[k] - 1));
    }
    return OPMUX_OK;
  }
};

// The least of the positions that any thread notes.
class FirstFault {
 public:
  void note(uint64_t position) {
    uint64_t seen = least_.load(std::memory_order_relaxed);
    while (position < seen && !least_.compare_exchange_weak(seen, position, std::memory_order_relaxed)) {
    }
  }
  bool any() const { return position() != UINT64_MAX; }
  uint64_t position() const { return least_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> least_{UINT64_MAX};
};

}  // namespace opmux::cpu
#endif
