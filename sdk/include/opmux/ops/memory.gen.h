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

#define OPMUX_RANDOM_UNIFORM 1u
#define OPMUX_RANDOM_NORMAL 2u

/* random: Philox 4x32-10 (Salmon et al. 2011) with key = seed (low word first). Element k of y, row-major,
 * takes word k mod 4 of block offset + k / 4 where y has at most 32 bits, words 2 (k mod 2) and 2 (k mod 2) +
 * 1 (low first) of block offset + k / 2 where it has 64; a block is the 128-bit counter (block number, 0).
 * UNIFORM of floats: a + (b - a) u, u = the highest 53, 24, 11 or 8 bits (f64, f32, f16, bf16) as a fraction
 * in [0, 1). UNIFORM of integers: a + floor((b - a) w / 2^n) for the word w of n = 32 or 64 bits, a where b
 * <= a, so b is left out. NORMAL (floats only): a + b z with mean a and standard deviation b; words (v, w) of
 * elements 2 i and 2 i + 1 give z = m cos(2 pi q) and m sin(2 pi q), m = sqrt(-2 log((v + 1) / 2^n)), q = w /
 * 2^n (f64: of its 53 highest bits, n = 53). in: 0 seed, 1 offset, 2 a, 3 b; out: 0 y (dtype of a). */
#define OPMUX_OP_RANDOM 0x00010010u
typedef struct opmux_op_random {
  opmux_opd o;
  uint32_t kind; /* OPMUX_RANDOM_* */
  uint32_t reserved;
} opmux_op_random;

#ifdef __cplusplus
}
#endif
#endif
