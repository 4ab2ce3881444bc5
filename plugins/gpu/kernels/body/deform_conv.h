// SPDX-License-Identifier: Apache-2.0
// y = program(convolution of x by w whose taps are moved by offset and scaled by mask) as a product of w by the
// samples under the windows, which are taken between the elements of x as they are needed, at positions in f64.
// k goes over channels and taps. z: which image and group.
//@group 64
//@in x w offset mask
//@type sum
//@shared ta T_sum GK_BK * (GK_BM + 1)
//@shared tb T_sum GK_BK * (GK_BN + 1)
//@params rows cols depth groups per_in per_offset has_mask in[3] out[3] kernel[3] stride[3] dilation[3] begin[3]
//@params fs[5] ws[5] os[4] ms[4]
//@program
//@use tile.h window.h resample.h
//@body
uint rows = GK_CODE(P_rows);
uint cols = GK_CODE(P_cols);
uint depth = GK_CODE(P_depth);
uint z = p.first + GK_GROUP_Z;
uint group = z % GK_CODE(P_groups);
uint n = z / GK_CODE(P_groups);
uint taps = GK_CODE(P_kernel + 1) * GK_CODE(P_kernel + 2);
#define GK_LOAD_A(v, i, k)                                                                          \
  {                                                                                                 \
    uint tap = (k) % taps;                                                                          \
    uint k1 = tap / GK_CODE(P_kernel + 2);                                                          \
    uint k2 = tap % GK_CODE(P_kernel + 2);                                                          \
    v = TO_sum(LD_w(B_w + GK_AT5(P_ws, group * rows + (i), (k) / taps, 0u, k1, k2)));               \
  }
#define GK_CORNER(v, at, y, x, w_y, w_x)                                                            \
  {                                                                                                 \
    GK_PRECISE double weight = (w_y) * (w_x);                                                       \
    if (GK_INSIDE(1, y) && GK_INSIDE(2, x) && weight != GK_F64(0))                                  \
      v = v + TO_sum(weight) * TO_sum(LD_x(at + GK_U32(y) * GK_CODE(P_fs + 3) + GK_U32(x) * GK_CODE(P_fs + 4))); \
  }
#define GK_LOAD_B(v, k, j)                                                                          \
  {                                                                                                 \
    uint tap = (k) % taps;                                                                          \
    uint ch = group * GK_CODE(P_per_in) + (k) / taps;                                               \
    uint moved = ch / GK_CODE(P_per_offset) * taps + tap;                                           \
    uint o1 = (j) / GK_CODE(P_out + 2);                                                             \
    uint o2 = (j) % GK_CODE(P_out + 2);                                                             \
    uint o_at = B_offset + n * GK_CODE(P_os) + 2u * moved * GK_CODE(P_os + 1) + o1 * GK_CODE(P_os + 2) + o2 * GK_CODE(P_os + 3); \
    GK_PRECISE double y = GK_F64(LD_offset(o_at)) + GK_F64(GK_TAP(1, o1, tap / GK_CODE(P_kernel + 2)));     \
    GK_PRECISE double x_of = GK_F64(LD_offset(o_at + GK_CODE(P_os + 1))) + GK_F64(GK_TAP(2, o2, tap % GK_CODE(P_kernel + 2))); \
    T_sum scale = TO_sum(1);                                                                        \
    if (GK_CODE(P_has_mask) != 0u)                                                                  \
      scale = TO_sum(LD_mask(B_mask + n * GK_CODE(P_ms) + moved * GK_CODE(P_ms + 1) + o1 * GK_CODE(P_ms + 2) + o2 * GK_CODE(P_ms + 3))); \
    if (!(y == y && x_of == x_of && gk_fabs(scale) < TO_sum(GK_INF))) {                             \
      v = TO_sum(GK_NAN);                                                                           \
    } else if (scale != TO_sum(0) && y > -GK_F64(1) && y < GK_F64(GK_CODE(P_in + 1)) &&             \
               x_of > -GK_F64(1) && x_of < GK_F64(GK_CODE(P_in + 2))) {                             \
      double low_y = floor(y);                                                                      \
      double low_x = floor(x_of);                                                                   \
      GK_PRECISE double part_y = y - low_y;                                                         \
      GK_PRECISE double part_x = x_of - low_x;                                                      \
      GK_PRECISE double rest_y = GK_F64(1) - part_y;                                                \
      GK_PRECISE double rest_x = GK_F64(1) - part_x;                                                \
      int i = GK_I32(low_y);                                                                        \
      int l = GK_I32(low_x);                                                                        \
      uint at = B_x + n * GK_CODE(P_fs) + ch * GK_CODE(P_fs + 1);                                   \
      GK_CORNER(v, at, i, l, rest_y, rest_x)                                                        \
      GK_CORNER(v, at, i, l + 1, rest_y, part_x)                                                    \
      GK_CORNER(v, at, i + 1, l, part_y, rest_x)                                                    \
      GK_CORNER(v, at, i + 1, l + 1, part_y, part_x)                                                \
      v = v * scale;                                                                                \
    }                                                                                               \
  }
//@include tile.h
#define GK_X(k) (p.base[GK_FIRST_X + (k)] + GK_AT5(P_xs + 8 * (k), n, m, 0u, o1, o2))
#define GK_Y(k) (p.base[GK_FIRST_Y + (k)] + GK_AT5(P_ys + 8 * (k), n, m, 0u, o1, o2))
for (uint e = 0u; e < GK_U32(GK_TM * GK_TN); ++e) {
  uint row = row0 + ty * GK_U32(GK_TM) + e / GK_U32(GK_TN);
  uint col = col0 + tx * GK_U32(GK_TN) + e % GK_U32(GK_TN);
  if (row < rows && col < cols) {
    uint m = group * rows + row;
    uint o1 = col / GK_CODE(P_out + 2);
    uint o2 = col % GK_CODE(P_out + 2);
    T_sum v0 = sums[e];
    //@program
  }
}
