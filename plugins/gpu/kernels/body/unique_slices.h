// SPDX-License-Identifier: Apache-2.0
// y = the slices of x that `from` names along the first axis of the walk, n of them; `each` elements a slice; zero
// where it names none.
//@group 128
//@in x from
//@out y
//@params n each step rank dims[8] xs[8] ys[8]
//@body
uint element = GK_ELEMENT;
uint rest = element;
uint x_at = B_x;
uint y_at = B_y;
GK_WALK(rest, P_rank, P_dims, GK_STEP(x_at, P_xs) GK_STEP(y_at, P_ys))
if (rest == 0u) {
  uint at = LD_from(B_from + element / GK_CODE(P_each));
  T_x v = TO_x(0);
  if (at < GK_CODE(P_n)) v = LD_x(x_at + at * GK_CODE(P_step));
  ST_y(y_at, v);
}
