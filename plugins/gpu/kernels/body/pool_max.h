// SPDX-License-Identifier: Apache-2.0
// y = the greatest element under a window, the first of equals, NaN before all; index = where it lies in x, -1
// where the window hits nothing, as two words.
//@group 128
//@in x
//@out y index
//@params count channels in[3] out[3] kernel[3] stride[3] dilation[3] begin[3] xs[5] ys[5] is[5] indexed column_major
//@use window.h
//@body
uint rest = GK_ELEMENT;
if (rest < GK_CODE(P_count)) {
  //@include place.h
  T_x own = GK_NEUTRAL;
  bool found = false;
  uint w0 = 0u;
  uint w1 = 0u;
  uint w2 = 0u;
  //@include window_taps.h
        T_x v = LD_x(B_x + GK_AT5(P_xs, n, c, i0, i1, i2));
        if (!found || (!GK_ISNAN(own) && (GK_ISNAN(v) || v > own))) {
          own = v;
          w0 = GK_U32(i0);
          w1 = GK_U32(i1);
          w2 = GK_U32(i2);
          found = true;
        }
      }
    }
  }
  ST_y(B_y + GK_AT5(P_ys, n, c, o0, o1, o2), own);
  if (GK_CODE(P_indexed) != 0u) {
    uint plane = n * GK_CODE(P_channels) + c;
    uint place = (w0 * GK_CODE(P_in + 1) + w1) * GK_CODE(P_in + 2) + w2;
    if (GK_CODE(P_column_major) != 0u) place = w0 + GK_CODE(P_in) * (w1 + GK_CODE(P_in + 1) * w2);
    place = plane * GK_CODE(P_in) * GK_CODE(P_in + 1) * GK_CODE(P_in + 2) + place;
    gk_pair both = GK_PAIR(found ? place : 0xffffffffu);
    if (found) both.y = 0u;
    ST_index(B_index + GK_AT5(P_is, n, c, o0, o1, o2), both);
  }
}
