// SPDX-License-Identifier: Apache-2.0
// y = softmax(scale q k^T, capped, plus biases) v: a group a query of a head. Keys come in blocks, a lane a key;
// what earlier blocks gave fades as a greater score comes (Milakov and Gimelshein 2018; Dao et al. 2022).
// Keys are `past` rows of the state, then the new ones.
//@group 64
//@in q k v mask past_k past_v past_len slopes
//@out y lse
//@shared weight float GK_GROUP_SIZE
//@shared joined float GK_GROUP_SIZE
//@shared row_q float GK_WIDTH
//@faults
//@params heads queries fresh head_group value_width capacity causal window scale cap slope_stride
//@params qs[4] ks[4] vs[4] ms[4] pks[4] pvs[4] ys[4] ls[4]
//@body
#define GK_ROW(s) (b * GK_CODE(s) + h * GK_CODE(s + 1) + i * GK_CODE(s + 2))
#define GK_KEY(s) (b * GK_CODE(s) + h / GK_CODE(P_head_group) * GK_CODE(s + 1))
uint width = GK_U32(GK_GROUP_SIZE);
uint lane = GK_LANE;
uint row = p.first + GK_GROUP_X;
uint i = row % GK_CODE(P_queries);
uint h = row / GK_CODE(P_queries) % GK_CODE(P_heads);
uint b = row / GK_CODE(P_queries) / GK_CODE(P_heads);
uint past = 0u;
bool sound = true;
#if defined(GK_PAST)
T_past_len given = LD_past_len(B_past_len);
sound = given >= TO_past_len(0) && given <= TO_past_len(GK_CODE(P_capacity)) - TO_past_len(GK_CODE(P_fresh));
if (sound) past = GK_U32(given);
if (!sound && lane == 0u) {
  GK_FAULT();
}
#endif
uint keys = sound ? past + GK_CODE(P_fresh) : 0u;
int place = GK_I32(i + past);
int window = GK_I32(GK_CODE(P_window));
float scale = gk_float(GK_CODE(P_scale));
float cap = gk_float(GK_CODE(P_cap));
uint values = GK_CODE(P_value_width);
for (uint e = lane; e < GK_U32(GK_WIDTH); e += width) row_q[e] = LD_q(B_q + GK_ROW(P_qs) + e * GK_CODE(P_qs + 3));
GK_BARRIER();
float top = -GK_INF;
float sum = 0.0f;
float acc[GK_SHARE];
for (uint e = 0u; e < GK_U32(GK_SHARE); ++e) acc[e] = 0.0f;
for (uint j0 = 0u; j0 < keys; j0 += width) {
  uint j = j0 + lane;
  float score = -GK_INF;
  float bias = 0.0f;
  bool seen = j < keys;
  if (GK_CODE(P_causal) != 0u && GK_I32(j) > place) seen = false;
  if (window >= 0 && GK_I32(j) < place - window) seen = false;
#if defined(GK_MASK)
  if (seen) {
    bias = GK_MASK(LD_mask(B_mask + GK_ROW(P_ms) + j * GK_CODE(P_ms + 3)));
    seen = !(bias == -GK_INF);
  }
#endif
#if defined(GK_SLOPED)
  bias = bias - LD_slopes(B_slopes + h * GK_CODE(P_slope_stride)) * gk_fabs(GK_F32(place) - GK_F32(j));
#endif
  if (seen) {
    float dot_qk = 0.0f;
#if defined(GK_PAST)
    if (j < past) {
      uint at = B_past_k + GK_KEY(P_pks) + j * GK_CODE(P_pks + 2);
      for (uint e = 0u; e < GK_U32(GK_WIDTH); ++e)
        dot_qk = gk_mad(row_q[e], LD_past_k(at + e * GK_CODE(P_pks + 3)), dot_qk);
    }
#endif
    if (j >= past) {
      uint at = B_k + GK_KEY(P_ks) + (j - past) * GK_CODE(P_ks + 2);
      for (uint e = 0u; e < GK_U32(GK_WIDTH); ++e) dot_qk = gk_mad(row_q[e], LD_k(at + e * GK_CODE(P_ks + 3)), dot_qk);
    }
    score = dot_qk * scale;
    if (cap > 0.0f) score = cap * gk_tanh(score / cap);
    score = score + bias;
  }
  float own = score;
#define GK_JOIN(a, b) (GK_ISNAN(a) ? (a) : ((a) > (b) ? (a) : (b)))
  //@include row.h
  float next = GK_JOIN(top, own);
#undef GK_JOIN
  // While no key has been seen, all weights are 0.
  float w = next == -GK_INF ? 0.0f : gk_exp(score - next);
  float fade = top == -GK_INF ? 0.0f : gk_exp(top - next);
  weight[lane] = w;
  own = w;
#define GK_JOIN(a, b) ((a) + (b))
  //@include row.h
#undef GK_JOIN
  sum = sum * fade + own;
  top = next;
  for (uint e = 0u; e < GK_U32(GK_SHARE); ++e) acc[e] = acc[e] * fade;
  for (uint t = 0u; t < width && j0 + t < keys; ++t) {
    float part = weight[t];
    // A key that is not seen adds nothing, whatever its value.
    if (part == 0.0f) continue;
    for (uint e = 0u; e < GK_U32(GK_SHARE); ++e) {
      uint column = lane + e * width;
      if (column >= values) break;
      float value = 0.0f;
#if defined(GK_PAST)
      if (j0 + t < past) value = LD_past_v(B_past_v + GK_KEY(P_pvs) + (j0 + t) * GK_CODE(P_pvs + 2) + column * GK_CODE(P_pvs + 3));
#endif
      if (j0 + t >= past) value = LD_v(B_v + GK_KEY(P_vs) + (j0 + t - past) * GK_CODE(P_vs + 2) + column * GK_CODE(P_vs + 3));
      acc[e] = gk_mad(part, value, acc[e]);
    }
  }
  GK_BARRIER();
}
if (sound) {
  for (uint e = 0u; e < GK_U32(GK_SHARE); ++e) {
    uint column = lane + e * width;
    if (column < values) ST_y(B_y + GK_ROW(P_ys) + column * GK_CODE(P_ys + 3), top == -GK_INF ? 0.0f : acc[e] / sum);
  }
#if defined(GK_LSE)
  if (lane == 0u) ST_lse(B_lse + GK_ROW(P_ls), top == -GK_INF ? top : top + gk_log(sum));
#endif
}
