// SPDX-License-Identifier: Apache-2.0
// y = the join of the rows of each segment, column by column, `width` lanes each; items are sorted.
//@group 128
//@in x items
//@out y
//@type sum
//@shared joined T_sum GK_GROUP_SIZE
//@params kind mean width n segments columns xrow yrow neutral[2] flip sign rank dims[8] xs[8] ys[8]
//@body
//@include joins.h
//@include segment_cell.h
T_sum own = GK_NEUTRAL;
for (uint i = from; i < to; ++i) {
  gk_pair item = LD_items(B_items + i);
  T_x v = LD_x(x_at + item.y * GK_CODE(P_xrow));
  T_sum term = GK_TERM(v);
  own = GK_JOIN(own, term);
}
//@include join_pieces.h
if (mine && lane == 0u) {
  uint count = end - begin;
  if (GK_CODE(P_mean) != 0u) own = GK_MEAN(own, count);
  ST_y(y_at + segment * GK_CODE(P_yrow), GK_RESULT(own));
}
