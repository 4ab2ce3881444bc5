// SPDX-License-Identifier: Apache-2.0
// Conversions that need integers of 64 bits.
// A float as an integer modulo 2^64, truncated; 0 for infinities and NaN.
GK_FN gk_ulong gk_whole64(float x) {
  uint u = gk_bits(x), e = (u >> 23u) & 255u;
  if (e < 127u || e == 255u) return GK_U64(0);
  gk_ulong m = GK_U64((u & 0x7fffffu) | 0x800000u);
  m = e < 150u ? m >> (150u - e) : (e - 150u > 63u ? GK_U64(0) : m << (e - 150u));
  return (u & 0x80000000u) != 0u ? GK_U64(0) - m : m;
}
// An integer as a float rounded to odd.
GK_FN float gk_odd_m(gk_ulong m) {
  float scale = 1.0f;
  while (m >= GK_U64(0x1000000u)) {
    m = (m >> 1u) | (m & GK_U64(1));
    scale = scale * 2.0f;
  }
  return GK_F32(GK_U32(m)) * scale;
}
GK_FN float gk_odd_l(gk_long v) {
  return v < GK_I64(0) ? -gk_odd_m(GK_U64(0) - GK_U64(v)) : gk_odd_m(GK_U64(v));
}
