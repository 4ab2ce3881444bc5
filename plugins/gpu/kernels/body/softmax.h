// SPDX-License-Identifier: Apache-2.0
// y = program(softmax of `len` elements along one axis), `width` lanes a row or a part of it. Strides of the program's views:
// those of the rows, at 7 along the axis. A row of -infinity gives NaN, as -infinity less itself does.
//@group 128
//@in x
//@rw partial
//@type sum
//@shared joined T_sum GK_GROUP_SIZE
//@params width len split parts part stage second rank dims[8] rs[8] step
//@program
//@body
//@include parts.h
uint whole = rest;
uint x_at = B_x;
uint step = GK_CODE(P_step);
//@include operands.h
GK_WALK(whole, P_rank, P_dims, GK_STEP(x_at, P_rs))
//@include steps.h
#define GK_JOIN(a, b) (GK_ISNAN(a) ? (a) : ((a) > (b) ? (a) : (b)))
T_sum own = TO_sum(-GK_INF);
{
  GK_PASS(1u)
  for (uint i = from; i < to; i += width) {
    T_sum v;
    if (joins) {
      v = GK_LEFT(1u, i);
    } else {
      v = TO_sum(LD_x(x_at + i * step));
    }
    own = GK_JOIN(own, v);
  }
//@include row.h
  GK_LEAVE(1u, own)
}
#undef GK_JOIN
#define GK_JOIN(a, b) ((a) + (b))
T_sum top = own;
own = TO_sum(0);
{
  GK_PASS(2u)
  for (uint i = from; i < to; i += width) {
    T_sum v;
    if (joins) {
      v = GK_LEFT(2u, i);
    } else {
      v = GK_EXP(TO_sum(LD_x(x_at + i * step)) - top);
    }
    own += v;
  }
//@include row.h
  GK_LEAVE(2u, own)
}
#define GK_X(k) (xat[k] + i * GK_CODE(P_xs + 8 * (k) + 7))
#define GK_Y(k) (yat[k] + i * GK_CODE(P_ys + 8 * (k) + 7))
T_sum total = GK_TOTAL(own);
GK_PASS(3u)
for (uint i = from; i < to; i += width) {
  T_sum shifted = TO_sum(LD_x(x_at + i * step)) - top;
  T_sum v0 = GK_VALUE(shifted, total);
  //@program
}
