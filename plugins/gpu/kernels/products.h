// SPDX-License-Identifier: Apache-2.0
// Products of many numbers: a float of size [1, 2), or 0, infinity or NaN, and the power of two that goes
// with it, so that no part of a product leaves the range where the whole does not. Needs powers.h.
GK_FN gk_pair gk_product_of(float v, int power) {
  bool tiny = gk_fabs(v) < 1.17549435e-38f;
  uint u = gk_bits(tiny ? v * 16777216.0f : v), e = (u >> 23u) & 255u;
  if (e == 0u || e == 255u) return GK_PAIR_OF(u, 0u);
  power = power + GK_I32(e) - (tiny ? 151 : 127);
  // Powers beyond are infinite or zero for any count of elements that comes after.
  power = power < -1000000000 ? -1000000000 : (power > 1000000000 ? 1000000000 : power);
  return GK_PAIR_OF((u & 0x807fffffu) | 0x3f800000u, GK_U32(power));
}
GK_FN gk_pair gk_product_join(gk_pair a, gk_pair b) {
  return gk_product_of(gk_float(a.x) * gk_float(b.x), GK_I32(a.y) + GK_I32(b.y));
}
GK_FN float gk_product_value(gk_pair a) {
  int power = GK_I32(a.y);
  return gk_scaled(gk_float(a.x), power < -252 ? -252 : (power > 252 ? 252 : power));
}
