/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/ops/sampling by tools/codegen; do not edit. */
#ifndef OPMUX_OPS_SAMPLING_GEN_H
#define OPMUX_OPS_SAMPLING_GEN_H

#include "opmux/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* sample: each row of logits [B, V] by itself, in f64. 1. Each token of the row of history (others than 0 ..
 * V - 1 are left out) has its logit once divided by penalty if it is above 0, else multiplied. 2. Temperature
 * 0: the first of the greatest logits; the rest does not count. Else w = exp((logit - greatest) /
 * temperature), 1 for a logit that is the greatest infinity, 0 for NaN and -infinity; order: by falling
 * logit, then rising index. 3. top_k > 0: the first top_k in order stay. 4. top_p < 1: the shortest run from
 * the first in order stays whose sum of w reaches top_p times the sum of all that had stayed. 5. min_p > 0:
 * those with w >= min_p stay. 6. u from the word of 64 bits number `row` of the stream (seed, offset) of
 * operator random, as there for f64; the answer is the first by index whose running sum of w is above u times
 * the sum of all that stayed. Sums over all that stay go by rising index, the run of step 4 in order. in: 0
 * logits, 1 temperature, 2 top_k, 3 top_p, 4 min_p, 5 penalty, 6 seed, 7 offset, 8 history [B, H] (may be
 * absent); out: 0 token [B], 1 probability [B] of it among those that stayed (may be absent). OPMUX_E_FAULT:
 * a row without a number above -infinity, temperature or top_k below 0, top_p outside (0, 1], min_p outside
 * [0, 1], penalty not above 0, any of them NaN. */
#define OPMUX_OP_SAMPLE 0x000e0001u
typedef struct opmux_op_sample {
  opmux_opd o;
} opmux_op_sample;

/* speculative: speculative sampling (Leviathan, Kalman and Matias 2023; Chen et al. 2023), each row by
 * itself, in f64. Draft token i of G is accepted if u q_i[token] < p_i[token]; at the first that is not, one
 * token is drawn in its place from max(p_i - q_i, 0), or from p_i where that is nothing; if all are accepted,
 * one more is drawn from p_G. Weights need not add up to 1 in a draw: the answer is the first token, by
 * rising index, whose running sum is above u times the sum, of weights above 0 only. u number j of row b:
 * word of 64 bits number b (2 G + 2) + j of the stream (seed, offset) of operator random, as there for f64; j
 * = i for the decisions, G + 1 + i for the draw. in: 0 draft [B, G], 1 q [B, G, V], 2 p [B, G + 1, V], 3
 * seed, 4 offset; out: 0 token [B, G + 1], the accepted ones, the drawn one, then -1, 1 count [B], tokens
 * that are not -1. OPMUX_E_FAULT: a draft token outside [0, V - 1], or weights to draw from without one above
 * 0 (NaN counts as 0). */
#define OPMUX_OP_SPECULATIVE 0x000e0002u
typedef struct opmux_op_speculative {
  opmux_opd o;
} opmux_op_speculative;

#ifdef __cplusplus
}
#endif
#endif
