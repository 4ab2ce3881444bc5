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

#ifdef __cplusplus
}
#endif
#endif
