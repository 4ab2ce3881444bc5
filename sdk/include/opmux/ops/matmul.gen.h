/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/ops/matmul by tools/codegen; do not edit. */
#ifndef OPMUX_OPS_MATMUL_GEN_H
#define OPMUX_OPS_MATMUL_GEN_H

#include "opmux/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* matmul: c[.., i, j] = sum_k a[.., i, k] b[.., k, j]; leading dims broadcast (explicit 0 strides or size 1),
 * either side transposed by strides. in: a, b (rank 2..8); out: c, in the dtype of a or, like 8-bit integers
 * always, in acc_dtype. Epilogue at output 0: value 0 is the sum in acc_dtype. ONNX Gemm, MatMul,
 * MatMulInteger. */
#define OPMUX_OP_MATMUL 0x00020001u
typedef struct opmux_op_matmul {
  opmux_opd o;
  uint32_t acc_dtype; /* f32 for f32, f16, bf16; i32 for 8-bit integers; f64 for f64 */
  uint32_t reserved;
} opmux_op_matmul;

#define OPMUX_WEIGHT_LINEAR 0u /* the number of the type */
#define OPMUX_WEIGHT_NF4 1u    /* u4: index of one of 16 numbers, the quantiles of a normal distribution */

/* quant_matmul: c[.., i, j] = sum_k (a[.., i, k] - a_zero) a_scale (b[.., k, j] - b_zero) b_scale; leading
 * dims broadcast. Scales and zeros have rank 0, or the dims of their operand, where a dim may be 1, leading
 * ones may be missing, and k is cut into groups of a_group or b_group, the last may be shorter (0: one
 * group): a_scale [.., m, groups], b_scale [.., groups, n]. Absent: 1 and 0. b_code NF4: the codes of b stand
 * for the 16 numbers of QLoRA (Dettmers et al. 2023, appendix E). acc_dtype i32: 8-bit a, integer b, integer
 * zeros, no scales; the sum is exact modulo 2^32. Else f32. Epilogue at output 0: value 0 is the sum in
 * acc_dtype. ONNX MatMulInteger, MatMulNBits, QLinearMatMul. */
#define OPMUX_OP_QUANT_MATMUL 0x00020002u
typedef struct opmux_op_quant_matmul {
  opmux_opd o;
  uint32_t acc_dtype;
  uint32_t a_group; /* elements along k that share a scale of a; 0 is all */
  uint32_t b_group; /* elements along k that share a scale of b; 0 is all */
  uint32_t b_code;  /* OPMUX_WEIGHT_* */
} opmux_op_quant_matmul;

/* grouped_matmul: c[i, :] = a[i, :] b[g] for offsets[g] <= i < offsets[g + 1]; rows outside of all groups are
 * 0. Offsets that fall, or lie outside of 0 to the rows of a, are OPMUX_E_FAULT. in: a [rows, k], b [groups,
 * k, n], offsets [groups + 1]; out: c [rows, n], in the dtype of a or in acc_dtype. Epilogue at output 0:
 * value 0 is the sum in acc_dtype. */
#define OPMUX_OP_GROUPED_MATMUL 0x00020003u
typedef struct opmux_op_grouped_matmul {
  opmux_opd o;
  uint32_t acc_dtype; /* f32 for f32, f16, bf16; f64 for f64 */
  uint32_t reserved;
} opmux_op_grouped_matmul;

/* det: y[..] = det x[.., :, :] by elimination with row pivoting; 1 for 0 x 0. The product of pivots neither
 * overflows nor underflows on its way. in: x [.., n, n]; out: y [..]. A matrix with an element that is not
 * finite gives NaN. ONNX Det. */
#define OPMUX_OP_DET 0x00020040u
typedef struct opmux_op_det {
  opmux_opd o;
} opmux_op_det;

#ifdef __cplusplus
}
#endif
#endif
