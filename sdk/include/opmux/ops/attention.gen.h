/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/ops/attention by tools/codegen; do not edit. */
#ifndef OPMUX_OPS_ATTENTION_GEN_H
#define OPMUX_OPS_ATTENTION_GEN_H

#include "opmux/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* attention: y = softmax(scale q k^T, capped, plus biases) v, per head; kv head = q head / (Hq / Hkv). in: 0
 * q [B, Hq, S, D], 1 k [B, Hkv, T, D], 2 v [B, Hkv, T, Dv], 3 mask (bool, true = seen, or float, added;
 * broadcasts to [B, Hq, S, keys]), 4 past_k [B, Hkv, C, D], 5 past_v [B, Hkv, C, Dv] (state of capacity C,
 * both or neither), 6 past_len (i64, rank 0, with past only), 7 slopes (f32 [Hq]), 8 q_len and 9 k_len (i32
 * or i64, [B]), 10 q_start and 11 k_start (i32 or i64, [N + 1], both or neither, B = 1), 12 blocks (bool,
 * broadcasts to [B, Hq, ceil(S / block_q), ceil(keys / block_k)]); from mask on they may be absent. out: 0 y
 * [B, Hq, S, Dv], 1 present_k, 2 present_v (with past only: alias of inputs 4 and 5), 3 lse [B, Hq, S] (f32,
 * may be absent): the logarithm of the sum of exp(score), by which results over parts of the keys merge. With
 * past: rows past_len .. past_len + T - 1 of the state are set to k, v, and keys 0 .. past_len + T - 1 are
 * attended to; past_len + T > C is OPMUX_E_FAULT. The key axis of masks with past is 1 or that of C, and its
 * first past_len + T columns count. With lengths (not with past): the first q_len[b] queries and k_len[b]
 * keys of batch b count. With starts (neither with past nor lengths): sequence n has queries q_start[n] ..
 * q_start[n + 1] - 1 and the keys likewise; masks are over all rows. Lengths outside of their axis and starts
 * that fall or lie outside are OPMUX_E_FAULT. Query i of a sequence stands at its key p = i + past_len, or i
 * + keys - queries with lengths or starts, else i. causal: it sees keys j <= p. window w >= 0: only keys j >=
 * p - w. slopes (ALiBi, Press et al. 2022): -slopes[h] |p - j| is added to the scores. blocks: it sees key j
 * only if blocks[.., i / block_q, j / block_k]. A query that sees no key or is of no sequence gives 0, and an
 * lse of -infinity. ONNX Attention. */
#define OPMUX_OP_ATTENTION 0x00090001u
typedef struct opmux_op_attention {
  opmux_opd o;
  uint32_t causal;
  int32_t window;   /* -1: none */
  float scale;      /* 0: 1 / sqrt(D) */
  float soft_cap;   /* s = cap * tanh(s / cap) before the biases, 0: none */
  uint32_t block_q; /* queries of a block, with blocks: at least 1 */
  uint32_t block_k; /* keys of a block, with blocks: at least 1 */
} opmux_op_attention;

/* paged_attention: attention, with causal, window, scale, soft_cap, slopes and lse as there, for N queries of
 * B sequences that lie one after another. in: 0 q [N, Hq, D], 1 k_pages [P, page, Hkv, D], 2 v_pages [P,
 * page, Hkv, Dv], 3 table (i32 or i64, [B, M]): key j of sequence b is row j % page of page table[b, j /
 * page], 4 k_len (i32 or i64, [B]): keys of each sequence, those of its queries included, 5 q_start (i32 or
 * i64, [B + 1]): sequence b has queries q_start[b] .. q_start[b + 1] - 1, and query i of them stands at key i
 * + k_len[b] - their number, 6 slopes (f32 [Hq]), 7 k_scale, 8 v_scale (f32, broadcast to [P, page, Hkv]):
 * what an element of the pages counts; the last three may be absent. out: 0 y [N, Hq, Dv], 1 lse [N, Hq]
 * (f32, may be absent). Lengths beyond M pages, starts that fall or lie outside of q, and pages in use
 * outside of [0, P) are OPMUX_E_FAULT; other entries of the table do not matter. (Kwon et al. 2023) */
#define OPMUX_OP_PAGED_ATTENTION 0x00090002u
typedef struct opmux_op_paged_attention {
  opmux_opd o;
  uint32_t causal;
  int32_t window; /* -1: none */
  float scale;    /* 0: 1 / sqrt(D) */
  float soft_cap; /* s = cap * tanh(s / cap), 0: none */
} opmux_op_paged_attention;

/* kv_append: Row x[n] becomes row slots[n] % page of page slots[n] / page; the last one of several for one
 * slot stays, and a slot of -1 is skipped. in: 0 pages [P, page, H, D], 1 x [N, H, D], 2 slots (i32 or i64,
 * [N]), 3 scale (f32, broadcasts to [P, page, H], may be absent). out: 0 pages (alias of input 0), 1 scale
 * (alias of input 3, which then is [P, page, H]; may be absent). What is stored is x / scale, divided in f32
 * and rounded to nearest, ties to even; i8 and e4m3fn saturate, and NaN is 0 in i8. With output 1 the scale
 * of each row that is written is found first: its greatest finite absolute value / 127 (i8) or / 448
 * (e4m3fn), and 1 for wider types. Where a scale is 0, 0 is stored. Slots outside of [-1, P page) are
 * OPMUX_E_FAULT. */
#define OPMUX_OP_KV_APPEND 0x00090003u
typedef struct opmux_op_kv_append {
  opmux_opd o;
} opmux_op_kv_append;

#ifdef __cplusplus
}
#endif
#endif
