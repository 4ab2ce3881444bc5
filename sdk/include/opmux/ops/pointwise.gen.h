/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/ops/pointwise by tools/codegen; do not edit. */
#ifndef OPMUX_OPS_POINTWISE_GEN_H
#define OPMUX_OPS_POINTWISE_GEN_H

#include "opmux/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Functions of programs: 1.. special, 16.. unary, 128.. binary, 256.. ternary. Operands of one instruction
 * have one dtype (SELECT: a is bool); comparisons and IS_* give bool; the others give the dtype of their
 * operands, CAST and CONST any. Arithmetic is on f64, f32, f16, bf16 and integers of 8 to 64 bits; narrower
 * types can be cast and selected only. */
#define OPMUX_FN_CONST 1u /* imm holds the bits */
#define OPMUX_FN_CAST 2u  /* to dtype: float to integer truncates, out of range as flags say */
#define OPMUX_FN_NEG 16u
#define OPMUX_FN_ABS 17u
#define OPMUX_FN_SIGN 18u /* NaN stays NaN */
#define OPMUX_FN_RECIPROCAL 19u
#define OPMUX_FN_SQRT 20u
#define OPMUX_FN_RSQRT 21u
#define OPMUX_FN_EXP 22u
#define OPMUX_FN_EXPM1 23u
#define OPMUX_FN_EXP2 24u
#define OPMUX_FN_LOG 25u
#define OPMUX_FN_LOG1P 26u
#define OPMUX_FN_LOG2 27u
#define OPMUX_FN_SIN 28u
#define OPMUX_FN_COS 29u
#define OPMUX_FN_TAN 30u
#define OPMUX_FN_ASIN 31u
#define OPMUX_FN_ACOS 32u
#define OPMUX_FN_ATAN 33u
#define OPMUX_FN_SINH 34u
#define OPMUX_FN_COSH 35u
#define OPMUX_FN_TANH 36u
#define OPMUX_FN_ASINH 37u
#define OPMUX_FN_ACOSH 38u
#define OPMUX_FN_ATANH 39u
#define OPMUX_FN_ERF 40u
#define OPMUX_FN_ERFC 41u
#define OPMUX_FN_LGAMMA 42u
#define OPMUX_FN_FLOOR 43u
#define OPMUX_FN_CEIL 44u
#define OPMUX_FN_ROUND 45u /* to nearest, ties to even */
#define OPMUX_FN_TRUNC 46u
#define OPMUX_FN_NOT 47u
#define OPMUX_FN_BIT_NOT 48u
#define OPMUX_FN_IS_NAN 49u
#define OPMUX_FN_IS_INF 50u /* either sign */
#define OPMUX_FN_IS_FINITE 51u
#define OPMUX_FN_SIGMOID 52u
#define OPMUX_FN_RELU 53u /* NaN stays NaN */
#define OPMUX_FN_GELU 54u /* with erf */
#define OPMUX_FN_GELU_TANH 55u
#define OPMUX_FN_SILU 56u
#define OPMUX_FN_SOFTPLUS 57u
#define OPMUX_FN_SOFTSIGN 58u
#define OPMUX_FN_MISH 59u
#define OPMUX_FN_ADD 128u
#define OPMUX_FN_SUB 129u
#define OPMUX_FN_MUL 130u
#define OPMUX_FN_DIV 131u  /* integers truncate; division by 0 gives 0 */
#define OPMUX_FN_MOD 132u  /* sign of the divisor (Python) */
#define OPMUX_FN_FMOD 133u /* sign of the dividend (C) */
#define OPMUX_FN_POW 134u
#define OPMUX_FN_MIN 135u /* NaN if either is NaN */
#define OPMUX_FN_MAX 136u /* NaN if either is NaN */
#define OPMUX_FN_ATAN2 137u
#define OPMUX_FN_AND 138u
#define OPMUX_FN_OR 139u
#define OPMUX_FN_XOR 140u
#define OPMUX_FN_BIT_AND 141u
#define OPMUX_FN_BIT_OR 142u
#define OPMUX_FN_BIT_XOR 143u
#define OPMUX_FN_SHIFT_LEFT 144u
#define OPMUX_FN_SHIFT_RIGHT 145u /* logical on unsigned, arithmetic on signed */
#define OPMUX_FN_EQ 146u
#define OPMUX_FN_NE 147u
#define OPMUX_FN_LT 148u
#define OPMUX_FN_LE 149u
#define OPMUX_FN_GT 150u
#define OPMUX_FN_GE 151u
#define OPMUX_FN_SELECT 256u /* a ? b : c */
#define OPMUX_FN_FMA 257u    /* a * b + c, one or two roundings */
#define OPMUX_FN_CLAMP 258u  /* min(max(a, b), c) */

/* pointwise: program 0 (slot MAIN) over inputs that broadcast to the outputs' one shape by explicit 0
 * strides; a dim of 1, or a missing leading dim, counts as stride 0. in: 0..16; out: 1..8. */
#define OPMUX_OP_POINTWISE 0x00030001u
typedef struct opmux_op_pointwise {
  opmux_opd o;
} opmux_op_pointwise;

#ifdef __cplusplus
}
#endif
#endif
