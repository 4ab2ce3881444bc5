// SPDX-License-Identifier: Apache-2.0
// Trigonometric functions of f32 and their inverses; 4 ulp.
// Words of 2 / pi = 0.a2f9836e.. in base 2^32, after a word of zeros.
GK_FN uint gk_two_over_pi(uint i) {
  if (i < 4u) return i < 2u ? (i == 0u ? 0u : 0xa2f9836eu) : (i == 2u ? 0x4e441529u : 0xfc2757d1u);
  return i < 6u ? (i == 4u ? 0xf534ddc0u : 0xdb629599u) : (i == 6u ? 0x3c439041u : 0xfe5163abu);
}
// 32 bits of them from bit `at` on.
GK_FN uint gk_two_over_pi_at(uint at) {
  uint word = at >> 5u, shift = at & 31u;
  uint high = gk_two_over_pi(word) << shift;
  return shift == 0u ? high : high | (gk_two_over_pi(word + 1u) >> (32u - shift));
}
// The quadrant of a / (pi / 2) rounded, in the two low bits, for pi / 4 < |a| < infinity; `low` chooses the
// two words of what is left, as a fraction with a sign (Payne and Hanek 1983): the product of the mantissa
// and the 96 bits of 2 / pi that count modulo 4.
GK_FN uint gk_turn(uint u, uint part) {
  uint e = (u >> 23u) & 255u, m = (u & 0x7fffffu) | 0x800000u;
  uint at = e - 120u;
  uint w0 = gk_two_over_pi_at(at + 64u), w1 = gk_two_over_pi_at(at + 32u), w2 = gk_two_over_pi_at(at);
  uint p0 = m * w0, c0 = gk_mul_high(m, w0);
  uint p1 = m * w1 + c0, c1 = gk_mul_high(m, w1) + (p1 < c0 ? 1u : 0u);
  uint p2 = m * w2 + c1;
  uint quadrant = p2 >> 30u, high = (p2 << 2u) | (p1 >> 30u), low = (p1 << 2u) | (p0 >> 30u);
  if ((high & 0x80000000u) != 0u) quadrant = quadrant + 1u;
  return part == 0u ? quadrant : (part == 1u ? high : low);
}
GK_FN uint gk_quadrant(float a) {
  float t = gk_fabs(a);
  if (!(t > 0.785398185f && t < GK_INF)) return 0u;
  uint q = gk_turn(gk_bits(t), 0u);
  return (gk_bits(a) >> 31u) != 0u ? 0u - q : q;
}
GK_FN float gk_turn_rest(float a) {
  float t = gk_fabs(a);
  if (!(t > 0.785398185f && t < GK_INF)) return t == GK_INF ? GK_NAN : a;
  uint high = gk_turn(gk_bits(t), 1u), low = gk_turn(gk_bits(t), 2u);
  bool below = (high & 0x80000000u) != 0u;
  if (below) {
    low = 0u - low;
    high = (low == 0u ? 1u : 0u) + ~high;
  }
  // The words as three floats, of which the first two are exact.
  GK_PRECISE float r = GK_F32(high & 255u) * 2.3283064365e-10f + GK_F32(low) * 5.4210108624e-20f;
  r = GK_F32(high & 0xffffff00u) * 2.3283064365e-10f + r;
  r = r * 1.57079633f;
  return below == ((gk_bits(a) >> 31u) == 0u) ? -r : r;
}
// For |r| <= pi / 4.
GK_FN float gk_sin_near(float r) {
  float z = r * r;
  float q =
      gk_mad(gk_mad(gk_mad(2.724381198e-6f, z, -1.984003911e-4f), z, 8.333331786e-3f), z, -0.1666666666f);
  GK_PRECISE float y = r + r * z * q;
  return y;
}
GK_FN float gk_cos_near(float r) {
  float z = r * r;
  float q =
      gk_mad(gk_mad(gk_mad(-2.729585634e-7f, z, 2.480056063e-5f), z, -1.38888876e-3f), z, 4.166666666e-2f);
  GK_PRECISE float y = 1.0f - (0.5f * z - z * z * q);
  return y;
}
GK_FN float gk_sin_from(float r, uint quadrant) {
  float y = (quadrant & 1u) != 0u ? gk_cos_near(r) : gk_sin_near(r);
  return (quadrant & 2u) != 0u ? -y : y;
}
GK_FN float gk_sin(float a) { return gk_sin_from(gk_turn_rest(a), gk_quadrant(a)); }
GK_FN float gk_cos(float a) { return gk_sin_from(gk_turn_rest(a), gk_quadrant(a) + 1u); }
GK_FN float gk_tan(float a) {
  float r = gk_turn_rest(a), s = gk_sin_near(r), c = gk_cos_near(r);
  return (gk_quadrant(a) & 1u) != 0u ? -c / s : s / c;
}

// asin for |a| <= 1/2: a + a z P(z).
GK_FN float gk_asin_near(float a) {
  float z = a * a;
  float q =
      gk_mad(gk_mad(gk_mad(3.808502356e-2f, z, 2.655454221e-2f), z, 4.500138007e-2f), z, 7.498855073e-2f);
  q = gk_mad(q, z, 0.1666667241f);
  GK_PRECISE float y = a + a * z * q;
  return y;
}
GK_FN float gk_asin(float a) {
  float t = gk_fabs(a);
  float r = t <= 0.5f ? gk_asin_near(t) : 1.57079633f - 2.0f * gk_asin_near(sqrt(0.5f * (1.0f - t)));
  return t <= 1.0f ? gk_copysign(r, a) : GK_NAN;
}
GK_FN float gk_acos(float a) {
  float t = gk_fabs(a);
  float far = 2.0f * gk_asin_near(sqrt(0.5f * (1.0f - t)));
  if (a < 0.0f) far = 3.14159265f - far;
  return t <= 1.0f ? (t <= 0.5f ? 1.57079633f - gk_asin_near(a) : far) : GK_NAN;
}
// atan for 0 <= t <= 1.
GK_FN float gk_atan_near(float t) {
  float z = t * t;
  float q =
      gk_mad(gk_mad(gk_mad(-2.386997317e-3f, z, 1.350777143e-2f), z, -3.587153898e-2f), z, 6.250169445e-2f);
  q = gk_mad(gk_mad(gk_mad(q, z, -8.65688043e-2f), z, 0.1103376412f), z, -0.1427856875f);
  q = gk_mad(gk_mad(q, z, 0.1999973933f), z, -0.3333333173f);
  GK_PRECISE float y = t + t * z * q;
  return y;
}
GK_FN float gk_atan(float a) {
  float t = gk_fabs(a);
  float r = t > 1.0f ? 1.57079633f - gk_atan_near(1.0f / t) : gk_atan_near(t);
  return gk_isnan(a) ? a : gk_copysign(r, a);
}
// The angle of (b, a).
GK_FN float gk_atan2(float a, float b) {
  float y = gk_fabs(a), x = gk_fabs(b);
  float most = y > x ? y : x, least = y > x ? x : y;
  float r = gk_atan_near(least == most ? (most == 0.0f ? 0.0f : 1.0f) : least / most);
  if (y > x) r = 1.57079633f - r;
  if ((gk_bits(b) >> 31u) != 0u) r = 3.14159265f - r;
  return gk_isnan(a) || gk_isnan(b) ? GK_NAN : gk_copysign(r, a);
}
