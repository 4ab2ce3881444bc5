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

#ifdef __cplusplus
}
#endif
#endif
