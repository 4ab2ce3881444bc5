/* SPDX-License-Identifier: Apache-2.0
 * Kit: copies of descriptors. A descriptor must have passed kit_check_head. */
#ifndef OPMUX_KIT_OPD_COPY_H
#define OPMUX_KIT_OPD_COPY_H

#include "kit/check.h"
#include "kit/host_api.h"

/* Gives a view of d with at least `size` bytes: d itself, or buffer (KIT_MAX_DESC bytes) with d and zeros. */
static inline const opmux_opd* kit_widen(const opmux_opd* d, uint32_t size, void* buffer) {
  if (d->h.size >= size || size > KIT_MAX_DESC) return d;
  memset(buffer, 0, size);
  memcpy(buffer, d, d->h.size);
  ((opmux_opd*)buffer)->h.size = size;
  return (const opmux_opd*)buffer;
}

/* Bump allocator over one block; with base NULL it only measures. */
typedef struct kit_bump {
  char* base;
  uint64_t used;
} kit_bump;

static inline void* kit_bump_put(kit_bump* b, const void* from, uint64_t size_bytes) {
  char* at = b->base ? b->base + b->used : NULL;
  if (at && from && size_bytes) memcpy(at, from, (size_t)size_bytes);
  b->used += kit_round_up(size_bytes, 16);
  return at;
}

/* Lays d out in b. The chain is dropped: its nodes were not critical, and nobody here knows them. */
static inline opmux_opd* kit_opd_place(kit_bump* b, const opmux_opd* d) {
  uint32_t p;
  opmux_opd* to = (opmux_opd*)kit_bump_put(b, d, d->h.size);
  opmux_tdesc* in = (opmux_tdesc*)kit_bump_put(b, d->in, d->n_in * sizeof *d->in);
  opmux_tdesc* out = (opmux_tdesc*)kit_bump_put(b, d->out, d->n_out * sizeof *d->out);
  opmux_prog* prog = (opmux_prog*)kit_bump_put(b, d->prog, d->n_prog * sizeof *d->prog);
  uint32_t* alias = d->alias ? (uint32_t*)kit_bump_put(b, d->alias, d->n_out * sizeof *d->alias) : NULL;
  int64_t* list = (int64_t*)kit_bump_put(b, d->list, d->n_list * sizeof *d->list);
  for (p = 0; p < d->n_prog; ++p) {
    const opmux_prog* q = &d->prog[p];
    opmux_insn* insn = (opmux_insn*)kit_bump_put(b, q->insn, q->n_insn * sizeof *q->insn);
    uint32_t* values = (uint32_t*)kit_bump_put(b, q->out, q->n_out * sizeof *q->out);
    if (!to) continue;
    prog[p].insn = insn;
    prog[p].out = values;
  }
  if (to) {
    to->h.next = NULL;
    to->in = in;
    to->out = out;
    to->prog = prog;
    to->alias = alias;
    to->list = list;
  }
  return to;
}

/* Bytes of a deep copy. */
static inline uint64_t kit_opd_size(const opmux_opd* d) {
  kit_bump b;
  b.base = NULL;
  b.used = 0;
  kit_opd_place(&b, d);
  return b.used;
}

/* Deep copy into `block` of kit_opd_size(d) bytes, aligned to 16. */
static inline opmux_opd* kit_opd_copy(const opmux_opd* d, void* block) {
  kit_bump b;
  b.base = (char*)block;
  b.used = 0;
  return kit_opd_place(&b, d);
}

#endif
