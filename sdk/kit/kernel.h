/* SPDX-License-Identifier: Apache-2.0
 * Kit: the OP table of a host-memory device, over the ordered table of implementations. */
#ifndef OPMUX_KIT_KERNEL_H
#define OPMUX_KIT_KERNEL_H

#include "kit/device_mem.h"
#include "kit/opd_copy.h"

#define KIT_ARG_ABSENT 0u
#define KIT_ARG_BOUND 1u
#define KIT_ARG_EMPTY 2u  /* an extent is 0: never touched, may be unbound */
#define KIT_ARG_SCALAR 3u /* by value in the parameters of the run         */

typedef struct kit_arg {
  uint32_t kind;
  uint32_t align_mask;
  uint64_t param; /* byte offset of a scalar in the parameters */
} kit_arg;

struct opmux_kernel_s {
  const kit_op* op;
  opmux_dev dev;
  const opmux_opd* d;
  void* state;
  const kit_arg* arg;
  uint64_t ws_min, block_size;
  uint32_t n_arg, params_size;
};

typedef union kit_wide {
  opmux_opd d;
  char bytes[KIT_MAX_DESC];
} kit_wide;

/* The implementation for d: the first that says YES (key 0) or the one named by key if it says YES; else NULL
 * with the reason of the last one asked in cap. *wide_d is d, or its widened copy in `wide`. */
static inline const kit_op* kit_choose(const opmux_devinfo* info, const opmux_opd* d, uint64_t key,
                                       opmux_cap* cap, kit_wide* wide, const opmux_opd** wide_d) {
  uint32_t i, found = 0;
  if (!kit_check_head(d, cap)) return NULL;
  for (i = 0; i < kit_the_device.n_ops; ++i) {
    const kit_op* op = &kit_the_device.ops[i];
    uint32_t rev = op->rev ? op->rev : 1;
    if (op->op != d->op || (key != 0 && key != (uint64_t)i + 1)) continue;
    if (!kit_check_tail(d, op->desc_size, cap)) return NULL;
    *wide_d = kit_widen(d, op->desc_size, wide);
    if (!found && kit_the_device.validate && !kit_the_device.validate(*wide_d, cap)) {
      cap->verdict = OPMUX_NO;
      return NULL;
    }
    found = 1;
    if (d->rev < 1 || d->rev > rev) {
      kit_no(cap, OPMUX_WHY_REVISION, OPMUX_NO_ARG, 0, d->rev, rev);
      continue;
    }
    cap->verdict = OPMUX_NO;
    op->query(info, *wide_d, cap);
    if (cap->verdict != OPMUX_YES) continue;
    cap->why = OPMUX_WHY_NONE;
    cap->impl_key = (uint64_t)i + 1;
    return op;
  }
  if (!found && key)
    kit_no(cap, OPMUX_WHY_INVALID, OPMUX_NO_ARG, 0, (int64_t)key, kit_the_device.n_ops);
  else if (!found)
    kit_no(cap, OPMUX_WHY_OP, OPMUX_NO_ARG, 0, (int64_t)d->op, 0);
  return NULL;
}

static inline void kit_query_one(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* out) {
  opmux_cap cap;
  kit_wide wide;
  const opmux_opd* wide_d = d;
  uint32_t size = out->h.size < sizeof cap ? out->h.size : (uint32_t)sizeof cap, i;
  memset(&cap, 0, sizeof cap);
  cap.h.size = (uint32_t)sizeof cap;
  if (OPMUX_HAS(out, opmux_cap, in_layout) && out->in_layout) {
    cap.in_layout = out->in_layout;
    cap.layout_cap = out->layout_cap;
    for (i = 0; i < cap.layout_cap; ++i) cap.in_layout[i] = 0;
  }
  if (!kit_choose(info, d, 0, &cap, &wide, &wide_d)) cap.impl_key = 0;
  if (size > sizeof(opmux_hdr))
    memcpy((char*)out + sizeof(opmux_hdr), (char*)&cap + sizeof(opmux_hdr), size - sizeof(opmux_hdr));
}

static inline opmux_status OPMUX_CALL kit_op_query(const opmux_devinfo* info, uint32_t n,
                                                   const opmux_opd* const* d, opmux_cap* caps,
                                                   uint32_t cap_stride, opmux_err* err) {
  opmux_devinfo full;
  uint32_t i;
  if (!info || (n > 0 && (!d || !caps || cap_stride < sizeof(opmux_hdr))))
    return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG,
                    "query: device info, descriptors or answers are missing, or the stride %u is below 16",
                    cap_stride);
  if (info->h.size < sizeof full) {
    memset(&full, 0, sizeof full);
    memcpy(&full, info, info->h.size);
    info = &full;
  }
  for (i = 0; i < n; ++i)
    kit_query_one(info, d[i], (opmux_cap*)(void*)((char*)caps + (uint64_t)i * cap_stride));
  return OPMUX_OK;
}

/* Fills arg[] and returns the bytes of parameters that a run must bring. */
static inline uint32_t kit_plan_args(const opmux_opd* d, kit_arg* arg) {
  uint32_t i, params = 0;
  for (i = 0; i < d->n_in + d->n_out; ++i) {
    const opmux_tdesc* t = kit_operand(d, i);
    uint32_t bytes = OPMUX_DTYPE_BITS(t->dtype) / 8;
    arg[i].kind = t->dtype == OPMUX_NONE             ? KIT_ARG_ABSENT
                  : (t->flags & OPMUX_T_HOST_SCALAR) ? KIT_ARG_SCALAR
                  : kit_is_empty(t)                  ? KIT_ARG_EMPTY
                                                     : KIT_ARG_BOUND;
    arg[i].align_mask = t->layout == 0 && bytes > 1 ? bytes - 1 : 0;
    arg[i].param = params;
    if (arg[i].kind == KIT_ARG_SCALAR) params += 8;
  }
  return params;
}

static inline opmux_status OPMUX_CALL kit_op_prepare(opmux_dev dev, const opmux_opd* d, uint64_t impl_key,
                                                     opmux_kernel* out, opmux_err* err) {
  const opmux_host_api* host = &dev->plugin->host;
  opmux_cap cap;
  kit_wide wide;
  const opmux_opd* wide_d = d;
  const kit_op* op;
  uint64_t head, args, size;
  opmux_kernel k;
  opmux_status s = OPMUX_OK;
  memset(&cap, 0, sizeof cap);
  cap.h.size = (uint32_t)sizeof cap;
  if (!out) return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG, "prepare: no place for the kernel");
  *out = NULL;
  op = kit_choose(&dev->info, d, impl_key, &cap, &wide, &wide_d);
  if (!op) return kit_refuse(err, d, &cap);
  head = kit_round_up(sizeof *k, 16);
  args = kit_round_up((wide_d->n_in + wide_d->n_out) * sizeof(kit_arg), 16);
  size = head + args + kit_opd_size(wide_d);
  k = (opmux_kernel)host->alloc(host->self, size, 16);
  if (!k)
    return kit_fail(err, OPMUX_E_OUT_OF_MEMORY | OPMUX_F_RETRYABLE, OPMUX_NO_ARG,
                    "prepare: no memory for a kernel of %llu bytes", (unsigned long long)size);
  k->op = op;
  k->dev = dev;
  k->state = NULL;
  k->ws_min = cap.ws_min;
  k->block_size = size;
  k->n_arg = wide_d->n_in + wide_d->n_out;
  k->arg = (const kit_arg*)(const void*)((char*)k + head);
  k->params_size = kit_plan_args(wide_d, (kit_arg*)(void*)((char*)k + head));
  k->d = kit_opd_copy(wide_d, (char*)k + head + args);
  if (op->prepare) s = op->prepare(host, k->d, &k->state, err);
  if (s != OPMUX_OK)
    host->free_(host->self, k, size, 16);
  else
    *out = k;
  return s;
}

static inline void OPMUX_CALL kit_op_release(opmux_kernel k) {
  const opmux_host_api* host;
  if (!k) return;
  host = &k->dev->plugin->host;
  if (k->op->release) k->op->release(host, k->state);
  host->free_(host->self, k, k->block_size, 16);
}

/* Descriptor and operand of a packing call, as kit_choose would see them. */
static inline opmux_status kit_check_pack(const opmux_opd* d, uint32_t operand, opmux_err* err) {
  opmux_cap cap;
  memset(&cap, 0, sizeof cap);
  if (!kit_check_head(d, &cap)) return kit_refuse(err, d, &cap);
  if (operand >= d->n_in)
    return kit_fail(err, OPMUX_E_INVALID, operand, "pack: operand %u of a descriptor with %u inputs", operand,
                    d->n_in);
  return OPMUX_OK;
}

static inline opmux_status kit_no_layout(const opmux_opd* d, uint32_t operand, uint32_t layout,
                                         opmux_err* err) {
  return kit_fail(err, OPMUX_E_UNSUPPORTED, operand, "operator 0x%08x: operand %u has no layout %u here",
                  d->op, operand, layout);
}

static inline opmux_status OPMUX_CALL kit_op_packed_size(const opmux_devinfo* info, const opmux_opd* d,
                                                         uint32_t operand, uint32_t layout,
                                                         uint64_t* size_bytes, uint64_t* layout_arg,
                                                         opmux_err* err) {
  kit_wide wide;
  uint32_t i;
  opmux_status s = kit_check_pack(d, operand, err);
  (void)info;
  if (s != OPMUX_OK) return s;
  if (!size_bytes || !layout_arg)
    return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG, "packed_size: no place for the answer");
  for (i = 0; i < kit_the_device.n_ops; ++i) {
    const kit_op* op = &kit_the_device.ops[i];
    if (op->op != d->op || !op->packed_size) continue;
    s = op->packed_size(kit_widen(d, op->desc_size, &wide), operand, layout, size_bytes, layout_arg, err);
    if (OPMUX_CODE(s) != OPMUX_E_UNSUPPORTED) return s;
  }
  return kit_no_layout(d, operand, layout, err);
}

/* Offered through the QUEUE's device; pack runs at once. */
static inline opmux_status kit_pack_on(opmux_dev dev, const opmux_opd* d, uint32_t operand, uint32_t layout,
                                       const opmux_bind* src, const opmux_bind* dst, opmux_err* err) {
  kit_wide wide;
  uint32_t i;
  opmux_status s = kit_check_pack(d, operand, err);
  if (s != OPMUX_OK) return s;
  if (!src || !dst || !src->mem || !dst->mem)
    return kit_fail(err, OPMUX_E_INVALID, operand, "pack: source or destination is not bound");
  for (i = 0; i < kit_the_device.n_ops; ++i) {
    const kit_op* op = &kit_the_device.ops[i];
    if (op->op != d->op || !op->pack) continue;
    s = op->pack(&dev->plugin->host, kit_widen(d, op->desc_size, &wide), operand, layout,
                 kit_to_ptr(src->mem, src->offset), kit_to_ptr(dst->mem, dst->offset), err);
    if (OPMUX_CODE(s) != OPMUX_E_UNSUPPORTED) return s;
  }
  return kit_no_layout(d, operand, layout, err);
}

#endif
