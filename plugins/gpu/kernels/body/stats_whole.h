// SPDX-License-Identifier: Apache-2.0
// counts and y of a whole tensor from its parts, of which there are no more than lanes.
//@group 128
//@in parts
//@out counts y
//@shared nans uint GK_GROUP_SIZE
//@shared infinities uint GK_GROUP_SIZE
//@shared zeros uint GK_GROUP_SIZE
//@shared numbers uint GK_GROUP_SIZE
//@shared lows double GK_GROUP_SIZE
//@shared highs double GK_GROUP_SIZE
//@shared means double GK_GROUP_SIZE
//@shared squares double GK_GROUP_SIZE
//@params count counts_step y_step
//@body
uint nan = 0u;
uint infinite = 0u;
uint zero = 0u;
uint number = 0u;
double low = GK_F64(GK_INF);
double high = -low;
double mean = GK_F64(0);
double square = GK_F64(0);
if (GK_LANE < GK_CODE(P_count)) {
  uint from = B_parts + 8u * GK_LANE;
  nan = GK_U32(LD_parts(from));
  infinite = GK_U32(LD_parts(from + 1u));
  zero = GK_U32(LD_parts(from + 2u));
  number = GK_U32(LD_parts(from + 3u));
  low = LD_parts(from + 4u);
  high = LD_parts(from + 5u);
  mean = LD_parts(from + 6u);
  square = LD_parts(from + 7u);
}
//@include stats_join.h
if (GK_LANE == 0u) {
  uint step = GK_CODE(P_counts_step);
  ST_counts(B_counts, TO_counts(nans[0]));
  ST_counts(B_counts + step, TO_counts(infinities[0]));
  ST_counts(B_counts + 2u * step, TO_counts(zeros[0]));
  step = GK_CODE(P_y_step);
  bool none = numbers[0] == 0u;
  double most = -lows[0] > highs[0] ? -lows[0] : highs[0];
  ST_y(B_y, none ? GK_F64(0) : gk_fabs(most));
  ST_y(B_y + step, lows[0]);
  ST_y(B_y + 2u * step, highs[0]);
  ST_y(B_y + 3u * step, none ? GK_F64(GK_NAN) : means[0]);
  ST_y(B_y + 4u * step, none ? GK_F64(GK_NAN) : squares[0] / GK_F64(numbers[0]));
}
