/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/ops/state by tools/codegen; do not edit. */
#ifndef OPMUX_OPS_STATE_GEN_H
#define OPMUX_OPS_STATE_GEN_H

#include "opmux/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* linear_attention: per batch and kv head, from state S [K, V], for t = 0 .. T - 1: S = exp(decay_t) S by
 * rows, if decay is there; u = v_t, with beta u = beta_t (v_t - S^T k_t); S = S + k_t u^T; y_t = scale S^T
 * q_t for each of the Hq / Hkv heads of q. in: 0 q [B, Hq, T, K], 1 k [B, Hkv, T, K], 2 v [B, Hkv, T, V], 3
 * past [B, Hkv, K, V] (may be absent: 0), 4 decay and 5 beta (may be absent; every dim that of [B, Hkv, T, K]
 * and [B, Hkv, T, 1], or 1). out: 0 y [B, Hq, T, V], 1 present, the state after the last step (may be absent,
 * may lie in the memory of past, has its type, else that of q). The state stays unrounded between steps, in
 * f32 for f16 and bf16. ONNX LinearAttention. */
#define OPMUX_OP_LINEAR_ATTENTION 0x00100001u
typedef struct opmux_op_linear_attention {
  opmux_opd o;
  float scale; /* 0: 1 / sqrt(K) */
  uint32_t reserved;
} opmux_op_linear_attention;

/* selective_scan: per batch and channel d, from state h [N], for t = 0 .. T - 1: h_n = exp(delta_t a_n) h_n +
 * delta_t b_tn x_t; y_t = sum_n c_tn h_n + skip x_t (Gu and Dao 2023). Channel d has the rows of b and c of
 * group d / (D / G). in: 0 x [B, T, D], 1 delta [B, T, D], 2 a [D, N], 3 b [B, T, G, N], 4 c [B, T, G, N], 5
 * skip [D] (may be absent: 0), 6 past [B, D, N] (may be absent: 0). out: 0 y [B, T, D], 1 present [B, D, N],
 * the state after the last step (may be absent, may lie in the memory of past). The state stays unrounded
 * between steps, in f32 for f16 and bf16. */
#define OPMUX_OP_SELECTIVE_SCAN 0x00100002u
typedef struct opmux_op_selective_scan {
  opmux_opd o;
} opmux_op_selective_scan;

#ifdef __cplusplus
}
#endif
#endif
