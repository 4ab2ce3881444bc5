// SPDX-License-Identifier: Apache-2.0
// Elements of any type as 64-bit numbers (f64, i64 or u64), a block at a time, and back with one rounding;
// integers wrap.
#ifndef OPMUX_CPU_WIDE_HPP
#define OPMUX_CPU_WIDE_HPP

#include <cstddef>

#include "cpu/answer.hpp"
#include "cpu/tiles.hpp"

namespace opmux::cpu {

class Wide {
 public:
  static constexpr int64_t kBlock = 512;

  Wide() = default;
  explicit Wide(uint32_t dtype, uint32_t wide)
      : dtype_(wide),
        bytes_(element_bytes(dtype)),
        load_(find_load(dtype)),
        store_(find_store(dtype)),
        widen_(find_cast(dtype, wide, false)),
        narrow_(find_cast(wide, dtype, false)) {}
  explicit Wide(uint32_t dtype) : Wide(dtype, wide_of(dtype)) {}

  static uint32_t wide_of(uint32_t dtype) {
    const uint32_t cls = OPMUX_DTYPE_CLASS(dtype);
    return cls == OPMUX_CLASS_FLOAT ? OPMUX_F64 : cls == OPMUX_CLASS_SIGNED ? OPMUX_I64 : OPMUX_U64;
  }
  uint32_t dtype() const { return dtype_; }
  int64_t bytes() const { return bytes_; }  // of an element in memory

  // n <= kBlock elements from element `offset` of x on.
  void get(const void* x, int64_t offset, int64_t step, int64_t n, void* wide) const {
    alignas(64) std::byte lanes[kBlock * 8];
    load_(lanes, static_cast<const char*>(x) + offset * bytes_, step, static_cast<size_t>(n));
    widen_(wide, lanes, lanes, lanes, static_cast<size_t>(n));
  }
  void put(void* y, int64_t offset, int64_t step, int64_t n, const void* wide) const {
    alignas(64) std::byte lanes[kBlock * 8];
    narrow_(lanes, wide, wide, wide, static_cast<size_t>(n));
    store_(static_cast<char*>(y) + offset * bytes_, step, lanes, static_cast<size_t>(n));
  }

 private:
  uint32_t dtype_ = 0;
  int64_t bytes_ = 1;
  LoadFn load_ = nullptr;
  StoreFn store_ = nullptr;
  TileFn widen_ = nullptr, narrow_ = nullptr;
};

}  // namespace opmux::cpu
#endif
