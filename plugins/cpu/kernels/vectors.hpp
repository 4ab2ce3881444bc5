// SPDX-License-Identifier: Apache-2.0
// Steps of linear algebra on contiguous vectors; T is float or double. Each element's result is the same
// whatever n and its place; sums depend on n and the instruction set only.
#ifndef OPMUX_CPU_KERNELS_VECTORS_HPP
#define OPMUX_CPU_KERNELS_VECTORS_HPP

#include <cstdint>

namespace opmux::cpu {

template <class T>
struct VectorKernels {
  void (*axpy)(T a, const T* x, T* y, int64_t n);             // y += a x
  void (*scale_axpy)(T s, T a, const T* x, T* y, int64_t n);  // y = s y + a x
  void (*multiply)(const T* x, T* y, int64_t n);              // y *= x
  T (*dot)(const T* x, const T* y, int64_t n);
};
template <class T>
VectorKernels<T> vector_kernels();

}  // namespace opmux::cpu
#endif
