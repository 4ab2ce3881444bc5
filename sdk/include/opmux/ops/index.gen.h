/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/ops/index by tools/codegen; do not edit. */
#ifndef OPMUX_OPS_INDEX_GEN_H
#define OPMUX_OPS_INDEX_GEN_H

#include "opmux/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* gather: y = x taken along axis; y.dims = x.dims[:axis] + index.dims + x.dims[axis+1:]. in: x, index (i32 or
 * i64, negative counts from the end, out of range is OPMUX_E_FAULT); out: y. ONNX Gather. */
#define OPMUX_OP_GATHER 0x00050001u
typedef struct opmux_op_gather {
  opmux_opd o;
  uint32_t axis;
  uint32_t reserved;
} opmux_op_gather;

/* gather_elements: y[i..] = x[i.. with axis replaced by index[i..]]. in: x, index (shape of y; no dim beyond
 * that of x but on axis); out: y. Negative indices count from the end, out of range is OPMUX_E_FAULT. ONNX
 * GatherElements. */
#define OPMUX_OP_GATHER_ELEMENTS 0x00050002u
typedef struct opmux_op_gather_elements {
  opmux_opd o;
  uint32_t axis;
  uint32_t reserved;
} opmux_op_gather_elements;

/* gather_nd: the last dim of index holds coordinates into the dims of x after batch_dims. y.dims =
 * index.dims[:-1] + x.dims[batch_dims + index.dims[-1]:]. in: x, index; out: y. Negative indices count from
 * the end, out of range is OPMUX_E_FAULT. ONNX GatherND. */
#define OPMUX_OP_GATHER_ND 0x00050003u
typedef struct opmux_op_gather_nd {
  opmux_opd o;
  uint32_t batch_dims;
  uint32_t reserved;
} opmux_op_gather_nd;

/* one_hot: y has one more axis than index; on where it equals the (wrapped) index, off elsewhere, also where
 * out of range. in: index (any integer or float), values (rank 1: off, on); out: y (dtype of values; its
 * extent on axis is the depth). ONNX OneHot. */
#define OPMUX_OP_ONE_HOT 0x00050004u
typedef struct opmux_op_one_hot {
  opmux_opd o;
  uint32_t axis; /* of y */
  uint32_t reserved;
} opmux_op_one_hot;

#ifdef __cplusplus
}
#endif
#endif
