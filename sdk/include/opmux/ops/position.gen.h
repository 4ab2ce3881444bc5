/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/ops/position by tools/codegen; do not edit. */
#ifndef OPMUX_OPS_POSITION_GEN_H
#define OPMUX_OPS_POSITION_GEN_H

#include "opmux/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* rotary: Turns pairs (a, b) of elements of each head by an angle that depends on the token's position: (c a
 * - s b, s a + c b). in: x [B, H, S, D], cos and sin (of x's type, or f32 where x is narrower), positions [B,
 * S] (i32 or i64, may be absent); out: y like x. With positions the caches are [P, R] and row positions[b, s]
 * counts, which outside of [0, P) is OPMUX_E_FAULT; without them the caches are [B, S, R] and have the rows
 * in place. 2 R <= D: the pairs are (i, i + R), or (2 i, 2 i + 1) if interleaved, and elements from 2 R on
 * stay. Scaled forms (linear, NTK, YaRN) differ in the caches only. (Su et al. 2021, RoFormer) ONNX
 * RotaryEmbedding. */
#define OPMUX_OP_ROTARY 0x00120001u
typedef struct opmux_op_rotary {
  opmux_opd o;
  uint32_t interleaved;
  uint32_t reserved;
} opmux_op_rotary;

#ifdef __cplusplus
}
#endif
#endif
