// SPDX-License-Identifier: Apache-2.0
// Moving elements of 1, 2, 4 or 8 bytes; strides in elements, any sign.
#ifndef OPMUX_CPU_KERNELS_MEMORY_HPP
#define OPMUX_CPU_KERNELS_MEMORY_HPP

#include <cstddef>
#include <cstdint>

namespace opmux::cpu {

// y[i * y_step] = x[i * x_step].
using MoveFn = void (*)(void* y, int64_t y_step, const void* x, int64_t x_step, int64_t n);
MoveFn find_move(int64_t element_bytes);

// y[r * y_row + c] = x[c * x_row + r]: a tile transposed through L1 and vector registers. stream: past the
// caches, the caller ends with stream_fence().
using TransposeFn = void (*)(void* y, int64_t y_row, const void* x, int64_t x_row, int64_t rows, int64_t cols,
                             bool stream);
TransposeFn find_transpose(int64_t element_bytes);
constexpr int64_t kTransposeTile = 64;  // rows and cols of the tiles that the function works in

// y[i * step] = the element at x.
using FillFn = void (*)(void* y, int64_t step, const void* x, int64_t n);
FillFn find_fill(int64_t element_bytes);

}  // namespace opmux::cpu
#endif
