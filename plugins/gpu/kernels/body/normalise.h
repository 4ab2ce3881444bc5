// SPDX-License-Identifier: Apache-2.0
// y = (x - mean) / sqrt(variance + epsilon) scale + bias over `len` elements, `width` lanes a row or a part of
// it; without GK_CENTRED the mean counts as 0. Two passes for the statistics, which go to mean and inverse on demand.
//@group 128
//@in x scale bias
//@out y mean inverse
//@rw partial
//@type sum
//@shared joined T_sum GK_GROUP_SIZE
//@params width len split parts part stage second epsilon rank dims[8] xs[8] ss[8] bs[8] ys[8] ms[8] vs[8] rrank rdims[8] rxs[8] rss[8] rbs[8] rys[8]
//@body
//@include parts.h
uint x_at = B_x;
uint s_at = B_scale;
uint b_at = B_bias;
uint y_at = B_y;
uint m_at = B_mean;
uint v_at = B_inverse;
GK_WALK(rest, P_rank, P_dims, GK_STEP(x_at, P_xs) GK_STEP(s_at, P_ss) GK_STEP(b_at, P_bs) GK_STEP(y_at, P_ys) GK_STEP(m_at, P_ms) GK_STEP(v_at, P_vs))
#define GK_JOIN(a, b) ((a) + (b))
T_sum centre = TO_sum(0);
T_sum own = TO_sum(0);
#if defined(GK_CENTRED)
{
  GK_PASS(1u)
  for (uint i = from; i < to; i += width) {
    if (joins) {
      own += GK_LEFT(1u, i);
    } else {
      uint where = i;
      uint at = x_at;
      GK_WALK(where, P_rrank, P_rdims, GK_STEP(at, P_rxs))
      own += TO_sum(LD_x(at));
    }
  }
//@include row.h
  GK_LEAVE(1u, own)
}
centre = own / TO_sum(len);
own = TO_sum(0);
#endif
{
  GK_PASS(2u)
  for (uint i = from; i < to; i += width) {
    if (joins) {
      own += GK_LEFT(2u, i);
    } else {
      uint where = i;
      uint at = x_at;
      GK_WALK(where, P_rrank, P_rdims, GK_STEP(at, P_rxs))
      T_sum v = TO_sum(LD_x(at)) - centre;
      own += v * v;
    }
  }
//@include row.h
  GK_LEAVE(2u, own)
}
T_sum factor = TO_sum(1) / sqrt(own / TO_sum(len) + TO_sum(gk_float(GK_CODE(P_epsilon))));
if (len == 0u) {
  centre = TO_sum(GK_NAN);
  factor = TO_sum(GK_NAN);
}
GK_PASS(3u)
for (uint i = from; i < to; i += width) {
  uint where = i;
  uint x_i = x_at;
  uint s_i = s_at;
  uint b_i = b_at;
  uint y_i = y_at;
  GK_WALK(where, P_rrank, P_rdims, GK_STEP(x_i, P_rxs) GK_STEP(s_i, P_rss) GK_STEP(b_i, P_rbs) GK_STEP(y_i, P_rys))
  T_sum v = (TO_sum(LD_x(x_i)) - centre) * factor;
#if defined(GK_SCALED)
  v = v * TO_sum(LD_scale(s_i));
#endif
#if defined(GK_BIASED)
  v = v + TO_sum(LD_bias(b_i));
#endif
  ST_y(y_i, v);
}
if (rest == 0u && lane == 0u && begin == 0u && (stage == 0u || stage == 3u)) {
#if defined(GK_MEAN)
  ST_mean(m_at, GK_F32(centre));
#endif
#if defined(GK_INVERSE)
  ST_inverse(v_at, GK_F32(factor));
#endif
}
