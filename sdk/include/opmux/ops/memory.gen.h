/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/ops/memory by tools/codegen; do not edit. */
#ifndef OPMUX_OPS_MEMORY_GEN_H
#define OPMUX_OPS_MEMORY_GEN_H

#include "opmux/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* fill: every element of y becomes the rank-0 value. in: value; out: y (same dtype). ONNX ConstantOfShape. */
#define OPMUX_OP_FILL 0x00010001u
typedef struct opmux_op_fill {
  opmux_opd o;
} opmux_op_fill;

/* iota: y[i] = start + i * step. in: start, step (rank 0, dtype of y); out: y (rank 1). ONNX Range. */
#define OPMUX_OP_IOTA 0x00010002u
typedef struct opmux_op_iota {
  opmux_opd o;
} opmux_op_iota;

/* copy: y = x between any two views of equal shape and dtype. in: x; out: y. ONNX Identity, Transpose,
 * Concat, Expand, Slice, Tile. */
#define OPMUX_OP_COPY 0x00010004u
typedef struct opmux_op_copy {
  opmux_opd o;
} opmux_op_copy;

#ifdef __cplusplus
}
#endif
#endif
