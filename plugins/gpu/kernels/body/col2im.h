// SPDX-License-Identifier: Apache-2.0
// y = the sum of what the patches in x say about each pixel, a lane a pixel; in: how many patches there are along
// each axis.
//@group 128
//@in x
//@out y
//@type sum
//@params count channels jump[3] in[3] out[3] kernel[3] stride[3] dilation[3] begin[3] xs[3] ys[5]
//@use window.h
//@body
#define GK_FROM(a, k) (GK_I32(at[a] + GK_CODE(P_begin + a)) - GK_I32((k) * GK_CODE(P_dilation + a)))
uint rest = GK_ELEMENT;
if (rest < GK_CODE(P_count)) {
  //@include place.h
  uint at[3];
  at[0] = o0;
  at[1] = o1;
  at[2] = o2;
  //@include taps_at.h
  T_sum own = TO_sum(0);
  //@include reaching_taps.h
        uint row = ((c * GK_CODE(P_kernel) + k0) * GK_CODE(P_kernel + 1) + k1) * GK_CODE(P_kernel + 2) + k2;
        uint spot = (GK_U32(i0) * GK_CODE(P_in + 1) + GK_U32(i1)) * GK_CODE(P_in + 2) + GK_U32(i2);
        own += TO_sum(LD_x(B_x + n * GK_CODE(P_xs) + row * GK_CODE(P_xs + 1) + spot * GK_CODE(P_xs + 2)));
      }
    }
  }
  ST_y(B_y + GK_AT5(P_ys, n, c, o0, o1, o2), own);
}
