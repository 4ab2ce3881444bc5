/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/ops/pool by tools/codegen; do not edit. */
#ifndef OPMUX_OPS_POOL_GEN_H
#define OPMUX_OPS_POOL_GEN_H

#include "opmux/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OPMUX_POOL_MAX 1u
#define OPMUX_POOL_AVERAGE 2u
#define OPMUX_POOL_LP 3u

/* pool: over windows of the spatial dims of x [N, C, spatial]; padding never wins a max. in: x; out: y, index
 * (max only, may be absent: i64, flat index of the winner in x, row-major unless column_major). y extents are
 * the floor or ceil form (ceil: windows that start in the end padding are dropped). ONNX AveragePool,
 * GlobalAveragePool, GlobalLpPool, GlobalMaxPool, LpPool, MaxPool. */
#define OPMUX_OP_POOL 0x00070001u
typedef struct opmux_op_pool {
  opmux_opd o;
  uint32_t kind; /* OPMUX_POOL_* */
  uint32_t count_include_pad;
  uint32_t p; /* Lp only */
  uint32_t ceil_mode;
  uint32_t column_major;
  uint32_t reserved;
  opmux_slice kernel;
  opmux_slice stride;
  opmux_slice dilation;
  opmux_slice pad; /* begins, then ends */
} opmux_op_pool;

#define OPMUX_ROI_AVERAGE 1u
#define OPMUX_ROI_MAX 2u
#define OPMUX_ROI_MAX_BINS 3u

/* roi_align: in: x [N, C, H, W], roi [R, 4] (x1, y1, x2, y2), image [R], the image of each region; out: y [R,
 * C, height, width]. Corners are roi * spatial_scale, less 0.5 with half_pixel; without it a region is at
 * least 1 x 1. Each of the bins has samples x samples points (0: ceil(extent of a bin) along each dim),
 * interpolated between four elements; points beyond -1 or the extent give 0. average is their mean, 0 where
 * there are none; max the largest product of an element and its weight, a weight of 0 giving 0. max_bins
 * (ONNX MaxRoiPool): corners are rounded, halves away from 0, ends are inclusive, bin b of n takes floor(b *
 * extent / n) to ceil((b + 1) * extent / n) of the region and gives its largest element, 0 where it has none.
 * NaN is larger than all. Positions are computed in f64. OPMUX_E_FAULT: an image out of range, a corner that
 * is not finite or beyond 2^31, more than 2^20 points in a bin. ONNX MaxRoiPool, RoiAlign. */
#define OPMUX_OP_ROI_ALIGN 0x00070002u
typedef struct opmux_op_roi_align {
  opmux_opd o;
  uint32_t kind; /* OPMUX_ROI_* */
  uint32_t half_pixel;
  uint32_t samples;
  uint32_t height;
  uint32_t width;
  float spatial_scale;
} opmux_op_roi_align;

#ifdef __cplusplus
}
#endif
#endif
