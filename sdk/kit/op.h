/* SPDX-License-Identifier: Apache-2.0
 * Kit: what the author of a host-memory plugin writes: an ordered table of implementations and one device. */
#ifndef OPMUX_KIT_OP_H
#define OPMUX_KIT_OP_H

#include <string.h>

#include "kit/error.h"
#include "opmux/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Operands of one kernel, inputs and outputs together. */
#define KIT_MAX_ARGS 128u

/* One launch. */
typedef struct kit_call {
  const opmux_opd* d; /* the kernel's own copy                                              */
  /* Element 0 of each input, then of each output; NULL for an absent operand. A HOST_SCALAR operand points at
   * its 8 bytes in the parameters of the run. */
  void* const* arg;
  void* ws; /* ws_min bytes at least, or NULL when that is 0              */
  const void* params;
  void* state;                /* what prepare made                                          */
  const opmux_host_api* host; /* every entry is there                                       */
  uint64_t cancel;            /* token for host->cancelled                                  */
} kit_call;

/* One implementation of one operator. Descriptors that reach these functions have every count, rank, dim and
 * pointer of the common head checked, and at least desc_size readable bytes (a shorter one is widened with
 * zeros). */
typedef struct kit_op {
  uint32_t op;         /* OPMUX_OP_*                      */
  const char* variant; /* "packed", "direct", "plain" ... */
  /* Sets verdict and a reason or costs, see kit_yes and kit_no; the kit sets impl_key to index + 1. */
  void (*query)(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap);
  /* Optional. d is the kernel's own deep copy and outlives the state. */
  opmux_status (*prepare)(const opmux_host_api* host, const opmux_opd* d, void** state, opmux_err* err);
  void (*release)(const opmux_host_api* host, void* state); /* optional */
  opmux_status (*run)(const kit_call* call, opmux_err* err);
  /* Optional. OPMUX_E_UNSUPPORTED: not a layout of this implementation, the next one is asked. */
  opmux_status (*packed_size)(const opmux_opd* d, uint32_t operand, uint32_t layout, uint64_t* size_bytes,
                              uint64_t* layout_arg, opmux_err* err);
  opmux_status (*pack)(const opmux_host_api* host, const opmux_opd* d, uint32_t operand, uint32_t layout,
                       const void* src, void* dst, opmux_err* err); /* optional, same rule */
  uint32_t desc_size; /* sizeof the operator's descriptor; bytes beyond it must be zero. 0:
                         kit_device.validate checks the tail */
  uint32_t rev;       /* highest revision known, 0 counts as 1 */
} kit_op;

/* The one device of the plugin. */
typedef struct kit_device {
  const char* name; /* "cpu" */
  uint32_t kind;    /* OPMUX_DEV_* */
  uint32_t flags;   /* OPMUX_DF_* beside HOST_MEMORY and SYNC_QUEUE, which the kit sets */
  const kit_op* ops;
  uint32_t n_ops;
  /* Optional: does the descriptor make sense at all? 0 = no, with the reason in cap. */
  int (*validate)(const opmux_opd* d, opmux_cap* cap);
  void (*describe)(opmux_devinfo* info); /* optional: features, driver, a better name */
  /* Optional: the refusal of d (may be NULL) as a sentence in text[0, size); 0 = none, the kit's own is
   * taken. */
  int (*explain)(const opmux_opd* d, const opmux_cap* cap, char* text, uint32_t size);
} kit_device;

#if defined(__GNUC__)
__attribute__((visibility("hidden")))
#endif
extern const kit_device kit_the_device; /* the plugin defines it */

/* Refusal: why is OPMUX_WHY_*, the rest as plugin.h says for it. Returns 0, so that validate can return it.
 */
static inline int kit_no(opmux_cap* cap, uint32_t why, uint32_t arg, uint32_t axis, int64_t have,
                         int64_t limit) {
  cap->verdict = OPMUX_NO;
  cap->why = why;
  cap->why_arg = arg;
  cap->why_axis = axis;
  cap->why_have = have;
  cap->why_limit = limit;
  return 0;
}

/* Acceptance, bit-identical from run to run. cost_ns is a model's; 0: no idea. */
static inline int kit_yes(opmux_cap* cap, uint32_t accuracy, uint64_t cost_ns) {
  cap->verdict = OPMUX_YES;
  cap->why = OPMUX_WHY_NONE;
  cap->cost_ns = cost_ns;
  cap->cost_ns_spread = cost_ns / 2;
  cap->cost_source = cost_ns ? OPMUX_COST_MODEL : OPMUX_COST_NONE;
  cap->accuracy = accuracy;
  cap->deterministic = 1;
  return 1;
}

static inline const opmux_tdesc* kit_operand(const opmux_opd* d, uint32_t i) {
  return i < d->n_in ? &d->in[i] : &d->out[i - d->n_in];
}

#ifdef __cplusplus
}
#endif
#endif
