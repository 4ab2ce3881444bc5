// SPDX-License-Identifier: Apache-2.0
// y = x with elements added or cropped at the ends of its axes: the constant, or (by OPMUX_PAD_*) elements of x.
//@group 128
//@in x value
//@out y
//@params rank dims[8] ys[8] xs[8] xdims[8] begins[8] mode has_value
//@body
uint rest = GK_ELEMENT;
uint x_at = B_x;
uint y_at = B_y;
uint mode = GK_CODE(P_mode);
bool inside = true;
GK_WALK(rest, P_rank, P_dims, {
  int n = GK_I32(GK_CODE(GK_U32(P_xdims) + gk_axis));
  int c = GK_I32(gk_i) - GK_I32(GK_CODE(GK_U32(P_begins) + gk_axis));
  if (c < 0 || c >= n) {
    if (mode == 1u) inside = false;
    if (mode == 2u) c = c < 0 ? -c : 2 * (n - 1) - c;
    if (mode == 3u) c = c < 0 ? 0 : n - 1;
    if (mode == 4u) c = c < 0 ? c + n : c - n;
  }
  x_at += GK_U32(c) * GK_CODE(GK_U32(P_xs) + gk_axis);
  y_at += gk_i * GK_CODE(GK_U32(P_ys) + gk_axis);
})
if (rest == 0u) {
  T_y v = TO_y(0);
  if (inside) {
    v = LD_x(x_at);
  } else if (GK_CODE(P_has_value) != 0u) {
    v = LD_value(B_value);
  }
  ST_y(y_at, v);
}
