// SPDX-License-Identifier: Apache-2.0
// Inner loops of quantisation over contiguous f32.
#ifndef OPMUX_CPU_KERNELS_QUANTISE_HPP
#define OPMUX_CPU_KERNELS_QUANTISE_HPP

#include <cstddef>

namespace opmux::cpu {

struct QuantiseKernels {
  // Widens [*low, *high] by the values; a NaN makes both NaN, and they stay so.
  void (*range)(const float* x, size_t n, float* low, float* high);
  // y = x / scale, or round(x / scale) + zero. y may be x.
  void (*divide)(const float* x, float* y, size_t n, float scale);
  void (*divide_round)(const float* x, float* y, size_t n, float scale, float zero);
};
QuantiseKernels quantise_kernels();

}  // namespace opmux::cpu
#endif
