// SPDX-License-Identifier: Apache-2.0
// Conversions of f64.
// As an integer modulo 2^64, truncated; 0 for infinities and NaN.
GK_FN gk_ulong gk_whole64_double(double x) {
  gk_ulong u = gk_bits64(x);
  uint e = GK_U32(u >> 52u) & 2047u;
  if (e < 1023u || e == 2047u) return GK_U64(0);
  gk_ulong one = GK_U64(1) << 52u;
  gk_ulong m = (u & (one - GK_U64(1))) | one;
  m = e < 1075u ? m >> (1075u - e) : (e - 1075u > 63u ? GK_U64(0) : m << (e - 1075u));
  return (u >> 63u) != GK_U64(0) ? GK_U64(0) - m : m;
}
// As a float rounded to odd.
GK_FN float gk_odd_double(double x) {
  float y = GK_F32(x);
  double back = GK_F64(y);
  if (back == x || !(x == x)) return y;
  uint u = gk_bits(y);
  if (gk_fabs(back) > gk_fabs(x)) u = u - 1u;
  return gk_float(u | 1u);
}
