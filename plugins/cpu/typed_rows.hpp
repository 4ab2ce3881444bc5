// SPDX-License-Identifier: Apache-2.0
// Rows of float elements of any width as T (float or double), and back.
#ifndef OPMUX_CPU_TYPED_ROWS_HPP
#define OPMUX_CPU_TYPED_ROWS_HPP

#include <algorithm>
#include <type_traits>

#include "cpu/answer.hpp"
#include "cpu/tiles.hpp"

namespace opmux::cpu {

// Strides in elements; T is as wide as the elements at least when they are read.
template <class T>
class RowLoader {
 public:
  explicit RowLoader(uint32_t dtype)
      : direct_(std::is_same_v<T, float> == (lane_of(dtype) == Lane::kF32)),
        size_(element_bytes(dtype)),
        load_(find_load(dtype)) {}
  void operator()(T* to, const void* from, int64_t stride, int64_t n) const {
    if (direct_) return load_(to, from, stride, static_cast<size_t>(n));
    float narrow[kPart];
    for (int64_t i = 0; i < n; i += kPart) {
      const int64_t part = std::min(kPart, n - i);
      load_(narrow, static_cast<const char*>(from) + i * stride * size_, stride, static_cast<size_t>(part));
      for (int64_t j = 0; j < part; ++j) to[i + j] = static_cast<T>(narrow[j]);
    }
  }

 private:
  static constexpr int64_t kPart = 256;
  bool direct_;
  int64_t size_;
  LoadFn load_;
};

template <class T>
class RowStorer {
 public:
  explicit RowStorer(uint32_t dtype)
      : direct_(std::is_same_v<T, float> == (lane_of(dtype) == Lane::kF32)),
        size_(element_bytes(dtype)),
        store_(find_store(dtype)) {}
  void operator()(void* to, int64_t stride, const T* from, int64_t n) const {
    if (direct_) return store_(to, stride, from, static_cast<size_t>(n));
    float narrow[kPart];
    for (int64_t i = 0; i < n; i += kPart) {
      const int64_t part = std::min(kPart, n - i);
      for (int64_t j = 0; j < part; ++j) narrow[j] = static_cast<float>(from[i + j]);
      store_(static_cast<char*>(to) + i * stride * size_, stride, narrow, static_cast<size_t>(part));
    }
  }

 private:
  static constexpr int64_t kPart = 256;
  bool direct_;
  int64_t size_;
  StoreFn store_;
};

}  // namespace opmux::cpu
#endif
