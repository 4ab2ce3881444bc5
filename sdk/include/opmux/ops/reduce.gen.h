/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/ops/reduce by tools/codegen; do not edit. */
#ifndef OPMUX_OPS_REDUCE_GEN_H
#define OPMUX_OPS_REDUCE_GEN_H

#include "opmux/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Kinds of reduction. Of no elements: sum 0, prod 1, max -inf or lowest, min +inf or highest, any 0, all 1;
 * mean NaN; arg forms refuse. */
#define OPMUX_REDUCE_SUM 1u
#define OPMUX_REDUCE_PROD 2u
#define OPMUX_REDUCE_MEAN 3u
#define OPMUX_REDUCE_MAX 4u
#define OPMUX_REDUCE_MIN 5u
#define OPMUX_REDUCE_ARGMAX 6u
#define OPMUX_REDUCE_ARGMIN 7u
#define OPMUX_REDUCE_ANY 8u
#define OPMUX_REDUCE_ALL 9u
#define OPMUX_REDUCE_L1 10u
#define OPMUX_REDUCE_L2 11u
#define OPMUX_REDUCE_SUM_SQUARE 12u
#define OPMUX_REDUCE_LOG_SUM 13u
#define OPMUX_REDUCE_LOG_SUM_EXP 14u
#define OPMUX_REDUCE_VARIANCE 15u /* of the population, divided by the count */
#define OPMUX_REDUCE_ABSMAX 16u
#define OPMUX_REDUCE_FINITE_COUNT 17u

/* reduce: over the given axes; y has the rank of x and extent 1 on reduced axes. max/min propagate NaN. in:
 * x; out: y (dtype of x; arg forms i64 over one axis, first among equals unless select_last; any/all bool;
 * finite_count i64). f16 and bf16 accumulate in f32. */
#define OPMUX_OP_REDUCE 0x00040001u
typedef struct opmux_op_reduce {
  opmux_opd o;
  uint32_t kind; /* OPMUX_REDUCE_* */
  uint32_t select_last;
  opmux_slice axes; /* in list: sorted, unique, non-negative */
} opmux_op_reduce;

#define OPMUX_SCAN_SUM 1u
#define OPMUX_SCAN_PROD 2u
#define OPMUX_SCAN_MAX 3u
#define OPMUX_SCAN_MIN 4u

/* scan: y[i] is the sum (product, greatest, least) of x[0] to x[i] along one axis; exclusive: of those before
 * i, of none the neutral element as in reduce; reverse: from the other end. MIN and MAX propagate NaN. in: x;
 * out: y. f16 and bf16 accumulate in f32; integers wrap. ONNX CumProd, CumSum. */
#define OPMUX_OP_SCAN 0x00040002u
typedef struct opmux_op_scan {
  opmux_opd o;
  uint32_t kind; /* OPMUX_SCAN_* */
  uint32_t axis;
  uint32_t exclusive;
  uint32_t reverse;
} opmux_op_scan;

/* histogram: y[b] counts the elements of x with b = min(floor((x - low) * bins / (high - low)), bins - 1), in
 * f64, each operation rounded; elements below low, above high, and NaN are not counted. in: x, low, high
 * (finite, low < high, else OPMUX_E_FAULT); out: y (i64, [bins]). */
#define OPMUX_OP_HISTOGRAM 0x00040003u
typedef struct opmux_op_histogram {
  opmux_opd o;
  uint32_t bins;
  uint32_t reserved;
} opmux_op_histogram;

#ifdef __cplusplus
}
#endif
#endif
