// SPDX-License-Identifier: Apache-2.0
// The selective scan of Mamba: `width` lanes a channel of an entry go through the steps, and each keeps its elements of
// the state in a workspace that no other lane touches.
//@group 128
//@in x delta a b c skip past
//@rw state
//@out y present
//@type sum
//@shared joined T_sum GK_GROUP_SIZE
//@params brain width count depth channels per_group steps with_skip with_past with_present
//@params xs[3] des[3] as[2] bs[4] cs[4] ss ps[3] ys[3] ns[3]
//@use values.h
//@body
#define GK_JOIN(a, b) ((a) + (b))
uint width = GK_CODE(P_width);
uint lane = GK_LANE % width;
uint rest = GK_ELEMENT / width;
bool mine = rest < GK_CODE(P_count);
uint depth = mine ? GK_CODE(P_depth) : 0u;
uint own_state = B_state + rest * GK_CODE(P_depth);
uint d = rest % GK_CODE(P_channels);
uint n = rest / GK_CODE(P_channels);
uint g = d / GK_CODE(P_per_group);
for (uint e = lane; e < depth; e += width) {
  T_sum s0 = TO_sum(0);
  if (GK_CODE(P_with_past) != 0u) s0 = GK_GET(LD_past(B_past + n * GK_CODE(P_ps) + d * GK_CODE(P_ps + 1) + e * GK_CODE(P_ps + 2)));
  ST_state(own_state + e, s0);
}
for (uint t = 0u; t < GK_CODE(P_steps); ++t) {
  T_sum x_t = TO_sum(0);
  T_sum step = TO_sum(0);
  if (mine) {
    x_t = GK_GET(LD_x(B_x + n * GK_CODE(P_xs) + t * GK_CODE(P_xs + 1) + d * GK_CODE(P_xs + 2)));
    step = GK_GET(LD_delta(B_delta + n * GK_CODE(P_des) + t * GK_CODE(P_des + 1) + d * GK_CODE(P_des + 2)));
  }
  uint b_at = B_b + n * GK_CODE(P_bs) + t * GK_CODE(P_bs + 1) + g * GK_CODE(P_bs + 2);
  uint c_at = B_c + n * GK_CODE(P_cs) + t * GK_CODE(P_cs + 1) + g * GK_CODE(P_cs + 2);
  T_sum own = TO_sum(0);
  for (uint e = lane; e < depth; e += width) {
    T_sum rate = GK_GET(LD_a(B_a + d * GK_CODE(P_as) + e * GK_CODE(P_as + 1)));
    T_sum s0 = GK_EXP(step * rate) * LD_state(own_state + e) + step * GK_GET(LD_b(b_at + e * GK_CODE(P_bs + 3))) * x_t;
    ST_state(own_state + e, s0);
    own = own + GK_GET(LD_c(c_at + e * GK_CODE(P_cs + 3))) * s0;
  }
  //@include row.h
  if (mine && lane == 0u) {
    // Absent it is 0, which times infinity is NaN.
    T_sum skipped = TO_sum(0);
    if (GK_CODE(P_with_skip) != 0u) skipped = GK_GET(LD_skip(B_skip + d * GK_CODE(P_ss)));
    own = own + skipped * x_t;
    ST_y(B_y + n * GK_CODE(P_ys) + t * GK_CODE(P_ys + 1) + d * GK_CODE(P_ys + 2), GK_PUT(own));
  }
}
if (GK_CODE(P_with_present) != 0u) {
  for (uint e = lane; e < depth; e += width) {
    T_sum s0 = LD_state(own_state + e);
    ST_present(B_present + n * GK_CODE(P_ns) + d * GK_CODE(P_ns + 1) + e * GK_CODE(P_ns + 2), GK_PUT(s0));
  }
}
