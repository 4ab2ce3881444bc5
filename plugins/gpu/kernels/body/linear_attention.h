// SPDX-License-Identifier: Apache-2.0
// Linear attention with a state: columns of the state, elements of v, do not meet, so `width` lanes have one of a head
// each and go through the steps, which are serial by nature. A lane keeps its elements of the column in a workspace
// that no other lane touches; sums over the column are joined.
//@group 128
//@in q k v past decay beta
//@rw state
//@out y present
//@type sum
//@shared joined T_sum GK_GROUP_SIZE
//@params brain past_brain width count depth values kv_heads group steps scale[3] with_past with_decay with_beta with_present
//@params qs[4] ks[4] vs[4] ps[4] ds[4] bs[4] ys[4] ns[4]
//@use values.h
//@body
#define GK_JOIN(a, b) ((a) + (b))
#define GK_HEAD(s) (n * GK_CODE(s) + h * GK_CODE(s + 1))
uint width = GK_CODE(P_width);
uint lane = GK_LANE % width;
uint rest = GK_ELEMENT / width;
bool mine = rest < GK_CODE(P_count);
uint depth = mine ? GK_CODE(P_depth) : 0u;
uint own_state = B_state + rest * GK_CODE(P_depth);
uint m = rest % GK_CODE(P_values);
uint h = rest / GK_CODE(P_values) % GK_CODE(P_kv_heads);
uint n = rest / GK_CODE(P_values) / GK_CODE(P_kv_heads);
uint group = GK_CODE(P_group);
T_sum scale = GK_REAL(P_scale);
bool with_decay = GK_CODE(P_with_decay) != 0u;
bool with_beta = GK_CODE(P_with_beta) != 0u;
for (uint e = lane; e < depth; e += width) {
  T_sum s0 = TO_sum(0);
  if (GK_CODE(P_with_past) != 0u) s0 = GK_GET_PAST(LD_past(B_past + GK_HEAD(P_ps) + e * GK_CODE(P_ps + 2) + m * GK_CODE(P_ps + 3)));
  ST_state(own_state + e, s0);
}
for (uint t = 0u; t < GK_CODE(P_steps); ++t) {
  uint k_at = B_k + GK_HEAD(P_ks) + t * GK_CODE(P_ks + 2);
  T_sum own = TO_sum(0);
  if (with_decay || with_beta) {
    for (uint e = lane; e < depth; e += width) {
      T_sum s0 = LD_state(own_state + e);
      if (with_decay) {
        T_sum g = GK_GET(LD_decay(B_decay + GK_HEAD(P_ds) + t * GK_CODE(P_ds + 2) + e * GK_CODE(P_ds + 3)));
        s0 = GK_EXP(g) * s0;
        ST_state(own_state + e, s0);
      }
      own = own + GK_GET(LD_k(k_at + e * GK_CODE(P_ks + 3))) * s0;
    }
  }
  T_sum fresh = TO_sum(0);
  if (mine) fresh = GK_GET(LD_v(B_v + GK_HEAD(P_vs) + t * GK_CODE(P_vs + 2) + m * GK_CODE(P_vs + 3)));
  if (with_beta) {
    //@include row.h
    if (mine) fresh = GK_GET(LD_beta(B_beta + GK_HEAD(P_bs) + t * GK_CODE(P_bs + 2))) * (fresh - own);
  }
  for (uint e = lane; e < depth; e += width) {
    T_sum s0 = LD_state(own_state + e) + GK_GET(LD_k(k_at + e * GK_CODE(P_ks + 3))) * fresh;
    ST_state(own_state + e, s0);
  }
  for (uint j = 0u; j < group; ++j) {
    uint of_q = h * group + j;
    uint q_at = B_q + n * GK_CODE(P_qs) + of_q * GK_CODE(P_qs + 1) + t * GK_CODE(P_qs + 2);
    own = TO_sum(0);
    for (uint e = lane; e < depth; e += width) own = own + GK_GET(LD_q(q_at + e * GK_CODE(P_qs + 3))) * LD_state(own_state + e);
    //@include row.h
    uint y_at = B_y + n * GK_CODE(P_ys) + of_q * GK_CODE(P_ys + 1) + t * GK_CODE(P_ys + 2) + m * GK_CODE(P_ys + 3);
    if (mine && lane == 0u) ST_y(y_at, GK_PUT(scale * own));
  }
}
if (GK_CODE(P_with_present) != 0u) {
  for (uint e = lane; e < depth; e += width) {
    T_sum s0 = LD_state(own_state + e);
    ST_present(B_present + GK_HEAD(P_ns) + e * GK_CODE(P_ns + 2) + m * GK_CODE(P_ns + 3), GK_PUT_PAST(s0));
  }
}
