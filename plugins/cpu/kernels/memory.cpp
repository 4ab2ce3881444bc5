// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/memory.cpp"
#include "cpu/kernels/memory.hpp"

#include <algorithm>
#include <cstring>

#include "cpu/tiles.hpp"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
void fill(void* y, int64_t step, const void* x, int64_t n) {
  T v;
  std::memcpy(&v, x, sizeof v);
  T* p = static_cast<T*>(y);
  if (step == 1) {
    for (int64_t i = 0; i < n; ++i) p[i] = v;
  } else {
    for (int64_t i = 0; i < n; ++i, p += step) *p = v;
  }
}

template <class T>
void move(void* y, int64_t y_step, const void* x, int64_t x_step, int64_t n) {
  T* p = static_cast<T*>(y);
  const T* q = static_cast<const T*>(x);
  if (y_step == 1 && x_step == 1) return (void)std::memcpy(p, q, static_cast<size_t>(n) * sizeof(T));
  if (x_step == 0) return fill<T>(y, y_step, x, n);
  if (y_step == 1) {
    for (int64_t i = 0; i < n; ++i, q += x_step) p[i] = *q;
    return;
  }
  for (int64_t i = 0; i < n; ++i, p += y_step, q += x_step) *p = *q;
}

#if HWY_TARGET != HWY_SCALAR
// kN x kN elements, kN to a 128-bit vector: log2(kN) times, vector i is interleaved with vector i + kN / 2.
template <class T>
HWY_INLINE void block(T* y, int64_t y_row, const T* x, int64_t x_row) {
  constexpr size_t kN = 16 / sizeof(T);
  const hn::Full128<T> d;
  hn::Vec<decltype(d)> a[kN], b[kN];
  for (size_t i = 0; i < kN; ++i) a[i] = hn::LoadU(d, x + static_cast<int64_t>(i) * x_row);
  for (size_t stage = 1; stage < kN; stage *= 2) {
    for (size_t i = 0; i < kN / 2; ++i) {
      b[2 * i] = hn::InterleaveLower(d, a[i], a[i + kN / 2]);
      b[2 * i + 1] = hn::InterleaveUpper(d, a[i], a[i + kN / 2]);
    }
    for (size_t i = 0; i < kN; ++i) a[i] = b[i];
  }
  for (size_t i = 0; i < kN; ++i) hn::StoreU(a[i], d, y + static_cast<int64_t>(i) * y_row);
}
#endif

// A tile of at most kTransposeTile squared.
template <class T>
HWY_INLINE void tile(T* y, int64_t y_row, const T* x, int64_t x_row, int64_t rows, int64_t cols) {
  int64_t c = 0;
#if HWY_TARGET != HWY_SCALAR
  // Along the rows of x: their lines are read once even when rows are a power of two apart and share cache
  // sets.
  constexpr int64_t kN = 16 / sizeof(T);
  for (; c + kN <= cols; c += kN) {
    int64_t r = 0;
    for (; r + kN <= rows; r += kN) block(y + r * y_row + c, y_row, x + c * x_row + r, x_row);
    for (; r < rows; ++r)
      for (int64_t i = c; i < c + kN; ++i) y[r * y_row + i] = x[i * x_row + r];
  }
#endif
  for (; c < cols; ++c)
    for (int64_t r = 0; r < rows; ++r) y[r * y_row + c] = x[c * x_row + r];
}

// Through a scratch, so that the lines of y are written whole: rows of y that are a power of two apart would
// evict each other between the parts of a line.
template <class T>
void transpose(void* to, int64_t y_row, const void* from, int64_t x_row, int64_t rows, int64_t cols,
               bool stream) {
  constexpr int64_t kT = kTransposeTile;
  alignas(64) T scratch[kT * kT];
  T* y = static_cast<T*>(to);
  const T* x = static_cast<const T*>(from);
  for (int64_t r = 0; r < rows; r += kT) {
    const int64_t m = std::min(kT, rows - r);
    for (int64_t c = 0; c < cols; c += kT) {
      const int64_t n = std::min(kT, cols - c);
      if (m * n < 256) {
        tile(y + r * y_row + c, y_row, x + c * x_row + r, x_row, m, n);
        continue;
      }
      tile(scratch, kT, x + c * x_row + r, x_row, m, n);
      for (int64_t i = 0; i < m; ++i) {
        T* line = y + (r + i) * y_row + c;
        const size_t bytes = static_cast<size_t>(n) * sizeof(T);
        if (stream) {
          stream_copy(line, scratch + i * kT, bytes);
        } else {
          std::memcpy(line, scratch + i * kT, bytes);
        }
      }
    }
  }
}

}  // namespace

#define OPMUX_BY_WIDTH(Name, Fn, function) \
  Fn Name(int64_t bytes) {                 \
    switch (bytes) {                       \
      case 1:                              \
        return function<uint8_t>;          \
      case 2:                              \
        return function<uint16_t>;         \
      case 4:                              \
        return function<uint32_t>;         \
      case 8:                              \
        return function<uint64_t>;         \
      default:                             \
        return nullptr;                    \
    }                                      \
  }
OPMUX_BY_WIDTH(move_of, MoveFn, move)
OPMUX_BY_WIDTH(transpose_of, TransposeFn, transpose)
OPMUX_BY_WIDTH(fill_of, FillFn, fill)
#undef OPMUX_BY_WIDTH

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
HWY_EXPORT(move_of);
HWY_EXPORT(transpose_of);
HWY_EXPORT(fill_of);
MoveFn find_move(int64_t bytes) { return HWY_DYNAMIC_DISPATCH(move_of)(bytes); }
TransposeFn find_transpose(int64_t bytes) { return HWY_DYNAMIC_DISPATCH(transpose_of)(bytes); }
FillFn find_fill(int64_t bytes) { return HWY_DYNAMIC_DISPATCH(fill_of)(bytes); }
}  // namespace opmux::cpu
#endif
