// SPDX-License-Identifier: Apache-2.0
// y = x between its elements, at the positions that grid holds. A lane a point of `chunk` channels: places and
// weights are found once and serve them all.
//@group 64
//@in x grid
//@out y
//@type sum
//@params count channels all_channels chunk mode beyond align dims in[3] out[3] gs[5] grid_step xs[5] ys[5]
//@use resample.h window.h
//@body
// Mirrored at both borders, as often as it takes; NaN for infinities.
#define GK_REFLECT(r, v)                                                            \
  if (span <= GK_F64(0)) {                                                          \
    r = gk_fabs(v) < GK_F64(GK_INF) ? GK_F64(0) : GK_F64(GK_NAN);                   \
  } else if (!(v >= low && v <= low + span)) {                                      \
    GK_PRECISE double far_off = gk_fabs(v - low);                                   \
    GK_PRECISE double turns = floor(far_off / span);                                \
    GK_PRECISE double turned = turns * span;                                        \
    GK_PRECISE double over = far_off - turned;                                      \
    double half_turns = turns * GK_HALF;                                            \
    r = floor(half_turns) == half_turns ? low + over : low + span - over;           \
  }
uint rest = GK_ELEMENT;
if (rest < GK_CODE(P_count)) {
  //@include place.h
  uint mode = GK_CODE(P_mode);
  uint beyond = GK_CODE(P_beyond);
  bool align = GK_CODE(P_align) != 0u;
  uint dims = GK_CODE(P_dims);
  double one = GK_F64(1);
  uint tap_at[12];
  T_sum tap_weight[12];
  uint taps[3];
  bool valid = true;
  for (uint a = 0u; a < 3u; ++a) {
    //@include grid_taps.h
  }
  uint channel = c * GK_CODE(P_chunk);
  uint end = channel + GK_CODE(P_chunk);
  end = end < GK_CODE(P_all_channels) ? end : GK_CODE(P_all_channels);
  for (; channel < end; ++channel) {
    GK_PRECISE T_sum sum = TO_sum(0);
    uint plane = B_x + n * GK_CODE(P_xs) + channel * GK_CODE(P_xs + 1);
    if (valid) {
      for (uint i = 0u; i < taps[0]; ++i) {
        for (uint j = 0u; j < taps[1]; ++j) {
          for (uint k = 0u; k < taps[2]; ++k) {
            T_sum w = tap_weight[i] * tap_weight[4u + j] * tap_weight[8u + k];
            uint at = tap_at[i] * GK_CODE(P_xs + 2) + tap_at[4u + j] * GK_CODE(P_xs + 3) + tap_at[8u + k] * GK_CODE(P_xs + 4);
            sum = sum + w * TO_sum(LD_x(plane + at));
          }
        }
      }
    } else {
      sum = TO_sum(GK_NAN);
    }
    ST_y(B_y + GK_AT5(P_ys, n, channel, o0, o1, o2), sum);
  }
}
