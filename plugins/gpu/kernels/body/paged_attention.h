// SPDX-License-Identifier: Apache-2.0
// attention for queries of sequences one after another over keys and values in pages: a group a query of a head.
// q and y lie by raw width, as the word q_format says, and pages by k_format, times factors on demand. Counts are
// cut to their bounds, another step reports them; pages that are used and outside are reported here.
//@group 64
//@in q k v table q_start k_len slopes k_scale v_scale
//@out y lse
//@type sum
//@shared weight T_sum GK_GROUP_SIZE
//@shared joined T_sum GK_GROUP_SIZE
//@shared row_q T_sum 512
//@shared v_row uint GK_GROUP_SIZE
//@shared v_factor T_sum GK_GROUP_SIZE
//@faults
//@params brain q_format k_format heads head_group width_q value_width causal window scale[3] cap[3] sloped slope_stride with_lse
//@params pages page most_keys sequences t_words q_words k_words q_step k_step scaled_k scaled_v
//@params qs[3] ks[4] vs[4] ts[2] kss[3] vss[3] ys[3] ls[2]
//@use values.h codes.h
//@body
#define GK_Q_START(n) GK_LOW(LD_q_start, B_q_start, (n) * GK_CODE(P_q_step), GK_CODE(P_q_words))
uint width = GK_U32(GK_GROUP_SIZE);
uint lane = GK_LANE;
uint row = p.first + GK_GROUP_X;
uint h = row % GK_CODE(P_heads);
uint i = row / GK_CODE(P_heads);
uint kv_head = h / GK_CODE(P_head_group);
uint page = GK_CODE(P_page);
// The last start that is not beyond the query.
uint low = 0u;
uint high = GK_CODE(P_sequences);
while (low < high) {
  uint middle = (low + high + 1u) / 2u;
  if (GK_Q_START(middle) <= i)
    low = middle;
  else
    high = middle - 1u;
}
bool alive = low < GK_CODE(P_sequences) && GK_Q_START(low) <= i;
uint keys = 0u;
int place = 0;
if (alive) {
  keys = GK_LOW(LD_k_len, B_k_len, low * GK_CODE(P_k_step), GK_CODE(P_k_words));
  if (keys > GK_CODE(P_most_keys)) keys = GK_CODE(P_most_keys);
  place = GK_I32(i + keys - GK_Q_START(low + 1u));
}
for (uint e = lane; e < GK_CODE(P_width_q); e += width)
  row_q[e] = gk_decode(LD_q(B_q + i * GK_CODE(P_qs) + h * GK_CODE(P_qs + 1) + e * GK_CODE(P_qs + 2)), GK_CODE(P_q_format));
uint format = GK_CODE(P_k_format);
uint v_step = GK_CODE(P_vs + 3);
#define GK_FIND(j)                                                                                                \
  uint t_at = low * GK_CODE(P_ts) + j / page * GK_CODE(P_ts + 1);                                                 \
  uint number = GK_LOW(LD_table, B_table, t_at, GK_CODE(P_t_words));                                              \
  uint of_page = j % page;                                                                                        \
  if (GK_HIGH(LD_table, B_table, t_at, GK_CODE(P_t_words)) != 0u || number >= GK_CODE(P_pages)) {                 \
    seen = false;                                                                                                 \
    GK_FAULT();                                                                                                   \
  }                                                                                                               \
  k_step = GK_CODE(P_ks + 3);                                                                                     \
  k_at = B_k + number * GK_CODE(P_ks) + of_page * GK_CODE(P_ks + 1) + kv_head * GK_CODE(P_ks + 2);                \
  v_row[lane] = B_v + number * GK_CODE(P_vs) + of_page * GK_CODE(P_vs + 1) + kv_head * GK_CODE(P_vs + 2);         \
  uint k_scale_at = number * GK_CODE(P_kss) + of_page * GK_CODE(P_kss + 1) + kv_head * GK_CODE(P_kss + 2);        \
  uint v_scale_at = number * GK_CODE(P_vss) + of_page * GK_CODE(P_vss + 1) + kv_head * GK_CODE(P_vss + 2);        \
  if (seen && GK_CODE(P_scaled_k) != 0u) k_factor = LD_k_scale(B_k_scale + k_scale_at);                           \
  v_factor[lane] = 1.0f;                                                                                          \
  if (seen && GK_CODE(P_scaled_v) != 0u) v_factor[lane] = LD_v_scale(B_v_scale + v_scale_at);
#define GK_K(at) gk_decode(LD_k(at), format)
#define GK_V(t, column) (v_factor[t] * gk_decode(LD_v(v_row[t] + column * v_step), format))
//@include attend.h
for (uint e = 0u; e < GK_U32(GK_SHARE); ++e) {
  uint column = lane + e * width;
  float result = top == -GK_INF ? 0.0f : acc[e] / sum;
  uint y_at = B_y + i * GK_CODE(P_ys) + h * GK_CODE(P_ys + 1) + column * GK_CODE(P_ys + 2);
  if (column < values) ST_y(y_at, gk_encode(result, GK_CODE(P_q_format)));
}
if (GK_CODE(P_with_lse) != 0u && lane == 0u)
  ST_lse(B_lse + i * GK_CODE(P_ls) + h * GK_CODE(P_ls + 1), top == -GK_INF ? top : top + gk_log(sum));
