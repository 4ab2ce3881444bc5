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

/* How an update joins the element that is there. */
#define OPMUX_SCATTER_SET 1u /* any type; the others need numbers */
#define OPMUX_SCATTER_ADD 2u
#define OPMUX_SCATTER_MUL 3u
#define OPMUX_SCATTER_MIN 4u
#define OPMUX_SCATTER_MAX 5u

/* scatter_elements: y = x, then for each position i of index in row-major order y[i.. with axis replaced by
 * index[i..]] takes in updates[i..]; so of several updates of one place the last is kept by SET. in: x, index
 * (no dim beyond that of x but on axis), updates (shape of index); out: y, which may be x itself. Negative
 * indices count from the end, out of range is OPMUX_E_FAULT. f16 and bf16 are reduced in f32 and rounded
 * once; integers wrap; MIN and MAX propagate NaN. ONNX Scatter, ScatterElements, TensorScatter. */
#define OPMUX_OP_SCATTER_ELEMENTS 0x00050005u
typedef struct opmux_op_scatter_elements {
  opmux_opd o;
  uint32_t axis;
  uint32_t reduction; /* OPMUX_SCATTER_* */
} opmux_op_scatter_elements;

/* scatter_nd: y = x, then for each tuple of coordinates in index (its last dim), in row-major order, the
 * slice of y there takes in that of updates; so of several updates of one place the last is kept by SET.
 * updates.dims = index.dims[:-1] + x.dims[index.dims[-1]:]. in: x, index, updates; out: y, which may be x
 * itself. Negative indices count from the end, out of range is OPMUX_E_FAULT. Numbers as in scatter_elements.
 * ONNX ScatterND. */
#define OPMUX_OP_SCATTER_ND 0x00050006u
typedef struct opmux_op_scatter_nd {
  opmux_opd o;
  uint32_t reduction; /* OPMUX_SCATTER_* */
  uint32_t reserved;
} opmux_op_scatter_nd;

#define OPMUX_SEGMENT_SUM 1u
#define OPMUX_SEGMENT_MEAN 2u
#define OPMUX_SEGMENT_MAX 3u
#define OPMUX_SEGMENT_MIN 4u
#define OPMUX_SEGMENT_PROD 5u
#define OPMUX_SEGMENT_SOFTMAX 6u /* floats only */

/* segment: ids[i] says to which of `segments` segments row i of x (along axis 0) belongs, in any order; y row
 * s is the sum (mean, greatest, least, product) of the rows of segment s, of none 0 (NaN, the least, the
 * greatest number, 1) as in reduce. SOFTMAX: y has the dims of x, and each column of a segment is exp(x -
 * max) over the sum of these. in: x, ids (0 to segments - 1, else OPMUX_E_FAULT); out: y. f16 and bf16 are
 * computed in f32 and rounded once; sums and products of integers wrap, means are truncated. MIN and MAX
 * propagate NaN. */
#define OPMUX_OP_SEGMENT 0x00050007u
typedef struct opmux_op_segment {
  opmux_opd o;
  uint32_t kind; /* OPMUX_SEGMENT_* */
  uint32_t segments;
} opmux_op_segment;

#define OPMUX_BAG_SUM 1u
#define OPMUX_BAG_MEAN 2u
#define OPMUX_BAG_MAX 3u

/* embedding_bag: bag b holds the rows index[offsets[b]] to index[offsets[b + 1] - 1] of table; y[b] is their
 * sum, each row first multiplied by its weight if there are any, their mean (the sum divided by their
 * number), or the greatest of each column; of no rows 0. in: table [rows, columns], index [n] (negative
 * counts from the end), offsets [bags + 1] (rising from 0 or more to n or less; out of range is
 * OPMUX_E_FAULT, as with index), weights [n] (not with MAX; may be absent); out: y [bags, columns]. f16 and
 * bf16 accumulate in f32. MAX propagates NaN. */
#define OPMUX_OP_EMBEDDING_BAG 0x00050008u
typedef struct opmux_op_embedding_bag {
  opmux_opd o;
  uint32_t kind; /* OPMUX_BAG_* */
  uint32_t reserved;
} opmux_op_embedding_bag;

#ifdef __cplusplus
}
#endif
#endif
