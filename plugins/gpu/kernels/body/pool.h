// SPDX-License-Identifier: Apache-2.0
// y = the mean of the elements under a window (power 0), the sum of their sizes (1) or the root of the sum of their
// squares (2); a lane an output. A mean counts the elements, with `padded` all taps over the input and its padding.
//@group 128
//@in x
//@out y
//@type sum
//@params count channels in[3] out[3] kernel[3] stride[3] dilation[3] begin[3] end[3] xs[5] ys[5] power padded
//@use window.h
//@body
uint rest = GK_ELEMENT;
if (rest < GK_CODE(P_count)) {
  //@include place.h
  T_sum own = TO_sum(0);
  uint power = GK_CODE(P_power);
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
          own = own + (power == 0u ? v : (power == 1u ? gk_fabs(v) : v * v));
        }
      }
    }
  }
  uint counted = GK_CODE(P_padded) != 0u ? covered : hits;
  if (power == 0u && counted != 0u) own = own / TO_sum(counted);
  if (power == 0u && counted == 0u) own = TO_sum(0);
  if (power == 2u) own = sqrt(own);
  ST_y(B_y + GK_AT5(P_ys, n, c, o0, o1, o2), own);
}
