/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/ops/normalise by tools/codegen; do not edit. */
#ifndef OPMUX_OPS_NORMALISE_GEN_H
#define OPMUX_OPS_NORMALISE_GEN_H

#include "opmux/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OPMUX_SOFTMAX_PLAIN 1u
#define OPMUX_SOFTMAX_LOG 2u

/* softmax: along one axis; a row of -inf gives NaN. in: x; out: y. Epilogue at output 0: value 0 is in f32
 * for f16 and bf16, which compute in f32, else in the dtype of x. ONNX LogSoftmax, Softmax. */
#define OPMUX_OP_SOFTMAX 0x00080001u
typedef struct opmux_op_softmax {
  opmux_opd o;
  uint32_t kind; /* OPMUX_SOFTMAX_* */
  uint32_t axis;
} opmux_op_softmax;

#define OPMUX_NORM_LAYER 1u /* (x - mean) / sqrt(variance + epsilon) */
#define OPMUX_NORM_RMS 2u   /* x / sqrt(mean(x^2) + epsilon) */

/* layer_norm: over the dims from axis on. in: x, scale (may be absent), bias (may be absent), both broadcast
 * to x; out: y, mean (f32, may be absent), inverse standard deviation (f32, may be absent), the last two with
 * extent 1 on normalised dims. ONNX LayerNormalization, RMSNormalization. */
#define OPMUX_OP_LAYER_NORM 0x00080002u
typedef struct opmux_op_layer_norm {
  opmux_opd o;
  uint32_t kind; /* OPMUX_NORM_* */
  uint32_t axis;
  float epsilon;
  uint32_t reserved;
} opmux_op_layer_norm;

/* group_norm: statistics over C / groups channels and all spatial dims of x [N, C, spatial]. in: x, scale
 * [C], bias [C] (each may be absent); out: y. Instance norm: groups = C. ONNX GroupNormalization,
 * InstanceNormalization. */
#define OPMUX_OP_GROUP_NORM 0x00080003u
typedef struct opmux_op_group_norm {
  opmux_opd o;
  uint32_t groups;
  float epsilon;
} opmux_op_group_norm;

/* lrn: y = x / (bias + alpha / size * sum of x^2 over `size` channels around)^beta, x [N, C, ..]; the window
 * of channel c goes from c - floor((size - 1) / 2) to c + ceil((size - 1) / 2). in: x; out: y. ONNX LRN. */
#define OPMUX_OP_LRN 0x00080004u
typedef struct opmux_op_lrn {
  opmux_opd o;
  uint32_t size;
  float alpha;
  float beta;
  float bias;
} opmux_op_lrn;

#ifdef __cplusplus
}
#endif
#endif
