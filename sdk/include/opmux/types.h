/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/abi/types.h.yaml by tools/codegen; do not edit.
 *
 * Opmux: element types, tensor descriptors, programs and the common head of operator descriptors. All frozen:
 * needs beyond them go into the extension chain of an open structure. */
#ifndef OPMUX_TYPES_H
#define OPMUX_TYPES_H

#include "opmux/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Element types: kind, width and a serial number in one word, so that a reader can size a type that it does
 * not know. value = serial | bits << 8 | class << 16; class 0 none, 1 float, 2 signed, 3 unsigned, 4 bool, 5
 * complex. */
#define OPMUX_DTYPE(serial, bits, cls) ((uint32_t)(serial) | (uint32_t)(bits) << 8 | (uint32_t)(cls) << 16)
#define OPMUX_DTYPE_BITS(t) (((t) >> 8) & 0xffu)
#define OPMUX_DTYPE_CLASS(t) ((t) >> 16)
#define OPMUX_CLASS_FLOAT 1u
#define OPMUX_CLASS_SIGNED 2u
#define OPMUX_CLASS_UNSIGNED 3u
#define OPMUX_CLASS_BOOL 4u
#define OPMUX_CLASS_COMPLEX 5u
#define OPMUX_NONE 0u /* an absent operand */
#define OPMUX_F64 OPMUX_DTYPE(1, 64, 1)
#define OPMUX_F32 OPMUX_DTYPE(2, 32, 1)
#define OPMUX_F16 OPMUX_DTYPE(3, 16, 1)
#define OPMUX_BF16 OPMUX_DTYPE(4, 16, 1)
#define OPMUX_E4M3FN OPMUX_DTYPE(5, 8, 1)
#define OPMUX_E5M2 OPMUX_DTYPE(6, 8, 1)
#define OPMUX_E8M0 OPMUX_DTYPE(7, 8, 1)
#define OPMUX_E2M1 OPMUX_DTYPE(8, 4, 1)
#define OPMUX_I64 OPMUX_DTYPE(9, 64, 2)
#define OPMUX_I32 OPMUX_DTYPE(10, 32, 2)
#define OPMUX_I16 OPMUX_DTYPE(11, 16, 2)
#define OPMUX_I8 OPMUX_DTYPE(12, 8, 2)
#define OPMUX_I4 OPMUX_DTYPE(13, 4, 2)
#define OPMUX_I2 OPMUX_DTYPE(14, 2, 2)
#define OPMUX_U64 OPMUX_DTYPE(15, 64, 3)
#define OPMUX_U32 OPMUX_DTYPE(16, 32, 3)
#define OPMUX_U16 OPMUX_DTYPE(17, 16, 3)
#define OPMUX_U8 OPMUX_DTYPE(18, 8, 3)
#define OPMUX_U4 OPMUX_DTYPE(19, 4, 3)
#define OPMUX_U2 OPMUX_DTYPE(20, 2, 3)
#define OPMUX_BOOL OPMUX_DTYPE(21, 8, 4)     /* 0 or 1 in a byte; any other value reads as 1 */
#define OPMUX_C64 OPMUX_DTYPE(22, 64, 5)     /* reserved */
#define OPMUX_E4M3FNUZ OPMUX_DTYPE(23, 8, 1) /* bias 8, no infinity, no -0; 0x80 is NaN */
#define OPMUX_E5M2FNUZ OPMUX_DTYPE(24, 8, 1) /* bias 16, no infinity, no -0; 0x80 is NaN */

#define OPMUX_MAX_RANK 8u
#define OPMUX_MAX_INSN 64u
#define OPMUX_MAX_PROG_IN 16u
#define OPMUX_MAX_PROG_OUT 8u

/* Tensor descriptor. dim and stride are in elements and go from the outermost axis; entries at and beyond
 * rank are 0. stride 0 broadcasts; a negative stride is legal, the bound offset points at element 0. Sub-byte
 * types: strides in elements, low bits first, element 0 at a whole byte. 160 bytes. */
typedef struct opmux_tdesc {
  uint32_t dtype;
  uint32_t rank;
  uint32_t layout; /* 0: strided as above; else an opaque layout owned by one plugin, dims stay logical */
  uint32_t flags;  /* OPMUX_T_* | log2 of the guaranteed alignment in bytes << 24 */
  int64_t dim[8];
  int64_t stride[8];
  uint64_t quant;      /* quantisation scheme; only 0, none, is defined so far */
  uint64_t layout_arg; /* belongs to layout */
} opmux_tdesc;

#define OPMUX_T_CONST 1u       /* the bound bytes never change after prepare */
#define OPMUX_T_STATE 2u       /* a buffer of the run context that outlives a run */
#define OPMUX_T_HOST_SCALAR 4u /* passed by value in opmux_run.params */

#define OPMUX_T_ALIGN_LOG2(f) ((f) >> 24)

/* One instruction of a pointwise program: static single assignment. Values 0 .. n_in-1 are the inputs,
 * instruction i makes value n_in + i. dtype is the result's type, to which the result is rounded; operands
 * have the types of their values. */
typedef struct opmux_insn {
  uint32_t op; /* OPMUX_FN_* */
  uint32_t dtype;
  uint32_t a; /* operand values; unused ones are 0 */
  uint32_t b;
  uint32_t c;
  uint32_t flags; /* OPMUX_INSN_* */
  uint64_t imm;   /* OPMUX_FN_CONST: the bits of the value, low end */
} opmux_insn;

#define OPMUX_INSN_SATURATE 1u /* a cast to integer or 8-bit float saturates instead of wrapping */
/* a cast to e8m0 goes to the power of two that is not below, not to the nearest */
#define OPMUX_INSN_ROUND_UP 2u
#define OPMUX_INSN_ROUND_DOWN 4u /* a cast to e8m0 goes to the power of two that is not above */

/* A program with its place. slot: which operand it belongs to. */
typedef struct opmux_prog {
  const opmux_insn* insn;
  const uint32_t* out; /* n_out value numbers */
  uint32_t n_insn;
  uint32_t n_out;
  uint32_t slot;
  uint32_t n_in;
} opmux_prog;

#define OPMUX_SLOT_MAIN 0u /* the program of `pointwise` itself */

/* Slot of the program applied to input operand i; value 0 is its element. */
#define OPMUX_SLOT_PROLOGUE(i) (1u + (i))

/* Slot of the program applied to output i; value 0 is the accumulator. */
#define OPMUX_SLOT_EPILOGUE(i) (0x100u + (i))

/* Head of every operator descriptor. It never grows; the operator's own attributes follow it in its struct.
 * Operands are positional; absent = dtype OPMUX_NONE. The extra operands of programs follow the operator's
 * own inputs, in the order of prog[]: program p with n_in values takes n_in - 1 extra inputs (slot MAIN: the
 * operator's own inputs are its values and no extra follows). Extra operands broadcast to the output's shape
 * (numpy rules, by explicit 0 strides). alias[o] = i + 1: output o may share its memory with input i; 0: not.
 * alias may be NULL. */
typedef struct opmux_opd {
  opmux_hdr h;
  uint32_t op;
  uint32_t rev;
  uint32_t n_in;
  uint32_t n_out;
  const opmux_tdesc* in;
  const opmux_tdesc* out;
  const opmux_prog* prog;
  const uint32_t* alias;
  const int64_t* list; /* pool of the variable-length attributes: (first, count) pairs in the descriptor */
  uint32_t n_prog;
  uint32_t n_list;
  uint32_t math;
  uint32_t reserved;
  uint64_t reserved2[2];
} opmux_opd;

/* (first, count) into opmux_opd.list. */
typedef struct opmux_slice {
  uint32_t first;
  uint32_t count;
} opmux_slice;

/* math word. */
#define OPMUX_MATH_STRICT 1u        /* only STRICT accuracy; default also allows ALGEBRAIC (Winograd) */
#define OPMUX_MATH_DETERMINISTIC 2u /* pin variants */
#define OPMUX_MATH_ALLOW_TF32 4u
#define OPMUX_MATH_ALLOW_F16_ACC 8u

OPMUX_STATIC_ASSERT(sizeof(opmux_tdesc) == 160, "frozen");
OPMUX_STATIC_ASSERT(sizeof(opmux_insn) == 32, "frozen");
OPMUX_STATIC_ASSERT(sizeof(opmux_prog) == 32, "frozen");
OPMUX_STATIC_ASSERT(sizeof(opmux_opd) == 104, "frozen");
OPMUX_STATIC_ASSERT(sizeof(opmux_slice) == 8, "frozen");

#ifdef __cplusplus
}
#endif
#endif
