// SPDX-License-Identifier: Apache-2.0
// y = program(transposed convolution of x by w) as products: outputs that are `stride` apart on every axis take
// the same taps, so each such phase is a product of its taps of w by the elements of x that they meet, and no tap
// is multiplied in vain. z: which image, group and phase.
//@group 64
//@in x w
//@type sum
//@shared ta T_sum GK_BK * (GK_BM + 1)
//@shared tb T_sum GK_BK * (GK_BN + 1)
//@params rows groups per_in phases[3] jump[3] in[3] out[3] kernel[3] stride[3] dilation[3] begin[3] fs[5] ws[5]
//@program
//@use tile.h window.h
//@body
uint rows = GK_CODE(P_rows);
uint z = p.first + GK_GROUP_Z;
uint at[3];
uint outs[3];
for (uint a = 0u; a < 3u; ++a) {
  uint phases = GK_CODE(GK_U32(P_phases) + a);
  at[a] = z % phases;
  z = z / phases;
  outs[a] = (GK_CODE(GK_U32(P_out) + a) - at[a] + GK_CODE(GK_U32(P_stride) + a) - 1u) / GK_CODE(GK_U32(P_stride) + a);
}
uint group = z % GK_CODE(P_groups);
uint n = z / GK_CODE(P_groups);
//@include taps_at.h
uint cols = outs[0] * outs[1] * outs[2];
uint depth = GK_CODE(P_per_in) * tap_count[0] * tap_count[1] * tap_count[2];
#define GK_SPLIT_TAP(k)                                                                        \
  uint k2 = tap_first[2] + (k) % tap_count[2] * GK_CODE(P_jump + 2);                           \
  uint k1 = tap_first[1] + (k) / tap_count[2] % tap_count[1] * GK_CODE(P_jump + 1);            \
  uint k0 = tap_first[0] + (k) / tap_count[2] / tap_count[1] % tap_count[0] * GK_CODE(P_jump); \
  uint ch = group * GK_CODE(P_per_in) + (k) / tap_count[2] / tap_count[1] / tap_count[0];
#define GK_FROM(a, o, k)                                                                                      \
  (GK_I32((o) * GK_CODE(P_stride + a) + at[a] + GK_CODE(P_begin + a)) - GK_I32((k) * GK_CODE(P_dilation + a)))
#define GK_LOAD_A(v, i, k)                                              \
  {                                                                     \
    GK_SPLIT_TAP(k)                                                     \
    v = TO_sum(LD_w(B_w + GK_AT5(P_ws, ch, i, k0, k1, k2)));            \
  }
#define GK_LOAD_B(v, k, j)                                              \
  {                                                                     \
    GK_SPLIT_TAP(k)                                                     \
    int i2 = GK_FROM(2, (j) % outs[2], k2);                             \
    int i1 = GK_FROM(1, (j) / outs[2] % outs[1], k1);                   \
    int i0 = GK_FROM(0, (j) / outs[2] / outs[1], k0);                   \
    if (i0 >= 0 && i1 >= 0 && i2 >= 0) {                                \
      i0 = i0 / GK_I32(GK_CODE(P_stride));                              \
      i1 = i1 / GK_I32(GK_CODE(P_stride + 1));                          \
      i2 = i2 / GK_I32(GK_CODE(P_stride + 2));                          \
      if (GK_INSIDE(0, i0) && GK_INSIDE(1, i1) && GK_INSIDE(2, i2))     \
        v = TO_sum(LD_x(B_x + GK_AT5(P_fs, n, ch, i0, i1, i2)));        \
    }                                                                   \
  }
//@include tile.h
#define GK_X(k) (p.base[GK_FIRST_X + (k)] + GK_AT5(P_xs + 8 * (k), n, m, o0, o1, o2))
#define GK_Y(k) (p.base[GK_FIRST_Y + (k)] + GK_AT5(P_ys + 8 * (k), n, m, o0, o1, o2))
for (uint e = 0u; e < GK_U32(GK_TM * GK_TN); ++e) {
  uint row = row0 + ty * GK_U32(GK_TM) + e / GK_U32(GK_TN);
  uint col = col0 + tx * GK_U32(GK_TN) + e % GK_U32(GK_TN);
  if (row < rows && col < cols) {
    uint m = group * rows + row;
    uint o2 = at[2] + col % outs[2] * GK_CODE(P_stride + 2);
    uint o1 = at[1] + col / outs[2] % outs[1] * GK_CODE(P_stride + 1);
    uint o0 = at[0] + col / outs[2] / outs[1] * GK_CODE(P_stride);
    T_sum v0 = sums[e];
    //@program
  }
}
