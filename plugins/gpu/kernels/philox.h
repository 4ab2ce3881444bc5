// SPDX-License-Identifier: Apache-2.0
// Philox 4x32-10: Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3" (2011).
// The high word of a product.
GK_FN uint gk_high(uint a, uint b) {
  uint al = a & 0xffffu, ah = a >> 16u, bl = b & 0xffffu, bh = b >> 16u;
  uint lh = al * bh, hl = ah * bl;
  uint middle = ((al * bl) >> 16u) + (lh & 0xffffu) + (hl & 0xffffu);
  return ah * bh + (lh >> 16u) + (hl >> 16u) + (middle >> 16u);
}
// Words r0..r3 of block `number` of the stream (seed, offset), operands of rank 0 that lie as words.
#define GK_PHILOX(r0, r1, r2, r3, number)                                    \
  uint r0 = LD_offset(B_offset * 2u) + (number), r2 = 0u, r3 = 0u;           \
  uint r1 = LD_offset(B_offset * 2u + 1u) + (r0 < (number) ? 1u : 0u);       \
  {                                                                          \
    uint gk_k0 = LD_seed(B_seed * 2u), gk_k1 = LD_seed(B_seed * 2u + 1u);    \
    for (uint gk_round = 0u; gk_round < 10u; ++gk_round) {                   \
      uint gk_p = gk_high(0xD2511F53u, r0), gk_q = gk_high(0xCD9E8D57u, r2); \
      uint gk_pl = 0xD2511F53u * r0, gk_ql = 0xCD9E8D57u * r2;               \
      r0 = gk_q ^ r1 ^ gk_k0;                                                \
      r1 = gk_ql;                                                            \
      r2 = gk_p ^ r3 ^ gk_k1;                                                \
      r3 = gk_pl;                                                            \
      gk_k0 += 0x9E3779B9u;                                                  \
      gk_k1 += 0xBB67AE85u;                                                  \
    }                                                                        \
  }
// The highest 53 bits of 64 as a fraction in [0, 1).
#define GK_FRACTION53(high, low) \
  (GK_F64(high) * GK_D(0x3df00000u, 0u) + GK_F64((low) >> 11u) * GK_D(0x3ca00000u, 0u))
