/* SPDX-License-Identifier: Apache-2.0
 * Kit: the QUEUE table of a host-memory device. Synchronous and in order: everything is done, on the calling
 * thread, when a call returns. Nothing is allocated after prepare and record. */
#ifndef OPMUX_KIT_QUEUE_H
#define OPMUX_KIT_QUEUE_H

#include "kit/kernel.h"
#include "kit/timeline.h"

struct opmux_queue_s {
  opmux_dev dev;
};

/* A recorded run; args and parameters lie behind the nodes, in the same block. */
typedef struct kit_node {
  opmux_status (*run)(const kit_call*, opmux_err*);
  kit_call call;
  void** arg;
  opmux_kernel kernel;
} kit_node;

struct opmux_commands_s {
  const opmux_host_api* host;
  uint64_t block_size;
  uint32_t n, reserved;
  kit_node* node;
};

static inline opmux_status OPMUX_CALL kit_queue_create(opmux_dev dev, uint32_t flags, opmux_queue* out,
                                                       opmux_err* err) {
  const opmux_host_api* host = &dev->plugin->host;
  opmux_queue q;
  if (flags != 0)
    return kit_fail(err, OPMUX_E_UNSUPPORTED, OPMUX_NO_ARG, "queue flags 0x%x are not known, only 0 is",
                    flags);
  q = (opmux_queue)host->alloc(host->self, sizeof *q, 16);
  if (!q)
    return kit_fail(err, OPMUX_E_OUT_OF_MEMORY | OPMUX_F_RETRYABLE, OPMUX_NO_ARG, "no memory for a queue");
  q->dev = dev;
  *out = q;
  return OPMUX_OK;
}

static inline void OPMUX_CALL kit_queue_destroy(opmux_queue q) {
  if (q) q->dev->plugin->host.free_(q->dev->plugin->host.self, q, sizeof *q, 16);
}

/* The copies lie the first one's size apart: a caller of another version has larger or smaller ones. */
static inline opmux_status OPMUX_CALL kit_queue_copy(opmux_queue q, const opmux_copy* copies, uint32_t n,
                                                     opmux_err* err) {
  uint32_t i, step = n > 0 ? copies->h.size : 0;
  (void)q;
  for (i = 0; i < n; ++i) {
    const opmux_copy* c = (const opmux_copy*)(const void*)((const char*)copies + (uint64_t)i * step);
    const char* from;
    char* to;
    if (!OPMUX_HAS(c, opmux_copy, dst_host))
      return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG, "copy %u: its size of %u bytes lacks fields", i,
                      c->h.size);
    from = c->src ? (const char*)kit_to_ptr(c->src, c->src_offset) : (const char*)c->src_host;
    to = c->dst ? (char*)kit_to_ptr(c->dst, c->dst_offset) : (char*)c->dst_host;
    if (c->size_bytes == 0) continue;
    if (!from || !to)
      return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG, "copy %u: no %s", i,
                      from ? "destination" : "source");
    memmove(to, from, (size_t)c->size_bytes);
  }
  return OPMUX_OK;
}

static inline opmux_status kit_bind_arg(const struct opmux_kernel_s* k, uint32_t i, const opmux_bind* bind,
                                        const void* params, void** out, opmux_err* err) {
  const kit_arg* a = &k->arg[i];
  *out = NULL;
  if (a->kind == KIT_ARG_SCALAR) {
    *out = (char*)(uintptr_t)params + a->param;
    return OPMUX_OK;
  }
  if (a->kind == KIT_ARG_ABSENT) return OPMUX_OK;
  if (bind->mem) *out = kit_to_ptr(bind->mem, bind->offset);
  if (a->kind == KIT_ARG_EMPTY) return OPMUX_OK;
  if (!bind->mem)
    return kit_fail(err, OPMUX_E_INVALID, i, "operator 0x%08x: operand %u is not bound to memory", k->d->op,
                    i);
  if ((uintptr_t)*out & a->align_mask)
    return kit_fail(err, OPMUX_E_INVALID, i,
                    "operator 0x%08x: operand %u lies at %p, which %u does not divide", k->d->op, i, *out,
                    a->align_mask + 1);
  if (bind->actual && memcmp(bind->actual->dim, kit_operand(k->d, i)->dim, sizeof bind->actual->dim) != 0)
    return kit_fail(err, OPMUX_E_INVALID, i,
                    "operator 0x%08x: operand %u has another shape than prepared for", k->d->op, i);
  return OPMUX_OK;
}

/* Checks a run against its kernel and resolves every address. arg: room for the kernel's operands. */
static inline opmux_status kit_resolve(const opmux_run* r, void** arg, kit_call* call, opmux_err* err) {
  opmux_kernel k = OPMUX_HAS(r, opmux_run, kernel) ? r->kernel : NULL;
  uint32_t i;
  if (!k) return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG, "run: no kernel, its size is %u", r->h.size);
  if (r->n_arg != k->n_arg || (k->n_arg > 0 && !r->arg))
    return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG, "operator 0x%08x: %u operands bound, it has %u",
                    k->d->op, r->arg ? r->n_arg : 0, k->n_arg);
  if (r->params_size < k->params_size || (k->params_size > 0 && !r->params))
    return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG,
                    "operator 0x%08x: %u bytes of parameters, it needs %u", k->d->op,
                    r->params ? r->params_size : 0, k->params_size);
  if (k->ws_min > 0 && (!r->ws.mem || r->ws.size < k->ws_min))
    return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG,
                    "operator 0x%08x: %llu bytes of workspace, it needs %llu", k->d->op,
                    (unsigned long long)(r->ws.mem ? r->ws.size : 0), (unsigned long long)k->ws_min);
  for (i = 0; i < k->n_arg; ++i) {
    opmux_status s = kit_bind_arg(k, i, &r->arg[i], r->params, &arg[i], err);
    if (s != OPMUX_OK) return s;
  }
  call->d = k->d;
  call->arg = arg;
  call->ws = r->ws.mem ? kit_to_ptr(r->ws.mem, r->ws.offset) : NULL;
  call->params = r->params;
  call->state = k->state;
  call->host = &k->dev->plugin->host;
  call->cancel = r->cancel;
  return OPMUX_OK;
}

static inline opmux_status kit_run_call(opmux_status (*run)(const kit_call*, opmux_err*),
                                        const kit_call* call, opmux_err* err) {
  if (call->cancel && call->host->cancelled(call->host->self, call->cancel))
    return kit_fail(err, OPMUX_E_CANCELLED, OPMUX_NO_ARG, "cancelled before operator 0x%08x", call->d->op);
  return run(call, err);
}

/* One run with its waits and signals; a failure goes to the timelines that it would have signalled. */
static inline opmux_status kit_run_synced(const opmux_run* r, opmux_err* err) {
  void* arg[KIT_MAX_ARGS];
  char text[KIT_SENTENCE];
  kit_call call;
  opmux_err own = {OPMUX_HDR(opmux_err), 0, 0, 0, sizeof text, 0, OPMUX_NO_ARG, text};
  opmux_status s = OPMUX_OK;
  uint32_t i;
  for (i = 0; i < r->n_wait && s == OPMUX_OK; ++i)
    s = kit_tl_wait(r->wait[i].tl, r->wait[i].value, UINT64_MAX, &own);
  if (s == OPMUX_OK) s = kit_resolve(r, arg, &call, &own);
  if (s == OPMUX_OK) s = kit_run_call(r->kernel->op->run, &call, &own);
  for (i = 0; i < r->n_signal && s == OPMUX_OK; ++i)
    s = kit_tl_signal(r->signal[i].tl, r->signal[i].value, &own);
  if (s == OPMUX_OK) return s;
  for (i = 0; i < r->n_signal; ++i) kit_tl_fail(r->signal[i].tl, s, own.msg, own.msg_len);
  return kit_fail(err, s, own.arg_index, "%.*s", (int)own.msg_len, own.msg);
}

/* The run as far as its writer made it, the rest zero. */
static inline opmux_run kit_run_copy(const opmux_run* from) {
  opmux_run r;
  memset(&r, 0, sizeof r);
  memcpy(&r, from, from->h.size < sizeof r ? from->h.size : sizeof r);
  return r;
}

static inline const opmux_run* kit_run_at(const opmux_run* runs, uint32_t stride, uint32_t i) {
  return (const opmux_run*)(const void*)((const char*)runs + (uint64_t)i * stride);
}

static inline opmux_status OPMUX_CALL kit_queue_enqueue(opmux_queue q, const opmux_run* runs, uint32_t stride,
                                                        uint32_t n, opmux_err* err) {
  void* arg[KIT_MAX_ARGS];
  kit_call call;
  uint32_t i;
  (void)q;
  for (i = 0; i < n; ++i) {
    const opmux_run* r = kit_run_at(runs, stride, i);
    opmux_status s;
    if (OPMUX_HAS(r, opmux_run, n_signal) && (r->n_wait | r->n_signal)) {
      s = kit_run_synced(r, err);
    } else {
      s = kit_resolve(r, arg, &call, err);
      if (s == OPMUX_OK) s = kit_run_call(r->kernel->op->run, &call, err);
    }
    if (s != OPMUX_OK) return s;
  }
  return OPMUX_OK;
}

/* All work is done when enqueue returns, and its failure was returned there. */
static inline opmux_status OPMUX_CALL kit_queue_finish(opmux_queue q, uint64_t timeout_ns, opmux_err* err) {
  (void)q;
  (void)timeout_ns;
  (void)err;
  return OPMUX_OK;
}

static inline opmux_status kit_record_size(const opmux_run* runs, uint32_t stride, uint32_t n, uint64_t* size,
                                           opmux_err* err) {
  uint32_t i;
  *size = kit_round_up(sizeof(struct opmux_commands_s), 16) + n * kit_round_up(sizeof(kit_node), 16);
  for (i = 0; i < n; ++i) {
    const opmux_run* r = kit_run_at(runs, stride, i);
    if (!OPMUX_HAS(r, opmux_run, kernel) || !r->kernel)
      return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG, "record: run %u has no kernel", i);
    if (r->n_wait | r->n_signal)
      return kit_fail(err, OPMUX_E_UNSUPPORTED, OPMUX_NO_ARG,
                      "record: run %u waits for or signals a timeline", i);
    *size += kit_round_up(r->kernel->n_arg * sizeof(void*), 16) + kit_round_up(r->kernel->params_size, 16);
  }
  return OPMUX_OK;
}

static inline opmux_status OPMUX_CALL kit_queue_record(opmux_queue q, const opmux_run* runs, uint32_t stride,
                                                       uint32_t n, opmux_commands* out, opmux_err* err) {
  const opmux_host_api* host = &q->dev->plugin->host;
  opmux_commands c;
  uint64_t size;
  kit_bump b;
  uint32_t i;
  opmux_status s = kit_record_size(runs, stride, n, &size, err);
  *out = NULL;
  if (s != OPMUX_OK) return s;
  c = (opmux_commands)host->alloc(host->self, size, 16);
  if (!c)
    return kit_fail(err, OPMUX_E_OUT_OF_MEMORY | OPMUX_F_RETRYABLE, OPMUX_NO_ARG,
                    "record: no memory for %u runs", n);
  b.base = (char*)c;
  b.used = kit_round_up(sizeof *c, 16);
  c->host = host;
  c->block_size = size;
  c->n = n;
  c->reserved = 0;
  c->node = (kit_node*)kit_bump_put(&b, NULL, n * sizeof(kit_node));
  for (i = 0; i < n && s == OPMUX_OK; ++i) {
    opmux_run r = kit_run_copy(kit_run_at(runs, stride, i));
    kit_node* node = &c->node[i];
    node->arg = (void**)kit_bump_put(&b, NULL, r.kernel->n_arg * sizeof(void*));
    if (r.params && r.params_size >= r.kernel->params_size)
      r.params = kit_bump_put(&b, r.params, r.kernel->params_size);
    node->run = r.kernel->op->run;
    node->kernel = r.kernel;
    s = kit_resolve(&r, node->arg, &node->call, err);
  }
  if (s != OPMUX_OK)
    host->free_(host->self, c, size, 16);
  else
    *out = c;
  return s;
}

/* A rebind stays in force for later replays. */
static inline opmux_status OPMUX_CALL kit_queue_replay(opmux_queue q, opmux_commands c,
                                                       const opmux_rebind* rebinds, uint32_t n,
                                                       opmux_err* err) {
  opmux_status s = OPMUX_OK;
  uint32_t i;
  (void)q;
  for (i = 0; i < n; ++i) {
    const opmux_rebind* r = &rebinds[i];
    if (r->run >= c->n || r->arg >= c->node[r->run].kernel->n_arg)
      return kit_fail(err, OPMUX_E_INVALID, r->arg, "replay: operand %u of run %u, there are %u runs", r->arg,
                      r->run, c->n);
    s = kit_bind_arg(c->node[r->run].kernel, r->arg, &r->bind, c->node[r->run].call.params,
                     &c->node[r->run].arg[r->arg], err);
    if (s != OPMUX_OK) return s;
  }
  for (i = 0; i < c->n && s == OPMUX_OK; ++i) s = kit_run_call(c->node[i].run, &c->node[i].call, err);
  return s;
}

static inline void OPMUX_CALL kit_queue_release(opmux_commands c) {
  if (c) c->host->free_(c->host->self, c, c->block_size, 16);
}

static inline opmux_status OPMUX_CALL kit_queue_signal(opmux_queue q, opmux_tl tl, uint64_t value,
                                                       opmux_err* err) {
  (void)q;
  return kit_tl_signal(tl, value, err);
}

static inline opmux_status OPMUX_CALL kit_queue_wait(opmux_queue q, opmux_tl tl, uint64_t value,
                                                     opmux_err* err) {
  (void)q;
  return kit_tl_wait(tl, value, UINT64_MAX, err);
}

static inline opmux_status OPMUX_CALL kit_op_pack(opmux_queue q, const opmux_opd* d, uint32_t operand,
                                                  uint32_t layout, const opmux_bind* src,
                                                  const opmux_bind* dst, opmux_err* err) {
  return kit_pack_on(q->dev, d, operand, layout, src, dst, err);
}

static const opmux_queue_api kit_queue = {OPMUX_HDR_TAG(opmux_queue_api, OPMUX_I_QUEUE),
                                          kit_queue_create,
                                          kit_queue_destroy,
                                          kit_queue_copy,
                                          kit_queue_enqueue,
                                          kit_queue_finish,
                                          kit_queue_record,
                                          kit_queue_replay,
                                          kit_queue_release,
                                          kit_tl_create,
                                          kit_tl_destroy,
                                          kit_tl_wait,
                                          kit_tl_signal,
                                          kit_queue_signal,
                                          kit_queue_wait};

static const opmux_op_api kit_ops = {OPMUX_HDR_TAG(opmux_op_api, OPMUX_I_OP),
                                     kit_op_query,
                                     kit_op_prepare,
                                     kit_op_release,
                                     kit_op_packed_size,
                                     kit_op_pack};

#endif
