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

/* non_max_suppression: in: boxes [N, S, 4] as two opposite corners (y1, x1, y2, x2), or with center (x, y,
 * width, height); scores [N, C, S]; max_output, per image and class (below 0: none); iou_threshold (absent:
 * 0); score_threshold (absent: none). Of each class of each image, boxes are taken by falling score, of equal
 * ones the first; a box is dropped when intersection / union with one taken before is above iou_threshold,
 * when its score is not above score_threshold, or is NaN. Overlaps are computed in f64. out: selected, rows
 * of image, class and box, images and classes in order, -1 behind the last; count. More rows than selected
 * has are OPMUX_E_FAULT. ONNX NonMaxSuppression. */
#define OPMUX_OP_NON_MAX_SUPPRESSION 0x000a0004u
typedef struct opmux_op_non_max_suppression {
  opmux_opd o;
  uint32_t center;
  uint32_t reserved;
} opmux_op_non_max_suppression;

#define OPMUX_RESIZE_HALF_PIXEL 1u
#define OPMUX_RESIZE_HALF_PIXEL_SYMMETRIC 2u
#define OPMUX_RESIZE_PYTORCH_HALF_PIXEL 3u
#define OPMUX_RESIZE_ALIGN_CORNERS 4u
#define OPMUX_RESIZE_ASYMMETRIC 5u
#define OPMUX_RESIZE_TF_CROP_AND_RESIZE 6u

#define OPMUX_ROUND_PREFER_FLOOR 1u
#define OPMUX_ROUND_PREFER_CEIL 2u
#define OPMUX_ROUND_FLOOR 3u
#define OPMUX_ROUND_CEIL 4u

/* resize: in: x, scale [axes] (absent: extent of y / extent of x), roi (tf_crop_and_resize only: starts, then
 * ends of the axes, as fractions); out: y, whose extents off the axes are those of x. Positions are computed
 * in f64 by the formulas of ONNX Resize. nearest moves elements of any type bit for bit; linear and cubic are
 * for floats, axis by axis, the weights of a result divided by their sum. Beyond the ends lies the last
 * element, with exclude_outside nothing. antialias widens linear and cubic by 1 / scale where scale is below
 * 1. With tf_crop_and_resize a position outside of x gives extrapolation. Elements whose weight is 0 do not
 * count. OPMUX_E_FAULT: a scale outside of [1e-9, 1e9], or below half of extent of y / extent of x with
 * antialias; a roi outside of [-1e9, 1e9]. ONNX Resize, Upsample. */
#define OPMUX_OP_RESIZE 0x000a0005u
typedef struct opmux_op_resize {
  opmux_opd o;
  uint32_t mode;        /* OPMUX_INTERPOLATE_* */
  uint32_t coordinates; /* OPMUX_RESIZE_* */
  uint32_t rounding;    /* nearest only */
  uint32_t antialias;   /* not with nearest */
  uint32_t exclude_outside;
  float cubic;         /* coefficient of cubic */
  float extrapolation; /* with tf_crop_and_resize */
  uint32_t reserved;
  opmux_slice axes; /* rising */
} opmux_op_resize;

#ifdef __cplusplus
}
#endif
#endif
