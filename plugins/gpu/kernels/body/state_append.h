// SPDX-License-Identifier: Apache-2.0
// Rows of x into the state y [B, H, capacity, D], from row `past` on.
//@group 128
//@in x past_len
//@out y
//@faults
//@params fresh capacity row rank dims[8] xs[8] ys[8]
//@body
uint rest = GK_ELEMENT;
uint x_at = B_x;
uint y_at = B_y;
GK_WALK(rest, P_rank, P_dims, GK_STEP(x_at, P_xs) GK_STEP(y_at, P_ys))
T_past_len given = LD_past_len(B_past_len);
bool sound = given >= TO_past_len(0) && given <= TO_past_len(GK_CODE(P_capacity)) - TO_past_len(GK_CODE(P_fresh));
if (rest == 0u) {
  if (sound) {
    ST_y(y_at + GK_U32(given) * GK_CODE(P_row), LD_x(x_at));
  } else {
    GK_FAULT();
  }
}
