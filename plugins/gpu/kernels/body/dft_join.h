// SPDX-License-Identifier: Apache-2.0
// y = x times its last row, of `rows` others; the parts are exchanged, so that the transform that follows is an
// inverse.
//@group 128
//@in x
//@out y
//@type work
//@params count rows size
//@body
uint e = GK_ELEMENT;
if (e < GK_CODE(P_count)) {
  uint size = GK_CODE(P_size);
  uint with = B_x + 2u * (GK_CODE(P_rows) * size + e % size);
  T_work scale = TO_work(1) / TO_work(size);
  T_work c = LD_x(with) * scale;
  T_work s = LD_x(with + 1u) * scale;
  T_work a = LD_x(B_x + 2u * e);
  T_work b = LD_x(B_x + 2u * e + 1u);
  ST_y(B_y + 2u * e, a * s + b * c);
  ST_y(B_y + 2u * e + 1u, a * c - b * s);
}
