/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/ops/image by tools/codegen; do not edit. */
#ifndef OPMUX_OPS_IMAGE_GEN_H
#define OPMUX_OPS_IMAGE_GEN_H

#include "opmux/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OPMUX_PAD_CONSTANT 1u
#define OPMUX_PAD_REFLECT 2u
#define OPMUX_PAD_EDGE 3u
#define OPMUX_PAD_WRAP 4u

/* pad: in: x, value (rank 0, may be absent: 0; mode constant only); out: y. Negative pads crop. ONNX Pad. */
#define OPMUX_OP_PAD 0x000a0001u
typedef struct opmux_op_pad {
  opmux_opd o;
  uint32_t mode; /* OPMUX_PAD_* */
  uint32_t reserved;
  opmux_slice pad; /* rank begins, then rank ends */
} opmux_op_pad;

#define OPMUX_INTERPOLATE_NEAREST 1u
#define OPMUX_INTERPOLATE_LINEAR 2u
#define OPMUX_INTERPOLATE_CUBIC 3u

#define OPMUX_OUTSIDE_ZEROS 1u
#define OPMUX_OUTSIDE_BORDER 2u
#define OPMUX_OUTSIDE_REFLECTION 3u

/* grid_sample: in: x [N, C, spatial] with 1 to 3 spatial dims, grid [N, points, D], whose last dim has one
 * coordinate per spatial dim, the last spatial dim first: -1 and 1 are the borders of x, or with
 * align_corners the centres of its outermost elements. out: y [N, C, points]. Positions are computed in f64:
 * p = ((g + 1) * extent - 1) / 2, or (g + 1) / 2 * (extent - 1); nearest takes the even one of two. linear
 * uses 2 and cubic 4 elements per dim (Keys, coefficient -0.75). outside says what lies beyond x; reflection
 * is at the borders. Elements whose weight is 0 do not count. A position that is NaN, or that is infinite and
 * has to be reflected, gives NaN. ONNX GridSample. */
#define OPMUX_OP_GRID_SAMPLE 0x000a0002u
typedef struct opmux_op_grid_sample {
  opmux_opd o;
  uint32_t mode;    /* OPMUX_INTERPOLATE_* */
  uint32_t outside; /* OPMUX_OUTSIDE_* */
  uint32_t align_corners;
  uint32_t reserved;
} opmux_op_grid_sample;

/* col2im: in: x [N, C * product(kernel), blocks], whose columns are the patches that a convolution sees; out:
 * y [N, C, image], where each element is the sum of what all patches say about it. What falls on the padding
 * is dropped. ONNX Col2Im. */
#define OPMUX_OP_COL2IM 0x000a0003u
typedef struct opmux_op_col2im {
  opmux_opd o;
  opmux_slice image;    /* spatial extents of y, 1 to 3 */
  opmux_slice kernel;   /* one per spatial dim */
  opmux_slice stride;   /* one per spatial dim */
  opmux_slice dilation; /* one per spatial dim */
  opmux_slice pad;      /* begins, then ends */
} opmux_op_col2im;

#ifdef __cplusplus
}
#endif
#endif
