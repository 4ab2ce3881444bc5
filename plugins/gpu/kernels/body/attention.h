// SPDX-License-Identifier: Apache-2.0
// y = softmax(scale q k^T, capped, plus biases) v: a group a query of a head. Keys are `past` rows of the state, then
// the new ones. Mode 1: lengths for each batch, 2: sequences between starts, 3: a state. What counts say beyond
// their bounds is cut; another step reports it.
//@group 64
//@in q k v mask blocks past_k past_v q_count k_count slopes
//@out y lse
//@type sum
//@shared weight T_sum GK_GROUP_SIZE
//@shared joined T_sum GK_GROUP_SIZE
//@shared row_q T_sum 512
//@shared v_row uint GK_GROUP_SIZE
//@params brain mode heads queries fresh capacity head_group width_q value_width causal window scale[3] cap[3] sloped
//@params slope_stride masked blocked block_q block_k with_lse q_words q_step k_words k_step sequences
//@params qs[4] ks[4] vs[4] ms[4] fs[4] pks[4] pvs[4] ys[4] ls[4]
//@use values.h
//@body
#define GK_ROW(s) (b * GK_CODE(s) + h * GK_CODE(s + 1) + i * GK_CODE(s + 2))
#define GK_KEY(s) (b * GK_CODE(s) + h / GK_CODE(P_head_group) * GK_CODE(s + 1))
#define GK_Q_COUNT(n) GK_LOW(LD_q_count, B_q_count, (n) * GK_CODE(P_q_step), GK_CODE(P_q_words))
#define GK_K_COUNT(n) GK_LOW(LD_k_count, B_k_count, (n) * GK_CODE(P_k_step), GK_CODE(P_k_words))
#define GK_LEAST(a, b) ((a) < (b) ? (a) : (b))
uint width = GK_U32(GK_GROUP_SIZE);
uint lane = GK_LANE;
uint row = p.first + GK_GROUP_X;
uint queries = GK_CODE(P_queries);
uint fresh = GK_CODE(P_fresh);
uint i = row % queries;
uint h = row / queries % GK_CODE(P_heads);
uint b = row / queries / GK_CODE(P_heads);
uint mode = GK_CODE(P_mode);
uint past = 0u;
uint q_first = 0u;
uint q_many = queries;
uint k_first = 0u;
uint k_many = fresh;
bool alive = true;
if (mode == 1u) {
  if (GK_CODE(P_q_words) != 0u) q_many = GK_LEAST(GK_Q_COUNT(b), queries);
  if (GK_CODE(P_k_words) != 0u) k_many = GK_LEAST(GK_K_COUNT(b), fresh);
  alive = i < q_many;
}
if (mode == 2u) {
  // The last start that is not beyond the query.
  uint low = 0u;
  uint high = GK_CODE(P_sequences);
  while (low < high) {
    uint middle = (low + high + 1u) / 2u;
    if (GK_Q_COUNT(middle) <= i)
      low = middle;
    else
      high = middle - 1u;
  }
  alive = low < GK_CODE(P_sequences) && GK_Q_COUNT(low) <= i;
  if (alive) {
    q_first = GK_Q_COUNT(low);
    q_many = GK_Q_COUNT(low + 1u) - q_first;
    k_first = GK_LEAST(GK_K_COUNT(low), fresh);
    int many = GK_I32(GK_LEAST(GK_K_COUNT(low + 1u), fresh)) - GK_I32(k_first);
    k_many = GK_U32(many < 0 ? 0 : many);
  }
}
int place = GK_I32(i - q_first);
if (mode == 1u || mode == 2u) place = place + GK_I32(k_many - q_many);
if (mode == 3u) {
  past = GK_LEAST(GK_K_COUNT(0u), GK_CODE(P_capacity) - fresh);
  place = place + GK_I32(past);
}
uint keys = past + k_many;
for (uint e = lane; e < GK_CODE(P_width_q); e += width) row_q[e] = GK_GET(LD_q(B_q + GK_ROW(P_qs) + e * GK_CODE(P_qs + 3)));
uint k_base = B_k + GK_KEY(P_ks);
uint v_base = B_v + GK_KEY(P_vs);
uint pk_base = B_past_k + GK_KEY(P_pks);
uint pv_base = B_past_v + GK_KEY(P_pvs);
#define GK_FIND(j)                                                                                          \
  if (GK_CODE(P_masked) != 0u) {                                                                            \
    bias = GK_MASK(LD_mask(B_mask + GK_ROW(P_ms) + (k_first + j) * GK_CODE(P_ms + 3)));                     \
    seen = !(bias == TO_sum(-GK_INF));                                                                      \
  }                                                                                                         \
  if (GK_CODE(P_blocked) != 0u) {                                                                           \
    uint of_q = i / GK_CODE(P_block_q) * GK_CODE(P_fs + 2);                                                 \
    uint of_k = (k_first + j) / GK_CODE(P_block_k) * GK_CODE(P_fs + 3);                                     \
    seen = seen && LD_blocks(B_blocks + b * GK_CODE(P_fs) + h * GK_CODE(P_fs + 1) + of_q + of_k) != 0u;     \
  }                                                                                                         \
  k_step = j < past ? GK_CODE(P_pks + 3) : GK_CODE(P_ks + 3);                                               \
  k_at = j < past ? pk_base + j * GK_CODE(P_pks + 2) : k_base + (k_first + j - past) * GK_CODE(P_ks + 2);   \
  v_row[lane] = j < past ? pv_base + j * GK_CODE(P_pvs + 2) : v_base + (k_first + j - past) * GK_CODE(P_vs + 2);
#define GK_K(at) (j < past ? GK_GET(LD_past_k(at)) : GK_GET(LD_k(at)))
#define GK_V(t, column) \
  (j0 + t < past ? GK_GET(LD_past_v(v_row[t] + column * GK_CODE(P_pvs + 3))) : GK_GET(LD_v(v_row[t] + column * GK_CODE(P_vs + 3))))
//@include attend.h
for (uint e = 0u; e < GK_U32(GK_SHARE); ++e) {
  uint column = lane + e * width;
  T_sum result = top == TO_sum(-GK_INF) ? TO_sum(0) : acc[e] / sum;
  if (column < values) ST_y(B_y + GK_ROW(P_ys) + column * GK_CODE(P_ys + 3), GK_PUT(result));
}
if (GK_CODE(P_with_lse) != 0u && lane == 0u) {
  T_sum result = top == TO_sum(-GK_INF) ? top : top + GK_LOG(sum);
  ST_lse(B_lse + GK_ROW(P_ls), GK_F32(result));
}
