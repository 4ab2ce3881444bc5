/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/ops/recurrent by tools/codegen; do not edit. */
#ifndef OPMUX_OPS_RECURRENT_GEN_H
#define OPMUX_OPS_RECURRENT_GEN_H

#include "opmux/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OPMUX_RECURRENT_RNN 1u
#define OPMUX_RECURRENT_GRU 2u
#define OPMUX_RECURRENT_LSTM 3u

#define OPMUX_DIRECTION_FORWARD 1u
#define OPMUX_DIRECTION_REVERSE 2u
#define OPMUX_DIRECTION_BOTH 3u

/* Activations of recurrent layers, with parameters a (alpha) and b (beta). */
#define OPMUX_ACT_NONE 0u
#define OPMUX_ACT_TANH 1u
#define OPMUX_ACT_SIGMOID 2u
#define OPMUX_ACT_RELU 3u
#define OPMUX_ACT_AFFINE 4u           /* a x + b */
#define OPMUX_ACT_LEAKY_RELU 5u       /* x, or a x where x < 0 */
#define OPMUX_ACT_THRESHOLDED_RELU 6u /* x where x > a, else 0 */
#define OPMUX_ACT_SCALED_TANH 7u      /* a tanh(b x) */
#define OPMUX_ACT_HARD_SIGMOID 8u     /* a x + b within [0, 1] */
#define OPMUX_ACT_ELU 9u              /* x, or a (e^x - 1) where x < 0 */
#define OPMUX_ACT_SOFTSIGN 10u        /* x / (1 + |x|) */
#define OPMUX_ACT_SOFTPLUS 11u        /* log(1 + e^x) */

/* recurrent: D directions (2 when bidirectional, else 1), G gates (RNN 1; GRU 3: z r h; LSTM 4: i o f c), H
 * hidden units. in: 0 x [T, B, I], 1 w [D, G H, I], 2 r [D, G H, H], 3 b [D, 2 G H] (of w, then of r; may be
 * absent), 4 lengths [B] (may be absent: all T; outside [0, T] is OPMUX_E_FAULT), 5 initial_h [D, B, H], 6
 * initial_c [D, B, H] (LSTM only), 7 p [D, 3 H] (peepholes i o f, LSTM only), the last three 0 when absent.
 * out: 0 y [T, D, B, H], 1 y_h [D, B, H], 2 y_c [D, B, H] (LSTM only). Equations of the ONNX operators: RNN
 * h' = f(x w + h r + b). GRU z = f(..), r = f(..), h~ = g(x wh + (r h) rh + b), or with linear_before_reset
 * g(x wh + bw + r (h rh + br)), h' = (1 - z) h~ + z h. LSTM i = f(.. + pi c), f = f(.. + pf c) or 1 - i with
 * input_forget, c' = f c + i g(..), o = f(.. + po c'), h' = o h(c'). Step t of an entry shorter than t + 1
 * leaves its state as it is and gives y = 0; the reverse direction begins at the entry's last step. clip > 0
 * bounds the argument of every activation to [-clip, clip]. Activation j of direction d is activation[3 d +
 * j], in the order f g h; those beyond the kind's 1, 2 or 3 are OPMUX_ACT_NONE. The state stays unrounded
 * between steps, in f32 for f16 and bf16. ONNX GRU, LSTM, RNN. */
#define OPMUX_OP_RECURRENT 0x000d0001u
typedef struct opmux_op_recurrent {
  opmux_opd o;
  uint32_t kind;                /* OPMUX_RECURRENT_* */
  uint32_t direction;           /* OPMUX_DIRECTION_* */
  uint32_t linear_before_reset; /* GRU only */
  uint32_t input_forget;        /* LSTM only */
  float clip;                   /* 0: none */
  uint32_t reserved;
  uint32_t activation0; /* OPMUX_ACT_* */
  uint32_t activation1; /* OPMUX_ACT_* */
  uint32_t activation2; /* OPMUX_ACT_* */
  uint32_t activation3; /* OPMUX_ACT_* */
  uint32_t activation4; /* OPMUX_ACT_* */
  uint32_t activation5; /* OPMUX_ACT_* */
  float alpha0;
  float alpha1;
  float alpha2;
  float alpha3;
  float alpha4;
  float alpha5;
  float beta0;
  float beta1;
  float beta2;
  float beta3;
  float beta4;
  float beta5;
} opmux_op_recurrent;

#ifdef __cplusplus
}
#endif
#endif
