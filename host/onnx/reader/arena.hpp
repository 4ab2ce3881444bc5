// SPDX-License-Identifier: Apache-2.0
// Memory of one tree of plain structures; freed as a whole.
#pragma once

#include <memory_resource>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>

#include "opmux/abi.h"

namespace opmux::onnx_reader {

class Arena {
 public:
  // Zeroed array; null when n is 0.
  template <class T>
  T* make(size_t n) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (n == 0) return nullptr;
    if (n > SIZE_MAX / sizeof(T)) throw std::bad_alloc();
    void* p = memory_.allocate(n * sizeof(T), alignof(T));
    return new (p) T[n]();
  }

 private:
  std::pmr::monotonic_buffer_resource memory_;
};

// Text that lives in a protobuf message.
inline opmux_str view(std::string_view s) { return {s.data(), s.size()}; }

}  // namespace opmux::onnx_reader
