// SPDX-License-Identifier: Apache-2.0
// A query of a head against `keys` keys: `lane` of `width` takes a key of each block; what earlier blocks gave fades
// as a greater score comes (Milakov and Gimelshein 2018; Dao et al. 2022). Before: row_q has the query, `place` its
// key, `alive` whether it is of a sequence. GK_FIND(j) gives seen, bias, k_at, k_step, k_factor, the row of
// values in v_row[lane] and its factor in v_factor[lane]; GK_K loads an element of a key, GK_V of a value. After: acc
// and sum of the lane's columns of values, and top.
int window = GK_I32(GK_CODE(P_window));
T_sum scale = GK_REAL(P_scale);
T_sum cap = GK_REAL(P_cap);
uint width_q = GK_CODE(P_width_q);
uint values = GK_CODE(P_value_width);
bool causal = GK_CODE(P_causal) != 0u;
T_sum slope = TO_sum(0);
if (GK_CODE(P_sloped) != 0u) slope = TO_sum(LD_slopes(B_slopes + h * GK_CODE(P_slope_stride)));
T_sum top = TO_sum(-GK_INF);
T_sum sum = TO_sum(0);
T_sum acc[GK_SHARE];
for (uint e = 0u; e < GK_U32(GK_SHARE); ++e) acc[e] = TO_sum(0);
GK_BARRIER();
for (uint j0 = 0u; j0 < keys; j0 += width) {
  uint j = j0 + lane;
  int apart = place - GK_I32(j);
  T_sum score = TO_sum(-GK_INF);
  T_sum bias = TO_sum(0);
  T_sum k_factor = TO_sum(1);
  uint k_at = 0u;
  uint k_step = 0u;
  bool seen = alive && j < keys && !(causal && apart < 0) && !(window >= 0 && apart > window);
  if (seen) {
    GK_FIND(j)
  }
  if (seen) {
    T_sum dot_qk = TO_sum(0);
    for (uint e = 0u; e < width_q; ++e) dot_qk = gk_mad(row_q[e], GK_K(k_at + e * k_step), dot_qk);
    score = dot_qk * k_factor * scale;
    if (cap > TO_sum(0)) score = cap * GK_TANH(score / cap);
    score = score + (bias - slope * gk_fabs(TO_sum(apart)));
  }
  T_sum own = score;
#define GK_JOIN(a, b) (GK_ISNAN(a) ? (a) : ((a) > (b) ? (a) : (b)))
  //@include row.h
  T_sum next = GK_JOIN(top, own);
#undef GK_JOIN
  // While no key has been seen, all weights are 0.
  T_sum w = next == TO_sum(-GK_INF) ? TO_sum(0) : GK_EXP(score - next);
  T_sum fade = top == TO_sum(-GK_INF) ? TO_sum(0) : GK_EXP(top - next);
  weight[lane] = w;
  own = w;
#define GK_JOIN(a, b) ((a) + (b))
  //@include row.h
#undef GK_JOIN
  sum = sum * fade + own;
  top = next;
  for (uint e = 0u; e < GK_U32(GK_SHARE); ++e) acc[e] = acc[e] * fade;
  for (uint t = 0u; t < width && j0 + t < keys; ++t) {
    T_sum part = weight[t];
    // A key that is not seen adds nothing, whatever its value.
    if (part == TO_sum(0)) continue;
    for (uint e = 0u; e < GK_U32(GK_SHARE); ++e) {
      uint column = lane + e * width;
      if (column < values) acc[e] = gk_mad(part, GK_V(t, column), acc[e]);
    }
  }
  GK_BARRIER();
}
