// SPDX-License-Identifier: Apache-2.0
// y = the p-th root of the sum of the p-th powers of the sizes under a window, for p of 3 and more; a lane an
// output. Powers are of shares of the greatest size, so that none leaves the range of its type; the root is found
// from the logarithm and bettered by Newton's steps, whose error does not grow with p.
//@group 128
//@in x
//@out y
//@type sum
//@params count channels in[3] out[3] kernel[3] stride[3] dilation[3] begin[3] xs[5] ys[5] power newton
//@use window.h
//@body
// r = v ^ n
#define GK_POWER(r, v, n)                      \
  T_sum r = TO_sum(1);                         \
  {                                            \
    T_sum square = v;                          \
    for (uint b = n; b != 0u; b = b >> 1u) {   \
      if ((b & 1u) != 0u) r = r * square;      \
      square = square * square;                \
    }                                          \
  }
uint rest = GK_ELEMENT;
if (rest < GK_CODE(P_count)) {
  //@include place.h
  uint power = GK_CODE(P_power);
  T_sum top = TO_sum(0);
  T_sum sum = TO_sum(0);
  // The greatest first, then the sum of the shares.
  for (uint pass = 0u; pass < 2u; ++pass) {
    //@include window_taps.h
          T_sum v = gk_fabs(TO_sum(LD_x(B_x + GK_AT5(P_xs, n, c, i0, i1, i2))));
          if (pass == 0u) {
            if (!GK_ISNAN(top) && (GK_ISNAN(v) || v > top)) top = v;
          } else {
            T_sum share = v / top;
            GK_POWER(raised, share, power)
            sum += raised;
          }
        }
      }
    }
    // 0, infinity and NaN are their own roots.
    if (!(top > TO_sum(0) && top < TO_sum(GK_INF))) break;
  }
  T_sum y_value = top;
  if (top > TO_sum(0) && top < TO_sum(GK_INF)) {
    GK_PRECISE T_sum part = TO_sum(gk_log(GK_F32(sum))) / TO_sum(power);
    GK_PRECISE T_sum root = TO_sum(gk_exp(GK_F32(part)));
    if (part < TO_sum(0.0001f)) root = TO_sum(1) + part * (TO_sum(1) + part * (TO_sum(0.5f) + part / TO_sum(6)));
    for (uint step = 0u; step < GK_CODE(P_newton); ++step) {
      GK_POWER(raised, root, power)
      GK_PRECISE T_sum off = (raised - sum) / raised;
      root = root - root * off / TO_sum(power);
    }
    y_value = top * root;
  }
  ST_y(B_y + GK_AT5(P_ys, n, c, o0, o1, o2), y_value);
}
