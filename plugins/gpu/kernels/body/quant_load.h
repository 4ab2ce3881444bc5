// SPDX-License-Identifier: Apache-2.0
// Elements of the operands of a quantised product made plain: GK_LOAD_A(v, i, k) and GK_LOAD_B(v, k, j) into v. b, scales
// and zeros lie as bytes, and words tell their formats; with `coded` the codes of b stand for the 16 numbers of `table`.
// Strides: those of the batch, at 6 the row and at 7 the column, which is a group of k where the operand has groups.
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
