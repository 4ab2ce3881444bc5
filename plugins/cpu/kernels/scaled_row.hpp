// SPDX-License-Identifier: Apache-2.0
// Rows times a number.
#ifndef OPMUX_CPU_KERNELS_SCALED_ROW_HPP
#define OPMUX_CPU_KERNELS_SCALED_ROW_HPP

#include <cstdint>

namespace opmux::cpu {

// y[i] = w * x[i], or y[i] += w * x[i] (fused), for i < n.
template <class T>
void scale_row(const T* x, T w, int64_t n, T* y);
template <class T>
void add_scaled_row(const T* x, T w, int64_t n, T* y);

}  // namespace opmux::cpu
#endif
