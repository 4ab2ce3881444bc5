/* SPDX-License-Identifier: Apache-2.0
 * A whole Opmux plugin in one file: matrix multiplication of f32 matrices with any strides, in host memory.
 *
 *   cc -shared -fPIC -I sdk/include -I sdk plugin.c -o opmux_minimal.so
 *
 * The kit supplies memory, queues, recording and the rules of the interface; what is left is to say honestly
 * what the operator can do (query) and to do it (run). */
#include <stddef.h>

#include "kit/host_device.h"
#include "kit/plugin.h"
#include "opmux/ops.h"

/* Everything below this line stays inside the library. */
OPMUX_PLUGIN("minimal", "1.0.0", OPMUX_PF_UNLOADABLE, 0, &kit_core)

/* Every NO names the operand and both numbers, so that `opmux why` can tell the user. Counts, ranks and
 * pointers of the common head have been checked by the kit. */
static void matmul_query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  const opmux_op_matmul* m = (const opmux_op_matmul*)(const void*)d;
  uint32_t i;
  (void)info;
  if (d->n_prog != 0) {
    kit_no(cap, OPMUX_WHY_PROGRAM, 0, 0, d->n_prog, 0);
    return;
  }
  if (d->n_in != 2 || d->n_out != 1) {
    kit_no(cap, OPMUX_WHY_INVALID, OPMUX_NO_ARG, 0, (int64_t)d->n_in + d->n_out, 3);
    return;
  }
  for (i = 0; i < 3; ++i) {
    const opmux_tdesc* t = kit_operand(d, i);
    if (t->dtype != OPMUX_F32) {
      kit_no(cap, OPMUX_WHY_DTYPE, i, 0, t->dtype, OPMUX_F32);
      return;
    }
    if (t->rank != 2) {
      kit_no(cap, OPMUX_WHY_RANK, i, 0, t->rank, 2);
      return;
    }
    if (t->layout != 0) {
      kit_no(cap, OPMUX_WHY_LAYOUT, i, 0, t->layout, 0);
      return;
    }
  }
  if (d->in[1].dim[0] != d->in[0].dim[1])
    kit_no(cap, OPMUX_WHY_DIM, 1, 0, d->in[1].dim[0], d->in[0].dim[1]);
  else if (d->out[0].dim[0] != d->in[0].dim[0])
    kit_no(cap, OPMUX_WHY_DIM, 2, 0, d->out[0].dim[0], d->in[0].dim[0]);
  else if (d->out[0].dim[1] != d->in[1].dim[1])
    kit_no(cap, OPMUX_WHY_DIM, 2, 1, d->out[0].dim[1], d->in[1].dim[1]);
  else if (m->acc_dtype != OPMUX_F32)
    kit_no(cap, OPMUX_WHY_ATTR, (uint32_t)offsetof(opmux_op_matmul, acc_dtype), 0, m->acc_dtype, OPMUX_F32);
  else
    kit_yes(cap, OPMUX_ACC_STRICT, 0); /* 0: no model of the time it takes; the host measures */
}

static opmux_status matmul_run(const kit_call* call, opmux_err* err) {
  const opmux_tdesc *a = &call->d->in[0], *b = &call->d->in[1], *c = &call->d->out[0];
  const float *pa = (const float*)call->arg[0], *pb = (const float*)call->arg[1];
  float* pc = (float*)call->arg[2];
  int64_t i, j, k;
  (void)err; /* nothing can fail here; kit_fail(err, ...) would report it */
  for (i = 0; i < c->dim[0]; ++i)
    for (j = 0; j < c->dim[1]; ++j) {
      float sum = 0;
      for (k = 0; k < a->dim[1]; ++k)
        sum += pa[i * a->stride[0] + k * a->stride[1]] * pb[k * b->stride[0] + j * b->stride[1]];
      pc[i * c->stride[0] + j * c->stride[1]] = sum;
    }
  return OPMUX_OK;
}

static const kit_op minimal_ops[] = {
    {.op = OPMUX_OP_MATMUL,
     .variant = "plain",
     .query = matmul_query,
     .run = matmul_run,
     .desc_size = sizeof(opmux_op_matmul)},
};

const kit_device kit_the_device = {.name = "minimal", .kind = OPMUX_DEV_CPU, .ops = minimal_ops, .n_ops = 1};
