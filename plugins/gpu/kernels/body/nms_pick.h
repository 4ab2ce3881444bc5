// SPDX-License-Identifier: Apache-2.0
// The boxes of one class of one image that overlap no better one: a group a class. In each round its lanes drop
// what overlaps the box that was taken last and look for the best of the rest; rounds follow on each other, for
// what is taken depends on all that was taken before. list: of class t, from t (2 n + 1) on, how many were taken,
// which, and which boxes are out.
//@group 128
//@in boxes scores max_output iou score
//@rw list
//@shared best double GK_GROUP_SIZE
//@shared place uint GK_GROUP_SIZE
//@params classes n center bs[3] ss[3] has_iou iou_wide has_score score_wide
//@use numbers.h resample.h
//@body
// Low and high ends of a box along y (0) and x (1).
#define GK_BOX(low_0, low_1, high_0, high_1, i)                          \
  GK_PRECISE double low_0 = GK_BOX_WORD(i, 0u);                          \
  GK_PRECISE double low_1 = GK_BOX_WORD(i, 1u);                          \
  GK_PRECISE double high_0 = GK_BOX_WORD(i, 2u);                         \
  GK_PRECISE double high_1 = GK_BOX_WORD(i, 3u);                         \
  if (GK_CODE(P_center) != 0u) {                                         \
    GK_PRECISE double half_0 = high_0 * GK_HALF;                         \
    GK_PRECISE double half_1 = high_1 * GK_HALF;                         \
    high_0 = low_0 + half_0;                                             \
    high_1 = low_1 + half_1;                                             \
    low_0 = low_0 - half_0;                                              \
    low_1 = low_1 - half_1;                                              \
  } else {                                                               \
    GK_ORDER(low_0, high_0)                                              \
    GK_ORDER(low_1, high_1)                                              \
  }
#define GK_BOX_WORD(i, k) GK_F64(LD_boxes(box_at + (i) * GK_CODE(P_bs + 1) + (k) * GK_CODE(P_bs + 2)))
#define GK_ORDER(a, b)                                                   \
  {                                                                      \
    double lesser = b < a ? b : a;                                       \
    double greater = a < b ? b : a;                                      \
    a = lesser;                                                          \
    b = greater;                                                         \
  }
uint lane = GK_LANE;
uint task = p.first + GK_GROUP_X;
uint n = GK_CODE(P_n);
uint image = task / GK_CODE(P_classes);
uint list_at = B_list + task * (2u * n + 1u);
uint score_at = B_scores + image * GK_CODE(P_ss) + task % GK_CODE(P_classes) * GK_CODE(P_ss + 1);
uint box_at = B_boxes + image * GK_CODE(P_bs);
double limit = GK_F64(0);
double threshold = GK_F64(0);
if (GK_CODE(P_has_iou) != 0u) limit = GK_NUMBER(iou, B_iou, 0u, GK_CODE(P_iou_wide));
if (GK_CODE(P_has_score) != 0u) threshold = GK_NUMBER(score, B_score, 0u, GK_CODE(P_score_wide));
T_max_output asked = LD_max_output(B_max_output);
uint rounds = asked <= TO_max_output(0) ? 0u : (asked >= TO_max_output(n) ? n : GK_U32(asked));
for (uint i = lane; i < n; i += GK_U32(GK_GROUP_SIZE)) {
  T_scores v = LD_scores(score_at + i * GK_CODE(P_ss + 2));
  bool out_of_it = GK_ISNAN(v);
  if (GK_CODE(P_has_score) != 0u && !(GK_F64(v) > threshold)) out_of_it = true;
  list[list_at + 1u + n + i] = out_of_it ? 1u : 0u;
}
double a_low_0 = GK_F64(0);
double a_low_1 = GK_F64(0);
double a_high_0 = GK_F64(0);
double a_high_1 = GK_F64(0);
double a_area = GK_F64(0);
uint taken = 0u;
bool more = rounds > 0u;
while (more) {
  double own = GK_F64(0);
  uint own_place = 0xffffffffu;
  for (uint i = lane; i < n; i += GK_U32(GK_GROUP_SIZE)) {
    if (list[list_at + 1u + n + i] != 0u) continue;
    bool dropped = false;
    if (taken > 0u) {
      GK_BOX(low_0, low_1, high_0, high_1, i)
      GK_PRECISE double side_0 = (high_0 < a_high_0 ? high_0 : a_high_0) - (low_0 < a_low_0 ? a_low_0 : low_0);
      GK_PRECISE double side_1 = (high_1 < a_high_1 ? high_1 : a_high_1) - (low_1 < a_low_1 ? a_low_1 : low_1);
      GK_PRECISE double area = (high_0 - low_0) * (high_1 - low_1);
      GK_PRECISE double both = side_0 * side_1;
      GK_PRECISE double all = area + a_area;
      all = all - both;
      GK_PRECISE double ratio = both / all;
      dropped = side_0 > GK_F64(0) && side_1 > GK_F64(0) && area > GK_F64(0) && a_area > GK_F64(0) &&
                all > GK_F64(0) && ratio > limit;
    }
    double v = GK_F64(LD_scores(score_at + i * GK_CODE(P_ss + 2)));
    if (dropped) {
      list[list_at + 1u + n + i] = 1u;
    } else if (own_place == 0xffffffffu || v > own) {
      own = v;
      own_place = i;
    }
  }
  best[lane] = own;
  place[lane] = own_place;
  for (uint half_width = GK_U32(GK_GROUP_SIZE) / 2u; half_width > 0u; half_width = half_width / 2u) {
    GK_BARRIER();
    if (lane < half_width) {
      double v = best[lane + half_width];
      uint i = place[lane + half_width];
      bool better = place[lane] == 0xffffffffu || v > best[lane] || (v == best[lane] && i < place[lane]);
      if (i != 0xffffffffu && better) {
        best[lane] = v;
        place[lane] = i;
      }
    }
  }
  GK_BARRIER();
  uint winner = place[0];
  GK_BARRIER();
  more = winner != 0xffffffffu;
  if (more) {
    if (winner % GK_U32(GK_GROUP_SIZE) == lane) list[list_at + 1u + n + winner] = 1u;
    if (lane == 0u) list[list_at + 1u + taken] = winner;
    GK_BOX(low_0, low_1, high_0, high_1, winner)
    a_low_0 = low_0;
    a_low_1 = low_1;
    a_high_0 = high_0;
    a_high_1 = high_1;
    GK_PRECISE double area = (high_0 - low_0) * (high_1 - low_1);
    a_area = area;
    ++taken;
    more = taken < rounds;
  }
}
if (lane == 0u) list[list_at] = taken;
