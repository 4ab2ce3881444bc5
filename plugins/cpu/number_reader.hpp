// SPDX-License-Identifier: Apache-2.0
// Single floating-point elements of any type, as double.
#ifndef OPMUX_CPU_NUMBER_READER_HPP
#define OPMUX_CPU_NUMBER_READER_HPP

#include <cstring>

#include "cpu/answer.hpp"
#include "cpu/tiles.hpp"

namespace opmux::cpu {

class NumberReader {
 public:
  explicit NumberReader(uint32_t dtype)
      : load_(find_load(dtype)), bytes_(element_bytes(dtype)), is_wide_(dtype == OPMUX_F64) {}
  // offset: in elements.
  double operator()(const void* base, int64_t offset) const {
    const char* at = static_cast<const char*>(base) + offset * bytes_;
    if (is_wide_) {
      double v;
      std::memcpy(&v, at, sizeof v);
      return v;
    }
    float v;
    load_(&v, at, 1, 1);
    return static_cast<double>(v);
  }

 private:
  LoadFn load_;
  int64_t bytes_;
  bool is_wide_;
};

}  // namespace opmux::cpu
#endif
