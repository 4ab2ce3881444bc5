// SPDX-License-Identifier: Apache-2.0
// y = x at coordinates that index holds: `count` numbers, `step` apart, each below its cdim. A number out of
// range is reported, and its element of y stays as it is.
//@group 128
//@in x index
//@out y
//@faults
//@params rank dims[8] ys[8] is[8] xs[8] count step cdim[8] cstride[8]
//@body
uint rest = GK_ELEMENT;
uint x_at = B_x;
uint i_at = B_index;
uint y_at = B_y;
GK_WALK(rest, P_rank, P_dims, GK_STEP(x_at, P_xs) GK_STEP(i_at, P_is) GK_STEP(y_at, P_ys))
if (rest == 0u) {
#define GK_FOUND(v, k) x_at += GK_U32(v) * GK_CODE(GK_U32(P_cstride) + k);
  //@include coordinates.h
  if (inside) {
    ST_y(y_at, LD_x(x_at));
  } else {
    GK_FAULT();
  }
}
