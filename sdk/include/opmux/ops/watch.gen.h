/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/ops/watch by tools/codegen; do not edit. */
#ifndef OPMUX_OPS_WATCH_GEN_H
#define OPMUX_OPS_WATCH_GEN_H

#include "opmux/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tensor_stats: in: x; out: counts (i64 [3]: NaN, infinities, zeros) and y (f64 [5]: greatest absolute value,
 * least, greatest, mean and population variance, all of the finite elements; of none absmax 0, min +inf, max
 * -inf, the others NaN). */
#define OPMUX_OP_TENSOR_STATS 0x00110001u
typedef struct opmux_op_tensor_stats {
  opmux_opd o;
} opmux_op_tensor_stats;

#ifdef __cplusplus
}
#endif
#endif
