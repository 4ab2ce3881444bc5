// SPDX-License-Identifier: Apache-2.0
// One stage of a Fourier transform by Stockham's method (Cochran et al. 1967), which sorts as it goes, on
// many interleaved transforms at once.
#ifndef OPMUX_CPU_KERNELS_DFT_HPP
#define OPMUX_CPU_KERNELS_DFT_HPP

#include <cstdint>

namespace opmux::cpu {

// With n1 = length / radix and rows of `row` elements: for p < n1, from rows a_k = x[p + n1 k] to rows
// y[radix p + j] = w^(j p) sum_k a_k exp(-2 pi i j k / radix), w = exp(-2 pi i / length).
template <class T>
struct DftStage {
  int64_t radix, length, row;
  const T* twiddle;        // [n1][radix - 1] pairs (cosine, -sine) of w^(j p), j >= 1
  const T *cosine, *sine;  // of 2 pi j / radix, j < radix
  const T *x_re, *x_im;
  T *y_re, *y_im;
};
template <class T>
using DftStageFn = void (*)(const DftStage<T>&);

constexpr int64_t kDftRadices[] = {4, 2, 3, 5, 7, 11, 13};
template <class T>
DftStageFn<T> dft_stage(int64_t radix);  // one of kDftRadices

}  // namespace opmux::cpu
#endif
