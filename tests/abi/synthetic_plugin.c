/* SPDX-License-Identifier: Apache-2.0
 * A plugin of a version that does not exist: the same source against headers of several synthetic versions.
 * In a grown one its tables carry poison in the functions that no other version knows. */
#include <stdlib.h>

#include "kit/host_device.h"
#include "kit/plugin.h"
#include "opmux/ops.h"

#if OPMUX_ABI_MINOR == 999
#define GROWN 1
#else
#define GROWN 0
#endif

static const opmux_core_api synthetic_core;
OPMUX_PLUGIN("synthetic", "1", OPMUX_PF_UNLOADABLE, 0, &synthetic_core)

static void fill_query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  (void)info;
  if (d->out[0].dtype != OPMUX_F32 || d->out[0].rank != 1)
    kit_no(cap, OPMUX_WHY_RANK, 1, 0, d->out[0].rank, 1);
  else
    kit_yes(cap, OPMUX_ACC_STRICT, 100);
}

typedef struct fill_work {
  const float* from;
  float* to;
  uint64_t step;
} fill_work;

static void OPMUX_CALL fill_part(void* ctx, uint64_t begin, uint64_t end, uint32_t worker) {
  const fill_work* w = (const fill_work*)ctx;
  uint64_t i;
  (void)worker;
  for (i = begin; i < end; ++i) w->to[i * w->step] = *w->from;
}

static opmux_status fill_run(const kit_call* c, opmux_err* err) {
  fill_work w;
  (void)err;
  w.from = (const float*)c->arg[0];
  w.to = (float*)c->arg[1];
  w.step = (uint64_t)c->d->out[0].stride[0];
  return c->host->parallel(c->host->self, (uint64_t)c->d->out[0].dim[0], 2, fill_part, &w);
}

static const kit_op synthetic_ops[] = {
    {OPMUX_OP_FILL, "plain", fill_query, NULL, NULL, fill_run, NULL, NULL, sizeof(opmux_op_fill), 1}};
const kit_device kit_the_device = {"synthetic", OPMUX_DEV_CPU, 0, synthetic_ops, 1, NULL, NULL};

#if GROWN
#define TABLE(T, from)                                                          \
  do {                                                                          \
    static T grown;                                                             \
    grown = (from);                                                             \
    memset((void*)&grown.future_0, 0xa5, sizeof grown - offsetof(T, future_0)); \
    return &grown.h;                                                            \
  } while (0)
#else
#define TABLE(T, from) return &(from).h
#endif

static const opmux_hdr* OPMUX_CALL synthetic_interface(uint32_t id) {
  if (id == OPMUX_I_DEV) TABLE(opmux_dev_api, kit_dev);
  if (id == OPMUX_I_MEM) TABLE(opmux_mem_api, kit_mem);
  if (id == OPMUX_I_QUEUE) TABLE(opmux_queue_api, kit_queue);
  if (id == OPMUX_I_OP) TABLE(opmux_op_api, kit_ops);
  return NULL;
}

static const opmux_core_api synthetic_core = {OPMUX_HDR_TAG(opmux_core_api, OPMUX_I_CORE), kit_core_open,
                                              kit_core_quiesce, kit_core_close, synthetic_interface};
