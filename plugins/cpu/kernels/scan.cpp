// SPDX-License-Identifier: Apache-2.0
// Plain loops: along a row each step waits for the one before, beside each other the compiler sees vectors.
#include "cpu/kernels/scan.hpp"

#include <limits>
#include <type_traits>

#include "opmux/ops/reduce.gen.h"

namespace opmux::cpu {
namespace {

// Ends of the range of an integer type, in 64 bits; infinities for floats.
template <class T>
T end_of_range(uint32_t dtype, bool greatest) {
  if constexpr (std::is_floating_point_v<T>) {
    const T end = std::numeric_limits<T>::infinity();
    return greatest ? end : -end;
  } else {
    const uint32_t bits = OPMUX_DTYPE_BITS(dtype);
    const uint64_t high = ~uint64_t{0} >> (std::is_signed_v<T> ? 65 - bits : 64 - bits);
    return static_cast<T>(greatest ? high : std::is_signed_v<T> ? ~high : 0);
  }
}

template <class T>
using Modular = std::conditional_t<std::is_floating_point_v<T>, T, uint64_t>;

struct Sum {
  template <class T>
  static T join(T a, T b) {
    return static_cast<T>(static_cast<Modular<T>>(a) + static_cast<Modular<T>>(b));
  }
  template <class T>
  static T start(uint32_t) {
    return 0;
  }
};
struct Product {
  template <class T>
  static T join(T a, T b) {
    return static_cast<T>(static_cast<Modular<T>>(a) * static_cast<Modular<T>>(b));
  }
  template <class T>
  static T start(uint32_t) {
    return 1;
  }
};
// Of equal elements the first stays; NaN wins.
struct Max {
  template <class T>
  static T join(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) return a < b || (b != b && a == a) ? b : a;
    return a < b ? b : a;
  }
  template <class T>
  static T start(uint32_t dtype) {
    return end_of_range<T>(dtype, false);
  }
};
struct Min {
  template <class T>
  static T join(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) return b < a || (b != b && a == a) ? b : a;
    return b < a ? b : a;
  }
  template <class T>
  static T start(uint32_t dtype) {
    return end_of_range<T>(dtype, true);
  }
};

template <class T, class F>
void along(void* v, size_t n, void* carry, bool exclusive) {
  T* x = static_cast<T*>(v);
  T sum = *static_cast<T*>(carry);
  for (size_t i = 0; i < n; ++i) {
    const T before = sum;
    sum = F::join(sum, x[i]);
    x[i] = exclusive ? before : sum;
  }
  *static_cast<T*>(carry) = sum;
}

template <class T, class F>
void beside(void* v, size_t n, void* carries, bool exclusive) {
  T *x = static_cast<T*>(v), *sum = static_cast<T*>(carries);
  if (exclusive) {
    for (size_t i = 0; i < n; ++i) {
      const T before = sum[i];
      sum[i] = F::join(before, x[i]);
      x[i] = before;
    }
  } else {
    for (size_t i = 0; i < n; ++i) x[i] = sum[i] = F::join(sum[i], x[i]);
  }
}

template <class T, class F>
void fold(const void* v, size_t n, void* carry) {
  const T* x = static_cast<const T*>(v);
  T sum = *static_cast<T*>(carry);
  for (size_t i = 0; i < n; ++i) sum = F::join(sum, x[i]);
  *static_cast<T*>(carry) = sum;
}

template <class T, class F>
void start(uint32_t dtype, void* carry) {
  *static_cast<T*>(carry) = F::template start<T>(dtype);
}

template <class T, class F>
constexpr ScanKernels kernels() {
  return {along<T, F>, beside<T, F>, fold<T, F>, start<T, F>};
}
template <class T>
constexpr ScanKernels kOf[] = {kernels<T, Sum>(), kernels<T, Product>(), kernels<T, Max>(),
                               kernels<T, Min>()};

}  // namespace

const ScanKernels& find_scan(uint32_t kind, Lane wide) {
  const uint32_t k = kind - OPMUX_SCAN_SUM;
  return wide == Lane::kF64 ? kOf<double>[k] : wide == Lane::kI64 ? kOf<int64_t>[k] : kOf<uint64_t>[k];
}

}  // namespace opmux::cpu
