/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/ops/sort by tools/codegen; do not edit. */
#ifndef OPMUX_OPS_SORT_GEN_H
#define OPMUX_OPS_SORT_GEN_H

#include "opmux/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* sort: along one axis, stable: equal elements keep their order, also when descending. NaN is above +inf and
 * equal to any NaN, -0 is equal to 0. in: x; out: y (the sorted elements, bit for bit), index (i64: where in
 * its row each came from, argsort); either may be absent. */
#define OPMUX_OP_SORT 0x000b0001u
typedef struct opmux_op_sort {
  opmux_opd o;
  uint32_t axis;
  uint32_t descending;
} opmux_op_sort;

/* top_k: along one axis, in the order of sort (largest: descending), so of equal elements those of the lowest
 * index come first; not sorted: the same k in the order of their indices. NaN is above +inf. in: x; out: y
 * (bit for bit), index (i64); either may be absent; both have the dims of x with extent k on axis. ONNX TopK.
 */
#define OPMUX_OP_TOP_K 0x000b0002u
typedef struct opmux_op_top_k {
  opmux_opd o;
  uint32_t axis;
  uint32_t k;
  uint32_t largest;
  uint32_t sorted;
} opmux_op_top_k;

/* non_zero: y[i, k] is coordinate i of the k-th element of x, row-major, that is not zero (NaN is not); there
 * are count of them, the rest of y is 0. in: x; out: y (i64, [rank of x, numel(x)]: room for the most), count
 * (i64). ONNX Compress, NonZero. */
#define OPMUX_OP_NON_ZERO 0x000b0003u
typedef struct opmux_op_non_zero {
  opmux_opd o;
} opmux_op_non_zero;

/* unique: the slices of x along axis that differ, compared element by element in row-major order (NaN equals
 * NaN and is above +inf, -0 equals 0). in: x; out, with n = x.dim[axis] and of each only the first count
 * entries, the rest is 0: y (dims of x), first (i64 [n]: the least position of each slice, which is the one
 * in y), inverse (i64 [n], whole: where in y each slice of x is), counts (i64 [n]: how often), count (i64). y
 * is sorted, or in the order of first. ONNX Unique. */
#define OPMUX_OP_UNIQUE 0x000b0004u
typedef struct opmux_op_unique {
  opmux_opd o;
  uint32_t axis;
  uint32_t sorted;
} opmux_op_unique;

#ifdef __cplusplus
}
#endif
#endif
