// SPDX-License-Identifier: Apache-2.0
// Elements of index operands: i32 or i64.
#ifndef OPMUX_CPU_INDEX_VALUE_HPP
#define OPMUX_CPU_INDEX_VALUE_HPP

#include <cstdint>
#include <cstring>

#include "opmux/types.h"

namespace opmux::cpu {

// Element `at` of an i32 or i64 tensor whose element 0 is at p.
inline int64_t index_value(uint32_t dtype, const void* p, int64_t at) {
  if (dtype == OPMUX_I64) {
    int64_t v;
    std::memcpy(&v, static_cast<const char*>(p) + at * 8, sizeof v);
    return v;
  }
  int32_t v;
  std::memcpy(&v, static_cast<const char*>(p) + at * 4, sizeof v);
  return v;
}

}  // namespace opmux::cpu
#endif
