// SPDX-License-Identifier: Apache-2.0
// What the host writes and the kernels read; included by both, so it holds numbers only.
#ifndef OPMUX_GPU_LAYOUT_H
#define OPMUX_GPU_LAYOUT_H

// Bindings: 0 the code words of the kernel, 1 the output, 2 and 3 own inputs, from 4 the operands of the
// program.
#define GK_BIND_CODE 0
#define GK_BIND_OUT 1
#define GK_BIND_A 2
#define GK_BIND_B 3
#define GK_BIND_OPERANDS 4
#define GK_OPERANDS 8
#define GK_BINDINGS 12
#define GK_REGISTERS 16

// Code words. Every view is aligned at the last of 8 axes; missing leading axes have extent 1 and stride 0.
// Strides are elements modulo 2^32, so that negative ones work with unsigned indices.
#define GK_AT_RANK 0  // axes that count, at the end of the 8
#define GK_AT_OPERANDS 1
#define GK_AT_INSNS 2
#define GK_AT_RESULT 3    // register
#define GK_AT_DIMS 4      // 8 extents of the output
#define GK_AT_OUT 12      // 8 strides of the output
#define GK_AT_STRIDES 20  // 8 strides of each operand of the program
#define GK_AT_A 84
#define GK_AT_B 92
#define GK_AT_K 100
#define GK_AT_CODE \
  101  // instructions of GK_INSN_WORDS words: function, result, a, b, c (registers), immediate
#define GK_INSN_WORDS 6

// Functions are the OPMUX_FN_* numbers; this one, which no program has, loads operand `immediate`.
#define GK_FN_LOAD 0u

// Tile of matmul: GK_BM x GK_BN results a group, GK_TM x GK_TN a lane, GK_BK steps of k in shared memory.
#define GK_BM 32
#define GK_BN 32
#define GK_BK 8
#define GK_TM 4
#define GK_TN 4
#define GK_POINTWISE_GROUP 128

#endif
