// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution of one padded plane.
#ifndef OPMUX_CPU_KERNELS_DEPTHWISE_HPP
#define OPMUX_CPU_KERNELS_DEPTHWISE_HPP

#include "cpu/kernels/gemm.hpp"

namespace opmux::cpu {

// out[r * ldo + o] = steps(sum over taps of w[kh * kw + ..] x[(r * stride_h + kh * dilation_h) * ldx + o *
// stride_w + kw * dilation_w]). Rows of x may be read kDepthwiseSlack elements past the last that is needed.
struct DepthwisePlane {
  const float* x;
  int64_t ldx;
  const float* w;  // [kernel_h, kernel_w]
  int64_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int64_t rows, cols;
  float* out;
  int64_t ldo;
  uint32_t n_step;
  const GemmStep<float>* step;  // as if the plane were one row of columns r * cols + o
};
constexpr int64_t kDepthwiseSlack = 64;

void depthwise(const DepthwisePlane& p);

}  // namespace opmux::cpu
#endif
