/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/ops/conv by tools/codegen; do not edit. */
#ifndef OPMUX_OPS_CONV_GEN_H
#define OPMUX_OPS_CONV_GEN_H

#include "opmux/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* conv: cross-correlation, 1 to 3 spatial dims. in: x [N, C, spatial], w [M, C / group, kernel]; out: y [N,
 * M, spatial]; the dims are logical, NHWC is a matter of strides. Bias is an epilogue operand [M, 1..].
 * Epilogue at output 0: value 0 is the sum in acc_dtype. ONNX Conv, ConvInteger. */
#define OPMUX_OP_CONV 0x00060001u
typedef struct opmux_op_conv {
  opmux_opd o;
  uint32_t group;
  uint32_t acc_dtype;   /* as in matmul */
  opmux_slice stride;   /* one per spatial dim */
  opmux_slice dilation; /* one per spatial dim */
  opmux_slice pad;      /* begins, then ends */
} opmux_op_conv;

/* conv_transpose: the gradient of conv by its input. in: x [N, C, spatial], w [C, M / group, kernel]; out: y
 * [N, M, spatial], whose extents say the output padding: y = stride * (x - 1) + dilation * (k - 1) + 1 - pads
 * + rest, 0 <= rest < max(stride, dilation). Epilogue at output 0: value 0 is the sum in acc_dtype. ONNX
 * ConvTranspose. */
#define OPMUX_OP_CONV_TRANSPOSE 0x00060002u
typedef struct opmux_op_conv_transpose {
  opmux_opd o;
  uint32_t group;
  uint32_t acc_dtype;   /* as in matmul */
  opmux_slice stride;   /* one per spatial dim */
  opmux_slice dilation; /* one per spatial dim */
  opmux_slice pad;      /* begins, then ends */
} opmux_op_conv_transpose;

/* deform_conv: as conv in two dims, but each tap reads x between its elements, beyond which lies 0 (Zhu et
 * al. 2018). in: x [N, C, H, W], w [M, C / group, kernel], offset [N, offset_group * kernel * 2, spatial of
 * y] (y, then x, of each tap), mask [N, offset_group * kernel, spatial of y] (may be absent: 1), a factor of
 * what the tap reads; out: y [N, M, spatial]. Positions are computed in f64; elements whose weight is 0 do
 * not count, an offset that is NaN and a mask that is not finite read NaN. Epilogue at output 0: value 0 is
 * the sum in acc_dtype. ONNX DeformConv. */
#define OPMUX_OP_DEFORM_CONV 0x00060003u
typedef struct opmux_op_deform_conv {
  opmux_opd o;
  uint32_t group;
  uint32_t acc_dtype;   /* as in matmul */
  opmux_slice stride;   /* one per spatial dim */
  opmux_slice dilation; /* one per spatial dim */
  opmux_slice pad;      /* begins, then ends */
  uint32_t offset_group;
  uint32_t reserved;
} opmux_op_deform_conv;

#ifdef __cplusplus
}
#endif
#endif
