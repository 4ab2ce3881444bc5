// SPDX-License-Identifier: Apache-2.0
// y = the element of x that the tables of resize_table.h name; a lane an output. GK_OUTSIDE(v) puts the bits of
// the value outside into v.
//@group 128
//@in x place
//@out y
//@params rank dims[8] ys[8] xs[8] entry[8] weights[8] most[8] extrapolation[2]
//@body
uint rest = GK_ELEMENT;
uint x_at = B_x;
uint y_at = B_y;
//@include resize_places.h
if (rest == 0u && many != 0u) {
  T_y v = LD_x(x_at);
  if (outside) {
    GK_OUTSIDE(v)
  }
  ST_y(y_at, v);
}
