/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/ops/attention by tools/codegen; do not edit. */
#ifndef OPMUX_OPS_ATTENTION_GEN_H
#define OPMUX_OPS_ATTENTION_GEN_H

#include "opmux/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* attention: y = softmax(scale q k^T, capped, masked) v, per head; kv head = q head / (Hq / Hkv). in: 0 q [B,
 * Hq, S, D], 1 k [B, Hkv, T, D], 2 v [B, Hkv, T, Dv], 3 mask (may be absent; bool, true = seen, or float,
 * added; broadcasts to [B, Hq, S, keys]), 4 past_k [B, Hkv, C, D], 5 past_v [B, Hkv, C, Dv] (state of
 * capacity C, both or neither), 6 past_len (i64, rank 0, with past only). out: 0 y [B, Hq, S, Dv], 1
 * present_k, 2 present_v (with past only: alias of inputs 4 and 5). With past: rows past_len .. past_len + T
 * - 1 of the state are set to k, v, and keys 0 .. past_len + T - 1 are attended to; past_len + T > C is
 * OPMUX_E_FAULT. The key axis of a mask with past is 1 or C, and its first past_len + T columns count.
 * causal: query i sees keys j <= i + past_len. window w >= 0: only keys j >= i + past_len - w. A query that
 * sees no key gives 0. ONNX Attention. */
#define OPMUX_OP_ATTENTION 0x00090001u
typedef struct opmux_op_attention {
  opmux_opd o;
  uint32_t causal;
  int32_t window; /* -1: none */
  float scale;    /* 0: 1 / sqrt(D) */
  float soft_cap; /* s = cap * tanh(s / cap) before the mask, 0: none */
} opmux_op_attention;

#ifdef __cplusplus
}
#endif
#endif
