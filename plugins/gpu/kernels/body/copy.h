// SPDX-License-Identifier: Apache-2.0
// y = x, element by element; x may repeat.
//@group 128
//@in x
//@out y
//@params rank dims[8] xs[8] ys[8]
//@body
uint rest = GK_ELEMENT;
uint x_at = B_x;
uint y_at = B_y;
GK_WALK(rest, P_rank, P_dims, GK_STEP(x_at, P_xs) GK_STEP(y_at, P_ys))
if (rest == 0u) ST_y(y_at, LD_x(x_at));
