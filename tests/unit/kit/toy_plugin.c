/* SPDX-License-Identifier: Apache-2.0
 * A plugin with few operators that shows each duty of the kit: variants, workspace, state, scalars, packing,
 * faults. Compiled as C11 and as C++20. */
#include <math.h>

#include "kit/host_device.h"
#include "kit/plugin.h"
#include "opmux/ops.h"
OPMUX_PLUGIN("toy", "0.1", OPMUX_PF_UNLOADABLE | OPMUX_PF_FORK_SAFE, 0, &kit_core)

static float* toy_at(const kit_call* c, uint32_t i) { return (float*)c->arg[i]; }

/* fill "row": rank 1 only. Needs 64 bytes of workspace, through which the value goes. */
static void row_query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  (void)info;
  if (d->out[0].rank != 1) {
    kit_no(cap, OPMUX_WHY_RANK, 1, 0, d->out[0].rank, 1);
    return;
  }
  kit_yes(cap, OPMUX_ACC_STRICT, 100);
  cap->ws_min = cap->ws_best = 64;
}
static opmux_status row_run(const kit_call* c, opmux_err* err) {
  float* ws = (float*)c->ws;
  int64_t i;
  (void)err;
  ws[15] = *toy_at(c, 0);
  for (i = 0; i < c->d->out[0].dim[0]; ++i) toy_at(c, 1)[i * c->d->out[0].stride[0]] = ws[15];
  return OPMUX_OK;
}

/* fill "square": rank 2, at most 100 rows, with a state that release gives back. */
static void square_query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  (void)info;
  if (d->out[0].rank != 2)
    kit_no(cap, OPMUX_WHY_RANK, 1, 0, d->out[0].rank, 2);
  else if (d->out[0].dim[0] > 100)
    kit_no(cap, OPMUX_WHY_DIM, 1, 0, d->out[0].dim[0], 100);
  else
    kit_yes(cap, OPMUX_ACC_STRICT, 0);
}
static opmux_status square_prepare(const opmux_host_api* host, const opmux_opd* d, void** state,
                                   opmux_err* err) {
  const opmux_opd** kept = (const opmux_opd**)host->alloc(host->self, sizeof *kept, 8);
  if (!kept) return kit_fail(err, OPMUX_E_OUT_OF_MEMORY, OPMUX_NO_ARG, "fill: no memory for the state");
  *kept = d;
  *state = kept;
  return OPMUX_OK;
}
static void square_release(const opmux_host_api* host, void* state) {
  host->free_(host->self, state, sizeof(const opmux_opd*), 8);
}
static opmux_status square_run(const kit_call* c, opmux_err* err) {
  const opmux_opd* d = *(const opmux_opd**)c->state;
  int64_t i, j;
  (void)err;
  for (i = 0; i < d->out[0].dim[0]; ++i)
    for (j = 0; j < d->out[0].dim[1]; ++j)
      toy_at(c, 1)[i * d->out[0].stride[0] + j * d->out[0].stride[1]] = *toy_at(c, 0);
  return OPMUX_OK;
}

/* softmax stands for an operator with attributes: writes its own epsilon-free attributes; axis 7 faults. */
static void attr_query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  const opmux_op_softmax* s = (const opmux_op_softmax*)(const void*)d;
  (void)info;
  if (s->axis > 7)
    kit_no(cap, OPMUX_WHY_ATTR, (uint32_t)offsetof(opmux_op_softmax, axis), 0, s->axis, 7);
  else
    kit_yes(cap, OPMUX_ACC_STRICT, (uint64_t)fabs(-5.0));
}
static opmux_status attr_run(const kit_call* c, opmux_err* err) {
  const opmux_op_softmax* s = (const opmux_op_softmax*)(const void*)c->d;
  if (s->axis == 7) return kit_fail(err, OPMUX_E_FAULT, 0, "softmax: axis %u is at fault", s->axis);
  toy_at(c, 1)[0] = toy_at(c, 0)[0] + (float)s->axis + 10 * (float)s->kind;
  return OPMUX_OK;
}

/* matmul packs operand 1 in layout 9: every value doubled. */
static void pack_query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  (void)info;
  kit_yes(cap, OPMUX_ACC_STRICT, 1);
  if ((d->in[1].flags & OPMUX_T_CONST) && cap->layout_cap > 1) cap->in_layout[1] = 9;
}
static opmux_status pack_run(const kit_call* c, opmux_err* err) {
  (void)err;
  toy_at(c, 2)[0] = toy_at(c, 0)[0] * toy_at(c, 1)[0] / (c->d->in[1].layout == 9 ? 2.0f : 1.0f);
  return OPMUX_OK;
}
static opmux_status pack_size(const opmux_opd* d, uint32_t operand, uint32_t layout, uint64_t* size,
                              uint64_t* arg, opmux_err* err) {
  if (layout != 9) return kit_fail(err, OPMUX_E_UNSUPPORTED, operand, "matmul: layout %u is not 9", layout);
  *size = (uint64_t)d->in[operand].dim[0] * (uint64_t)d->in[operand].dim[1] * sizeof(float);
  *arg = 77;
  return OPMUX_OK;
}
static opmux_status pack_do(const opmux_host_api* host, const opmux_opd* d, uint32_t operand, uint32_t layout,
                            const void* src, void* dst, opmux_err* err) {
  int64_t i, n = d->in[operand].dim[0] * d->in[operand].dim[1];
  (void)host;
  (void)layout;
  (void)err;
  for (i = 0; i < n; ++i) ((float*)dst)[i] = 2 * ((const float*)src)[i];
  return OPMUX_OK;
}

static const kit_op toy_ops[] = {
    {OPMUX_OP_FILL, "row", row_query, NULL, NULL, row_run, NULL, NULL, sizeof(opmux_op_fill), 1},
    {OPMUX_OP_FILL, "square", square_query, square_prepare, square_release, square_run, NULL, NULL,
     sizeof(opmux_op_fill), 2},
    {OPMUX_OP_SOFTMAX, "attr", attr_query, NULL, NULL, attr_run, NULL, NULL, sizeof(opmux_op_softmax), 1},
    {OPMUX_OP_MATMUL, "packed", pack_query, NULL, NULL, pack_run, pack_size, pack_do, sizeof(opmux_op_matmul),
     1},
};

static int toy_validate(const opmux_opd* d, opmux_cap* cap) {
  if (d->n_out != 1) return kit_no(cap, OPMUX_WHY_INVALID, OPMUX_NO_ARG, 0, d->n_out, 1);
  return 1;
}

const kit_device kit_the_device = {"toy", OPMUX_DEV_CPU, 0, toy_ops, 4, toy_validate, NULL, NULL};

int toy_would_leak_without_the_pragma(void);
int toy_would_leak_without_the_pragma(void) { return 1; }
