// SPDX-License-Identifier: Apache-2.0
// y = program(convolution of x by w) as a product of w by the elements under the windows, which are gathered as
// they are needed: rows are the channels of a group, columns the positions of an output plane, k goes over
// channels and taps. z: which image and group.
//@group 64
//@in x w
//@type sum
//@shared ta T_sum GK_BK * (GK_BM + 1)
//@shared tb T_sum GK_BK * (GK_BN + 1)
//@params rows cols depth groups per_in in[3] out[3] kernel[3] stride[3] dilation[3] begin[3] fs[5] ws[5]
//@program
//@use tile.h window.h
//@body
uint rows = GK_CODE(P_rows);
uint cols = GK_CODE(P_cols);
uint depth = GK_CODE(P_depth);
uint z = p.first + GK_GROUP_Z;
uint group = z % GK_CODE(P_groups);
uint n = z / GK_CODE(P_groups);
#define GK_LOAD_A(v, i, k)                                                                          \
  {                                                                                                 \
    uint k2 = (k) % GK_CODE(P_kernel + 2);                                                          \
    uint k1 = (k) / GK_CODE(P_kernel + 2) % GK_CODE(P_kernel + 1);                                  \
    uint k0 = (k) / GK_CODE(P_kernel + 2) / GK_CODE(P_kernel + 1) % GK_CODE(P_kernel);              \
    uint ch = (k) / GK_CODE(P_kernel + 2) / GK_CODE(P_kernel + 1) / GK_CODE(P_kernel);              \
    v = TO_sum(LD_w(B_w + GK_AT5(P_ws, group * rows + (i), ch, k0, k1, k2)));                       \
  }
#define GK_LOAD_B(v, k, j)                                                                          \
  {                                                                                                 \
    uint k2 = (k) % GK_CODE(P_kernel + 2);                                                          \
    uint k1 = (k) / GK_CODE(P_kernel + 2) % GK_CODE(P_kernel + 1);                                  \
    uint k0 = (k) / GK_CODE(P_kernel + 2) / GK_CODE(P_kernel + 1) % GK_CODE(P_kernel);              \
    uint ch = (k) / GK_CODE(P_kernel + 2) / GK_CODE(P_kernel + 1) / GK_CODE(P_kernel);              \
    int i2 = GK_TAP(2, (j) % GK_CODE(P_out + 2), k2);                                               \
    int i1 = GK_TAP(1, (j) / GK_CODE(P_out + 2) % GK_CODE(P_out + 1), k1);                          \
    int i0 = GK_TAP(0, (j) / GK_CODE(P_out + 2) / GK_CODE(P_out + 1), k0);                          \
    if (GK_INSIDE(0, i0) && GK_INSIDE(1, i1) && GK_INSIDE(2, i2))                                   \
      v = TO_sum(LD_x(B_x + GK_AT5(P_fs, n, group * GK_CODE(P_per_in) + ch, i0, i1, i2)));          \
  }
//@include tile.h
#define GK_X(k) (p.base[GK_FIRST_X + (k)] + GK_AT5(P_xs + 8 * (k), n, m, o0, o1, o2))
#define GK_Y(k) (p.base[GK_FIRST_Y + (k)] + GK_AT5(P_ys + 8 * (k), n, m, o0, o1, o2))
for (uint e = 0u; e < GK_U32(GK_TM * GK_TN); ++e) {
  uint row = row0 + ty * GK_U32(GK_TM) + e / GK_U32(GK_TN);
  uint col = col0 + tx * GK_U32(GK_TN) + e % GK_U32(GK_TN);
  if (row < rows && col < cols) {
    uint m = group * rows + row;
    uint o2 = col % GK_CODE(P_out + 2);
    uint o1 = col / GK_CODE(P_out + 2) % GK_CODE(P_out + 1);
    uint o0 = col / GK_CODE(P_out + 2) / GK_CODE(P_out + 1);
    T_sum v0 = sums[e];
    //@program
  }
}
