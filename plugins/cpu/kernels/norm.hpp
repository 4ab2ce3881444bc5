// SPDX-License-Identifier: Apache-2.0
// Blocks of normalisation: sums over contiguous elements, and the elements made anew. Lanes are float or
// double.
#ifndef OPMUX_CPU_KERNELS_NORM_HPP
#define OPMUX_CPU_KERNELS_NORM_HPP

#include <cstdint>

namespace opmux::cpu {

// The mean in two parts, so that a mean far above the spread costs no accuracy.
template <class T>
struct NormScalars {
  T mean_high, mean_low, inverse;
};

// scale and bias: NULL none; `uniform`: one element serves all n.
template <class T>
struct NormBlock {
  const T* x;
  T* y;
  int64_t n;
  const T* scale;
  const T* bias;
  bool scale_uniform, bias_uniform;
};

float norm_sum(const float* x, int64_t n);
double norm_sum(const double* x, int64_t n);
// Sum of (x - mean)^2; *rest: sum of x - mean, by which a rounded mean can be corrected.
float norm_squares(const float* x, int64_t n, const NormScalars<float>& s, float* rest);
double norm_squares(const double* x, int64_t n, const NormScalars<double>& s, double* rest);
// y = (x - mean) * inverse * scale + bias.
void norm_write(const NormBlock<float>& b, const NormScalars<float>& s);
void norm_write(const NormBlock<double>& b, const NormScalars<double>& s);

}  // namespace opmux::cpu
#endif
