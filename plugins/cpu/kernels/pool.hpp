// SPDX-License-Identifier: Apache-2.0
// Rows of pooling windows.
#ifndef OPMUX_CPU_KERNELS_POOL_HPP
#define OPMUX_CPU_KERNELS_POOL_HPP

#include <cstdint>

namespace opmux::cpu {

// How a window is gathered; a max keeps NaN.
enum class PoolFn : uint32_t { kMax, kSum, kSumAbs, kSumSquare };

// acc[i] = fn(acc[i], x[i]) for i < n.
template <class T>
void pool_row(PoolFn fn, const T* x, int64_t n, T* acc);

// out[o] = fn over k < taps of col[o * step + k * dilation], for o < n; kMax or kSum. One vector past the end
// of what that reads must be readable, twice as much for step 2.
template <class T>
void pool_taps(PoolFn fn, const T* col, int64_t taps, int64_t dilation, int64_t step, int64_t n, T* out);

}  // namespace opmux::cpu
#endif
