// SPDX-License-Identifier: Apache-2.0
// y = the elements of x that items name, index = their positions along the axis; one of both at least.
//@group 128
//@in x items
//@out y index
//@params has_y has_index step rank dims[8] xs[8] ys[8] is[8]
//@body
uint element = GK_ELEMENT;
uint rest = element;
uint x_at = B_x;
uint y_at = B_y;
uint i_at = B_index;
GK_WALK(rest, P_rank, P_dims, GK_STEP(x_at, P_xs) GK_STEP(y_at, P_ys) GK_STEP(i_at, P_is))
if (rest == 0u) {
  gk_pair item = LD_items(B_items + element);
  if (GK_CODE(P_has_y) != 0u) ST_y(y_at, LD_x(x_at + item.y * GK_CODE(P_step)));
  if (GK_CODE(P_has_index) != 0u) ST_index(i_at, GK_PAIR_OF(item.y, 0u));
}
