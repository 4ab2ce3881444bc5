/* SPDX-License-Identifier: Apache-2.0
 * Kit: checks of the common head of a descriptor, so that nothing behind it reads through a bad pointer,
 * count or value number. What an operator's own attributes mean is checked by kit_device.validate. */
#ifndef OPMUX_KIT_CHECK_H
#define OPMUX_KIT_CHECK_H

#include <stddef.h>

#include "kit/op.h"

/* Bounds on what is copied; far above any sound descriptor. */
#define KIT_MAX_DESC 4096u
#define KIT_MAX_LIST 4096u
#define KIT_MAX_PROGS 32u
#define KIT_MAX_CHAIN 64u
#define KIT_MAX_BYTES ((int64_t)1 << 60)

/* Operands of a function by the ranges of ops/pointwise.gen.h; -1: none such. */
static inline int kit_fn_arity(uint32_t fn) {
  if (fn == 1) return 0;
  if (fn == 2 || (fn >= 16 && fn < 128)) return 1;
  if (fn >= 128 && fn < 256) return 2;
  return fn >= 256 && fn < 384 ? 3 : -1;
}

static inline int kit_dtype_sized(uint32_t dtype) {
  uint32_t bits = OPMUX_DTYPE_BITS(dtype), cls = OPMUX_DTYPE_CLASS(dtype);
  return bits >= 2 && bits <= 64 && (bits & (bits - 1)) == 0 && cls >= OPMUX_CLASS_FLOAT &&
         cls <= OPMUX_CLASS_COMPLEX;
}

static inline int kit_is_empty(const opmux_tdesc* t) {
  uint32_t i;
  for (i = 0; i < t->rank; ++i)
    if (t->dim[i] == 0) return 1;
  return 0;
}

/* Both the packed size and the reach of the strides must stay below 2^63 bits. */
static inline int kit_check_extent(const opmux_tdesc* t, uint32_t arg, opmux_cap* cap) {
  int64_t bits = OPMUX_DTYPE_BITS(t->dtype), count = bits, reach = bits, span;
  uint32_t i;
  if (kit_is_empty(t)) return 1;
  for (i = 0; i < t->rank; ++i) {
    int64_t dim = t->dim[i], step = t->stride[i];
    if (__builtin_mul_overflow(count, dim, &count))
      return kit_no(cap, OPMUX_WHY_DIM, arg, i, dim, KIT_MAX_BYTES);
    if (t->layout != 0) continue; /* strides of an opaque layout mean nothing */
    if (step == INT64_MIN || __builtin_mul_overflow(step < 0 ? -step : step, dim - 1, &span) ||
        __builtin_mul_overflow(span, bits, &span) || __builtin_add_overflow(reach, span, &reach))
      return kit_no(cap, OPMUX_WHY_STRIDE, arg, i, step, KIT_MAX_BYTES);
  }
  return 1;
}

static inline int kit_check_operand(const opmux_tdesc* t, uint32_t arg, opmux_cap* cap) {
  uint32_t i;
  if (t->dtype == OPMUX_NONE) return 1;
  if (!kit_dtype_sized(t->dtype)) return kit_no(cap, OPMUX_WHY_DTYPE, arg, 0, t->dtype, 0);
  if (t->rank > OPMUX_MAX_RANK) return kit_no(cap, OPMUX_WHY_RANK, arg, 0, t->rank, OPMUX_MAX_RANK);
  for (i = 0; i < t->rank; ++i)
    if (t->dim[i] < 0) return kit_no(cap, OPMUX_WHY_DIM, arg, i, t->dim[i], 0);
  for (i = t->rank; i < OPMUX_MAX_RANK; ++i) {
    if (t->dim[i] != 0) return kit_no(cap, OPMUX_WHY_DIM, arg, i, t->dim[i], 0);
    if (t->stride[i] != 0) return kit_no(cap, OPMUX_WHY_STRIDE, arg, i, t->stride[i], 0);
  }
  return kit_check_extent(t, arg, cap);
}

/* Counts, pointers and value numbers of program p. Types and slots are the operator's business. */
static inline int kit_check_program(const opmux_prog* q, uint32_t p, opmux_cap* cap) {
  uint32_t i;
  if (q->n_insn > OPMUX_MAX_INSN)
    return kit_no(cap, OPMUX_WHY_PROGRAM, p, 0, (int64_t)q->n_insn, OPMUX_MAX_INSN);
  if (q->n_in > OPMUX_MAX_PROG_IN)
    return kit_no(cap, OPMUX_WHY_PROGRAM, p, 0, (int64_t)q->n_in, OPMUX_MAX_PROG_IN);
  if (q->n_out < 1 || q->n_out > OPMUX_MAX_PROG_OUT)
    return kit_no(cap, OPMUX_WHY_PROGRAM, p, 0, (int64_t)q->n_out, OPMUX_MAX_PROG_OUT);
  if (!q->out || (q->n_insn > 0 && !q->insn)) return kit_no(cap, OPMUX_WHY_PROGRAM, p, 0, 0, 0);
  if (q->slot != OPMUX_SLOT_MAIN && q->n_in < 1) return kit_no(cap, OPMUX_WHY_PROGRAM, p, 0, 0, 1);
  for (i = 0; i < q->n_insn; ++i) {
    const opmux_insn* x = &q->insn[i];
    uint32_t values = q->n_in + i;
    int arity = kit_fn_arity(x->op);
    if (arity < 0 || !kit_dtype_sized(x->dtype) || (arity > 0 && x->a >= values) ||
        (arity > 1 && x->b >= values) || (arity > 2 && x->c >= values))
      return kit_no(cap, OPMUX_WHY_PROGRAM, p, 0, i, values);
  }
  for (i = 0; i < q->n_out; ++i)
    if (q->out[i] >= q->n_in + q->n_insn)
      return kit_no(cap, OPMUX_WHY_PROGRAM, p, 0, q->out[i], (int64_t)q->n_in + q->n_insn);
  return 1;
}

static inline int kit_check_programs(const opmux_opd* d, opmux_cap* cap) {
  uint32_t p, extra = 0;
  if (d->n_prog > KIT_MAX_PROGS)
    return kit_no(cap, OPMUX_WHY_PROGRAM, d->n_prog, 0, d->n_prog, KIT_MAX_PROGS);
  if (d->n_prog > 0 && !d->prog) return kit_no(cap, OPMUX_WHY_PROGRAM, 0, 0, 0, 0);
  for (p = 0; p < d->n_prog; ++p) {
    if (!kit_check_program(&d->prog[p], p, cap)) return 0;
    if (d->prog[p].slot != OPMUX_SLOT_MAIN) extra += d->prog[p].n_in - 1;
    if (extra > d->n_in) return kit_no(cap, OPMUX_WHY_PROGRAM, p, 0, extra, d->n_in);
  }
  return 1;
}

/* Unknown nodes are skipped unless they are critical; the kit knows none. */
static inline int kit_check_chain(const opmux_opd* d, opmux_cap* cap) {
  const opmux_ext* node;
  uint32_t n = 0;
  for (node = d->h.next; node; node = node->next) {
    if (node->size < sizeof *node)
      return kit_no(cap, OPMUX_WHY_INVALID, OPMUX_NO_ARG, 0, node->size, sizeof *node);
    if (node->tag & OPMUX_EXT_CRITICAL)
      return kit_no(cap, OPMUX_WHY_ATTR, offsetof(opmux_opd, h), 0, (int64_t)node->tag, 0);
    if (++n > KIT_MAX_CHAIN) return kit_no(cap, OPMUX_WHY_INVALID, OPMUX_NO_ARG, 0, n, KIT_MAX_CHAIN);
  }
  return 1;
}

static inline int kit_check_words(const opmux_opd* d, opmux_cap* cap) {
  uint32_t known =
      OPMUX_MATH_STRICT | OPMUX_MATH_DETERMINISTIC | OPMUX_MATH_ALLOW_TF32 | OPMUX_MATH_ALLOW_F16_ACC;
  if (d->math & ~known) return kit_no(cap, OPMUX_WHY_ATTR, offsetof(opmux_opd, math), 0, d->math, known);
  if (d->reserved) return kit_no(cap, OPMUX_WHY_ATTR, offsetof(opmux_opd, reserved), 0, d->reserved, 0);
  if (d->reserved2[0] | d->reserved2[1])
    return kit_no(cap, OPMUX_WHY_ATTR, offsetof(opmux_opd, reserved2), 0, 1, 0);
  return 1;
}

/* Everything above; 0 = no, with the reason in cap. */
static inline int kit_check_head(const opmux_opd* d, opmux_cap* cap) {
  uint32_t i;
  if (!d) return kit_no(cap, OPMUX_WHY_INVALID, OPMUX_NO_ARG, 0, 0, 0);
  if (d->h.size < sizeof *d || d->h.size > KIT_MAX_DESC)
    return kit_no(cap, OPMUX_WHY_INVALID, OPMUX_NO_ARG, 0, d->h.size,
                  d->h.size < sizeof *d ? (int64_t)sizeof *d : (int64_t)KIT_MAX_DESC);
  if (!kit_check_chain(d, cap) || !kit_check_words(d, cap)) return 0;
  if (d->n_in > KIT_MAX_ARGS || d->n_out > KIT_MAX_ARGS - d->n_in)
    return kit_no(cap, OPMUX_WHY_INVALID, OPMUX_NO_ARG, 0, (int64_t)d->n_in + d->n_out, KIT_MAX_ARGS);
  if ((d->n_in > 0 && !d->in) || (d->n_out > 0 && !d->out))
    return kit_no(cap, OPMUX_WHY_INVALID, d->n_in > 0 && !d->in ? 0 : d->n_in, 0, 0, 0);
  if (d->n_list > KIT_MAX_LIST || (d->n_list > 0 && !d->list))
    return kit_no(cap, OPMUX_WHY_INVALID, OPMUX_NO_ARG, 0, d->n_list, d->list ? KIT_MAX_LIST : 0);
  for (i = 0; i < d->n_in + d->n_out; ++i)
    if (!kit_check_operand(kit_operand(d, i), i, cap)) return 0;
  for (i = 0; d->alias && i < d->n_out; ++i)
    if (d->alias[i] > d->n_in) return kit_no(cap, OPMUX_WHY_ALIAS, d->n_in + i, 0, d->alias[i], d->n_in);
  return kit_check_programs(d, cap);
}

/* Bytes beyond what is known must be zero, else an attribute that we do not know would be ignored. */
static inline int kit_check_tail(const opmux_opd* d, uint32_t known, opmux_cap* cap) {
  const unsigned char* byte = (const unsigned char*)d;
  uint32_t i;
  for (i = known; known > 0 && i < d->h.size; ++i)
    if (byte[i]) return kit_no(cap, OPMUX_WHY_ATTR, i, 0, byte[i], 0);
  return 1;
}

/* The reason of a NO as a sentence about descriptor d, and the status that prepare returns for it. */
static inline opmux_status kit_refuse(opmux_err* err, const opmux_opd* d, const opmux_cap* cap) {
  static const char* const word[] = {"no reason given",
                                     "operator unknown here",
                                     "revision unknown",
                                     "element type not supported",
                                     "rank not supported",
                                     "extent not supported",
                                     "stride not supported",
                                     "attribute not supported",
                                     "too many bytes",
                                     "device feature missing",
                                     "accuracy not offered",
                                     "program not supported",
                                     "descriptor makes no sense",
                                     "aliasing not supported",
                                     "layout not supported",
                                     "quantisation not supported"};
  const uint32_t words = (uint32_t)(sizeof word / sizeof word[0]);
  const char* text = word[cap->why < words ? cap->why : 0];
  opmux_status status = cap->why == OPMUX_WHY_INVALID ? OPMUX_E_INVALID : OPMUX_E_UNSUPPORTED;
  uint32_t op = d && d->h.size >= sizeof *d ? d->op : 0, arg = cap->why_arg;
  long long have = (long long)cap->why_have, limit = (long long)cap->why_limit;
  char own[KIT_SENTENCE];
  if (kit_the_device.explain && kit_the_device.explain(d, cap, own, sizeof own))
    return kit_fail(err, status,
                    cap->why == OPMUX_WHY_ATTR || cap->why == OPMUX_WHY_PROGRAM ? OPMUX_NO_ARG : arg, "%s",
                    own);
  switch (cap->why) {
    case OPMUX_WHY_DIM:
    case OPMUX_WHY_STRIDE:
      return kit_fail(err, status, arg, "operator 0x%08x: %s: operand %u, axis %u is %lld, limit %lld", op,
                      text, arg, cap->why_axis, have, limit);
    case OPMUX_WHY_DTYPE:
      return kit_fail(err, status, arg, "operator 0x%08x: %s: operand %u is 0x%llx", op, text, arg,
                      (unsigned long long)have);
    case OPMUX_WHY_ATTR:
      return kit_fail(err, status, OPMUX_NO_ARG, "operator 0x%08x: %s: at byte %u it is %lld, limit %lld", op,
                      text, arg, have, limit);
    case OPMUX_WHY_PROGRAM:
      return kit_fail(err, status, OPMUX_NO_ARG, "operator 0x%08x: %s: program %u has %lld, limit %lld", op,
                      text, arg, have, limit);
    default:
      if (arg == OPMUX_NO_ARG)
        return kit_fail(err, status, arg, "operator 0x%08x: %s: %lld, limit %lld", op, text, have, limit);
      return kit_fail(err, status, arg, "operator 0x%08x: %s: operand %u has %lld, limit %lld", op, text, arg,
                      have, limit);
  }
}

#endif
