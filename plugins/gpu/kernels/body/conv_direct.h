// SPDX-License-Identifier: Apache-2.0
// y = program(convolution of x by w), a lane an output: for groups of few channels, which would leave most of a
// tile empty.
//@group 128
//@in x w
//@type sum
//@params count channels per_out per_in in[3] out[3] kernel[3] stride[3] dilation[3] begin[3] fs[5] ws[5]
//@program
//@use window.h
//@body
uint rest = GK_ELEMENT;
if (rest < GK_CODE(P_count)) {
  //@include place.h
  uint first = c / GK_CODE(P_per_out) * GK_CODE(P_per_in);
  T_sum v0 = TO_sum(0);
  //@include window_taps.h
        uint x_at = B_x + GK_AT5(P_fs, n, first, i0, i1, i2);
        uint w_at = B_w + GK_AT5(P_ws, c, 0u, k0, k1, k2);
        for (uint ch = 0u; ch < GK_CODE(P_per_in); ++ch) {
          v0 = GK_MAD(TO_sum(LD_x(x_at)), TO_sum(LD_w(w_at)), v0);
          x_at += GK_CODE(P_fs + 1);
          w_at += GK_CODE(P_ws + 1);
        }
      }
    }
  }
#define GK_X(k) (p.base[GK_FIRST_X + (k)] + GK_AT5(P_xs + 8 * (k), n, c, o0, o1, o2))
#define GK_Y(k) (p.base[GK_FIRST_Y + (k)] + GK_AT5(P_ys + 8 * (k), n, c, o0, o1, o2))
  //@program
}
