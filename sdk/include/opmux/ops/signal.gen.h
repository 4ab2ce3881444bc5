/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/ops/signal by tools/codegen; do not edit. */
#ifndef OPMUX_OPS_SIGNAL_GEN_H
#define OPMUX_OPS_SIGNAL_GEN_H

#include "opmux/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* dft: y_k = sum_j x_j exp(-2 pi i j k / n) along axis, with inverse y_j = (1 / n) sum_k x_k exp(2 pi i j k /
 * n), n = length; x is cut to its first n elements or continued with 0. The last dim is the pair (real,
 * imaginary), 1: real. onesided: forward takes real x and gives k <= n / 2 only; inverse takes k <= n / 2,
 * the others are their conjugates in mirror order (the imaginary parts of k = 0 and k = n / 2 do not count),
 * and gives real y. in: x; out: y, with n or n / 2 + 1 elements along axis and a last dim of 2, of 1 if
 * inverse and onesided. A transform of which an element is not finite is NaN throughout. ONNX DFT, STFT. */
#define OPMUX_OP_DFT 0x000f0001u
typedef struct opmux_op_dft {
  opmux_opd o;
  uint32_t axis;
  uint32_t length;
  uint32_t inverse;
  uint32_t onesided;
} opmux_op_dft;

#ifdef __cplusplus
}
#endif
#endif
