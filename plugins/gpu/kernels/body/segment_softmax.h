// SPDX-License-Identifier: Apache-2.0
// y = e^(x - greatest) over the sum of these, of each column of a segment, `width` lanes each; items are sorted.
//@group 128
//@in x items
//@out y
//@type sum
//@shared joined T_sum GK_GROUP_SIZE
//@params width n segments columns xrow yrow rank dims[8] xs[8] ys[8]
//@body
//@include segment_cell.h
T_sum own = TO_sum(-GK_INF);
#define GK_JOIN(a, b) (GK_ISNAN(a) ? (a) : ((a) >= (b) ? (a) : (b)))
for (uint i = from; i < to; ++i) {
  gk_pair item = LD_items(B_items + i);
  T_sum v = TO_sum(LD_x(x_at + item.y * GK_CODE(P_xrow)));
  own = GK_JOIN(own, v);
}
//@include row.h
#undef GK_JOIN
T_sum top = own;
own = TO_sum(0);
for (uint i = from; i < to; ++i) {
  gk_pair item = LD_items(B_items + i);
  own += GK_EXP(TO_sum(LD_x(x_at + item.y * GK_CODE(P_xrow))) - top);
}
#define GK_JOIN(a, b) ((a) + (b))
//@include row.h
for (uint i = from; i < to; ++i) {
  gk_pair item = LD_items(B_items + i);
  T_sum e = GK_EXP(TO_sum(LD_x(x_at + item.y * GK_CODE(P_xrow))) - top) / own;
  ST_y(y_at + item.y * GK_CODE(P_yrow), GK_RESULT(e));
}
