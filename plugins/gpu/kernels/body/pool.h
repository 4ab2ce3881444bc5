// SPDX-License-Identifier: Apache-2.0
// y = GK_RESULT of the elements under a window joined by GK_POOL(own, v); a lane an output. `covered` counts the
// taps over the input and its padding.
//@group 128
//@in x
//@out y
//@type sum
//@params p count channels in[3] out[3] kernel[3] stride[3] dilation[3] begin[3] end[3] xs[5] ys[5]
//@use window.h
//@body
uint rest = GK_ELEMENT;
if (rest < GK_CODE(P_count)) {
  //@include place.h
  T_sum own = GK_NEUTRAL;
  uint hits = 0u;
  uint covered = 0u;
  for (uint k0 = 0u; k0 < GK_CODE(P_kernel); ++k0) {
    int i0 = GK_TAP(0, o0, k0);
    for (uint k1 = 0u; k1 < GK_CODE(P_kernel + 1); ++k1) {
      int i1 = GK_TAP(1, o1, k1);
      for (uint k2 = 0u; k2 < GK_CODE(P_kernel + 2); ++k2) {
        int i2 = GK_TAP(2, o2, k2);
        if (i0 < GK_I32(GK_CODE(P_in) + GK_CODE(P_end)) && i1 < GK_I32(GK_CODE(P_in + 1) + GK_CODE(P_end + 1)) &&
            i2 < GK_I32(GK_CODE(P_in + 2) + GK_CODE(P_end + 2)))
          ++covered;
        if (GK_INSIDE(0, i0) && GK_INSIDE(1, i1) && GK_INSIDE(2, i2)) {
          T_sum v = TO_sum(LD_x(B_x + GK_AT5(P_xs, n, c, i0, i1, i2)));
          ++hits;
          own = GK_POOL(own, v);
        }
      }
    }
  }
  ST_y(B_y + GK_AT5(P_ys, n, c, o0, o1, o2), GK_RESULT(own));
}
