// SPDX-License-Identifier: Apache-2.0
// y[.., i, j] = program(sum_k (a - a_zero) a_scale (b - b_zero) b_scale): matmul whose tiles are made plain as they
// are read. b, scales and zeros lie as bytes, and words tell their formats; with `coded` the codes of b stand for the
// 16 numbers of `table`. Strides: those of the batch, at 6 the row and at 7 the column, which is a group of k where
// the operand has groups along it.
//@group 64
//@in a b a_scale a_zero b_scale b_zero
//@type sum
//@shared ta T_sum GK_BK * (GK_BM + 1)
//@shared tb T_sum GK_BK * (GK_BN + 1)
//@params brain rows cols depth a_format b_format as_format az_format bs_format bz_format a_group b_group coded table[16]
//@params rank dims[8] as[8] bs[8] ass[8] azs[8] bss[8] bzs[8]
//@program
//@use values.h codes.h tile.h
//@body
uint rows = GK_CODE(P_rows);
uint cols = GK_CODE(P_cols);
uint depth = GK_CODE(P_depth);
uint a_format = GK_CODE(P_a_format);
uint b_format = GK_CODE(P_b_format);
uint as_format = GK_CODE(P_as_format);
uint az_format = GK_CODE(P_az_format);
uint bs_format = GK_CODE(P_bs_format);
uint bz_format = GK_CODE(P_bz_format);
uint a_group = GK_CODE(P_a_group);
uint b_group = GK_CODE(P_b_group);
uint coded = GK_CODE(P_coded);
uint a_at = B_a;
// Sub-byte elements count from the first, not from the start of the buffer.
uint b_at = 0u;
uint as_at = 0u;
uint az_at = 0u;
uint bs_at = 0u;
uint bz_at = 0u;
uint xat[GK_N_X];
uint yat[GK_N_Y];
for (uint k = 0u; k < GK_U32(GK_N_X); ++k) xat[k] = p.base[GK_U32(GK_FIRST_X) + k];
for (uint k = 0u; k < GK_U32(GK_N_Y); ++k) yat[k] = p.base[GK_U32(GK_FIRST_Y) + k];
uint rest = p.first + GK_GROUP_Z;
uint whole = rest;
GK_WALK(whole, P_rank, P_dims, GK_STEP(a_at, P_as) GK_STEP(b_at, P_bs) GK_STEP(as_at, P_ass) GK_STEP(az_at, P_azs) GK_STEP(bs_at, P_bss) GK_STEP(bz_at, P_bzs))
//@include steps.h
#define GK_FACTOR(raw, load, base, at, s, r, c) GK_LD_CODE(raw, load, base, (at) + (r) * GK_CODE(s + 6) + (c) * GK_CODE(s + 7), format)
#define GK_LOAD_A(v, i, k)                                                             \
  {                                                                                    \
    uint group = (k) / a_group;                                                        \
    float x = GK_GET_A(LD_a(a_at + (i) * GK_CODE(P_as + 6) + (k) * GK_CODE(P_as + 7)));\
    if (az_format != 0u) {                                                             \
      uint raw = 0u;                                                                  \
      uint format = az_format;                                                         \
      GK_FACTOR(raw, LD_a_zero, B_a_zero, az_at, P_azs, i, group)                     \
      x = x - gk_decode(raw, format);                                                 \
    }                                                                                  \
    if (as_format != 0u) {                                                             \
      uint raw = 0u;                                                                  \
      uint format = as_format;                                                         \
      GK_FACTOR(raw, LD_a_scale, B_a_scale, as_at, P_ass, i, group)                   \
      x = x * gk_decode(raw, format);                                                 \
    }                                                                                  \
    v = TO_sum(x);                                                                     \
  }
#define GK_LOAD_B(v, k, j)                                                             \
  {                                                                                    \
    uint group = (k) / b_group;                                                        \
    uint raw = 0u;                                                                    \
    uint format = b_format;                                                            \
    GK_FACTOR(raw, LD_b, B_b, b_at, P_bs, k, j)                                       \
    float x = coded != 0u ? gk_float(GK_CODE(P_table + raw)) : gk_decode(raw, format);\
    if (bz_format != 0u) {                                                             \
      format = bz_format;                                                              \
      GK_FACTOR(raw, LD_b_zero, B_b_zero, bz_at, P_bzs, group, j)                     \
      x = x - gk_decode(raw, format);                                                 \
    }                                                                                  \
    if (bs_format != 0u) {                                                             \
      format = bs_format;                                                              \
      GK_FACTOR(raw, LD_b_scale, B_b_scale, bs_at, P_bss, group, j)                   \
      x = x * gk_decode(raw, format);                                                 \
    }                                                                                  \
    v = TO_sum(x);                                                                     \
  }
//@include tile.h
#define GK_X(k) (xat[k] + row * GK_CODE(P_xs + 8 * (k) + 6) + col * GK_CODE(P_xs + 8 * (k) + 7))
#define GK_Y(k) (yat[k] + row * GK_CODE(P_ys + 8 * (k) + 6) + col * GK_CODE(P_ys + 8 * (k) + 7))
for (uint e = 0u; e < GK_U32(GK_TM * GK_TN); ++e) {
  uint row = row0 + ty * GK_U32(GK_TM) + e / GK_U32(GK_TN);
  uint col = col0 + tx * GK_U32(GK_TN) + e % GK_U32(GK_TN);
  if (row < rows && col < cols) {
    T_sum v0 = sums[e];
    //@program
  }
}
