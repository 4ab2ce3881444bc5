// SPDX-License-Identifier: Apache-2.0
// conv and conv_transpose descriptors in three spatial dims, missing leading ones of extent 1.
#ifndef OPMUX_CPU_CONV_SHAPE_HPP
#define OPMUX_CPU_CONV_SHAPE_HPP

#include <cstdint>

#include "cpu/epilogue.hpp"
#include "opmux/types.h"

namespace opmux::cpu {

struct ConvShape {
  uint32_t dims = 0;                       // spatial dims of the descriptor
  int64_t n = 0, group = 1, c = 0, m = 0;  // images; channels per group of x and of y
  int64_t in[3], out[3], kernel[3], stride[3], dilation[3], pad[3];  // pad: begins
  int64_t x_n, x_c, x[3];                                            // strides of x in elements
  int64_t w_0, w_1, w[3];                                            // strides of w

  int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  int64_t in_size() const { return in[0] * in[1] * in[2]; }
  int64_t out_size() const { return out[0] * out[1] * out[2]; }
};

// d: conv, deform_conv, or conv_transpose, whose w is [C, M / group, kernel].
ConvShape conv_shape(const opmux_opd& d);

// The output and the extra operands over [image, group], channel of the group, output position.
// own: inputs of the operator itself.
OutGrid conv_grid(const opmux_opd& d, const ConvShape& s, uint32_t own = 2);

// Joins the spatial dims of a strided tensor into one stride; 0 if they can't be.
int64_t joined_stride(const int64_t* dim, const int64_t* stride);

}  // namespace opmux::cpu
#endif
