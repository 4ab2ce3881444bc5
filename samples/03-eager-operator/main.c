/* SPDX-License-Identifier: Apache-2.0
 * One operator at once, in plain C: y = relu(a b + bias) on the device that is named on the command line. */
#include <stdio.h>

#include "opmux/opmux.h"
#include "opmux/ops.h"

enum { M = 2, K = 3, N = 2 };

/* Contiguous f32 tensor of one or two dims. */
static opmux_tdesc f32(uint32_t rank, int64_t first, int64_t second) {
  opmux_tdesc d = {0};
  d.dtype = OPMUX_F32;
  d.rank = rank;
  d.dim[0] = first;
  d.stride[0] = rank == 2 ? second : 1;
  if (rank == 2) {
    d.dim[1] = second;
    d.stride[1] = 1;
  }
  return d;
}

static opmux_status matmul_bias_relu(opmux_context context, const char* device, float* a, float* b,
                                     float* bias, float* y, opmux_err* err) {
  /* The epilogue is a program over the sum (value 0) and the extra operand (value 1); instruction i makes
   * value 2 + i. bias has one dim and broadcasts over the rows. */
  const opmux_insn insn[] = {{OPMUX_FN_ADD, OPMUX_F32, 0, 1, 0, 0, 0},
                             {OPMUX_FN_RELU, OPMUX_F32, 2, 0, 0, 0, 0}};
  const uint32_t result[] = {3};
  const opmux_prog epilogue = {insn, result, 2, 1, OPMUX_SLOT_EPILOGUE(0), 2};
  const opmux_tdesc in[] = {f32(2, M, K), f32(2, K, N), f32(1, N, 0)};
  const opmux_tdesc out = f32(2, M, N);
  const opmux_tensor inputs[] = {{in[0], a}, {in[1], b}, {in[2], bias}};
  const opmux_tensor output = {out, y};
  opmux_op_matmul d = {0};
  d.o.h.size = sizeof d;
  d.o.op = OPMUX_OP_MATMUL;
  d.o.rev = 1;
  d.o.n_in = 3;
  d.o.n_out = 1;
  d.o.in = in;
  d.o.out = &out;
  d.o.prog = &epilogue;
  d.o.n_prog = 1;
  d.acc_dtype = OPMUX_F32;
  return opmux_op(context, device, &d.o, inputs, &output, err);
}

int main(int argc, char** argv) {
  float a[M * K] = {1, 2, 3, 4, 5, 6}, b[K * N] = {1, -1, 0, 2, 1, -3}, bias[N] = {0.5f, 1}, y[M * N];
  char text[512];
  opmux_err err = {.h = OPMUX_HDR(opmux_err), .msg = text, .msg_cap = sizeof text};
  opmux_context context = NULL;
  opmux_status status;
  if (argc > 2) {
    fprintf(stderr, "usage: eager_operator [DEVICE]\n");
    return 2;
  }
  status = opmux_context_create(NULL, &context, &err);
  if (status == OPMUX_OK) {
    status = matmul_bias_relu(context, argc > 1 ? argv[1] : "auto", a, b, bias, y, &err);
  }
  if (status == OPMUX_OK) {
    printf("%g %g\n%g %g\n", (double)y[0], (double)y[1], (double)y[2], (double)y[3]);
  } else {
    fprintf(stderr, "eager_operator: %s: %.*s\n", opmux_status_text(status), (int)err.msg_len, text);
  }
  if (context) (void)opmux_context_destroy(context, NULL);
  return status == OPMUX_OK ? 0 : 1;
}
