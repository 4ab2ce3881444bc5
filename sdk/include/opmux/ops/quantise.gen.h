/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/ops/quantise by tools/codegen; do not edit. */
#ifndef OPMUX_OPS_QUANTISE_GEN_H
#define OPMUX_OPS_QUANTISE_GEN_H

#include "opmux/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* dynamic_quantise: Groups are `block` successive elements of `axis` (0: all of them); the last may be
 * shorter. scale, zero: the dims of x with as many entries on that axis as it has groups. All steps are f32
 * divisions, subtractions and roundings to nearest even. Without zero (symmetric; y signed or float): scale =
 * max |x| / the greatest number of y, y = x / scale, rounded and saturated. With zero (integers q0..q1): lo =
 * min(x, 0), hi = max(x, 0), scale = (hi - lo) / (q1 - q0), zero = round(q0 - lo / scale), y = round(x /
 * scale) + zero, both saturated. A group of zeros, or of nothing, has scale 1. A NaN makes the scale of its
 * group NaN, its zero 0, its integers 0. ONNX DynamicQuantizeLinear. */
#define OPMUX_OP_DYNAMIC_QUANTISE 0x000c0001u
typedef struct opmux_op_dynamic_quantise {
  opmux_opd o;
  uint32_t axis;
  uint32_t block; /* elements of a group along axis; 0 is the whole axis */
  uint32_t dtype; /* of y: i8, u8, i4, u4, i2, u2, e4m3fn, e5m2, e4m3fnuz, e5m2fnuz, e2m1 */
  uint32_t reserved;
} opmux_op_dynamic_quantise;

#ifdef __cplusplus
}
#endif
#endif
