// SPDX-License-Identifier: Apache-2.0
// Trigonometric functions of f64 and their inverses; 4 ulp. Needs double_core.h.
// Words of 2 / pi in base 2^32, after two of zeros.
GK_TABLE(uint, gk_two_over_pi_d, 40,
         (0u, 0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu,
          0xdebbc561u, 0xb7246e3au, 0x424dd2e0u, 0x06492eeau, 0x09d1921cu, 0xfe1deb1cu, 0xb129a73eu,
          0xe88235f5u, 0x2ebb4484u, 0xe99c7026u, 0xb45f7e41u, 0x3991d639u, 0x835339f4u, 0x9c845f8bu,
          0xbdf9283bu, 0x1ff897ffu, 0xde05980fu, 0xef2f118bu, 0x5a0a6d1fu, 0x6d367ecfu, 0x27cb09b7u,
          0x4f463f66u, 0x9e5fea2du, 0x7527bac7u, 0xebe5f17bu, 0x3d0739f7u, 0x8a5292eau, 0x6bfb5fb1u,
          0x1f8d5d08u, 0x56033046u, 0xfc7b6babu));
GK_FN uint gk_two_over_pi_d_at(uint at) {
  uint word = at >> 5u, shift = at & 31u;
  uint high = gk_two_over_pi_d[word] << shift;
  return shift == 0u ? high : high | (gk_two_over_pi_d[word + 1u] >> (32u - shift));
}
GK_STRUCT(gk_turn_of, {
  gk_two rest;
  uint quadrant;
})
// Quadrant and rest of a / (pi / 2) rounded, the rest times pi / 2: the product of the mantissa and the 192
// bits of 2 / pi that count modulo 4 (Payne and Hanek 1983), of which a number next to a multiple cancels 61.
GK_FN gk_turn_of gk_turned_d(double a) {
  gk_turn_of t;
  t.rest = GK_TWO(a, 0.0d);
  t.quadrant = 0u;
  double size = gk_fabs(a);
  if (size == GK_INF_D) t.rest = GK_TWO(GK_NAN_D, 0.0d);
  if (!(size > 0.7853981633974483d && size < GK_INF_D)) return t;
  gk_ulong u = gk_bits64(size);
  uint at = GK_U32(u >> 52u) - 1013u;
  gk_ulong m0 = u & GK_U64(0xffffffffu), m1 = ((u >> 32u) & GK_U64(0xfffffu)) | GK_U64(0x100000u);
  uint p[6];
  gk_ulong carry = GK_U64(0), before = GK_U64(0), high = GK_U64(0), half_word = GK_U64(0xffffffffu);
  for (uint k = 6u; k > 0u;) {
    --k;
    gk_ulong w = GK_U64(gk_two_over_pi_d_at(at + 32u * k));
    gk_ulong w0 = m0 * w, w1 = m1 * w;
    carry = carry + (w0 & half_word) + before;
    p[k] = GK_U32(carry & half_word);
    carry = carry >> 32u;
    before = (w0 >> 32u) + (w1 & half_word) + high;
    high = w1 >> 32u;
  }
  t.quadrant = p[0] >> 30u;
  bool below = (p[0] & 0x20000000u) != 0u;
  uint flip = below ? 0xffffffffu : 0u;
  uint f[4];
  for (uint k = 0u; k < 4u; ++k) f[k] = ((p[k] << 2u) | (p[k + 1u] >> 30u)) ^ flip;
  if (below) t.quadrant = t.quadrant + 1u;
  // The negative of a fraction but for its last bit, which is far below.
  gk_two r = gk_quick_two(GK_F64(f[0]) * 2.3283064365386963e-10d, GK_F64(f[1]) * 5.421010862427522e-20d);
  GK_PRECISE double low = GK_F64(f[2]) * 1.262177448353619e-29d + GK_F64(f[3]) * 2.938735877055719e-39d;
  low = r.y + low;
  r = gk_mul_two(gk_quick_two(r.x, low), GK_TWO(1.5707963267948966d, 6.123233995736766e-17d));
  bool minus = gk_minus_d(a);
  t.rest = below != minus ? GK_TWO(-r.x, -r.y) : r;
  if (minus) t.quadrant = 0u - t.quadrant;
  return t;
}
// For a rest of at most pi / 4.
GK_FN double gk_sin_tail(double z) {
  double q = -7.586094789672621e-13d;
  q = (q * z + 1.6058521349954986e-10d) * z - 2.5052106167335705e-08d;
  q = (q * z + 2.7557319219150783e-06d) * z - 0.00019841269841264821d;
  q = (q * z + 0.008333333333333331d) * z - 0.16666666666666666d;
  return q;
}
GK_FN double gk_cos_tail(double z) {
  double q = 4.745537017319258e-14d;
  q = (q * z - 1.1470455178216906e-11d) * z + 2.0876755754879594e-09d;
  q = (q * z - 2.755731922129809e-07d) * z + 2.480158730158451e-05d;
  q = (q * z - 0.0013888888888888887d) * z + 0.041666666666666664d;
  return q;
}
GK_FN double gk_sin_near_d(gk_two r) {
  double z = r.x * r.x;
  GK_PRECISE double y = r.x * z * gk_sin_tail(z) + r.y * (1.0d - 0.5d * z);
  y = r.x + y;
  return y;
}
GK_FN double gk_cos_near_d(gk_two r) {
  double z = r.x * r.x;
  GK_PRECISE double near = 1.0d - 0.5d * z;
  GK_PRECISE double lost = 1.0d - near;
  lost = lost - 0.5d * z;
  lost = lost + (z * z * gk_cos_tail(z) - r.x * r.y);
  near = near + lost;
  return near;
}
GK_FN double gk_sin_from_d(gk_two rest, uint quadrant) {
  double y = (quadrant & 1u) != 0u ? gk_cos_near_d(rest) : gk_sin_near_d(rest);
  return (quadrant & 2u) != 0u ? -y : y;
}
GK_FN double gk_sin_d(double a) {
  gk_turn_of t = gk_turned_d(a);
  return gk_sin_from_d(t.rest, t.quadrant);
}
GK_FN double gk_cos_d(double a) {
  gk_turn_of t = gk_turned_d(a);
  return gk_sin_from_d(t.rest, t.quadrant + 1u);
}
GK_FN double gk_tan_d(double a) {
  gk_turn_of t = gk_turned_d(a);
  double s = gk_sin_near_d(t.rest), c = gk_cos_near_d(t.rest);
  return (t.quadrant & 1u) != 0u ? -c / s : s / c;
}
GK_FN double gk_asin_tail(double z) {
  double q = 0.02961201126495512d;
  q = (q * z - 0.01924167174674304d) * z + 0.019554513336123378d;
  q = (q * z + 0.0030448799094556773d) * z + 0.009319560794767446d;
  q = (q * z + 0.009621842970100282d) * z + 0.011566459612121669d;
  q = (q * z + 0.01396378001220357d) * z + 0.017352816540325496d;
  q = (q * z + 0.02237215744350722d) * z + 0.03038194447553234d;
  q = (q * z + 0.044642857142551895d) * z + 0.07500000000000118d;
  q = q * z + 0.16666666666666666d;
  return q;
}
GK_FN double gk_atan_tail(double z) {
  double q = 0.016148228546771868d;
  q = (q * z - 0.034445844423577385d) * z + 0.045467195095551666d;
  q = (q * z - 0.0522938047378184d) * z + 0.058787824694439814d;
  q = (q * z - 0.06666412077725274d) * z + 0.07692295658327873d;
  q = (q * z - 0.09090908728587459d) * z + 0.11111111104652255d;
  q = (q * z - 0.14285714285654638d) * z + 0.19999999999999785d;
  q = q * z - 0.3333333333333333d;
  return q;
}
GK_FN double gk_asin_near_d(double a) {
  double z = a * a;
  GK_PRECISE double y = a + a * z * gk_asin_tail(z);
  return y;
}
GK_FN double gk_asin_d(double a) {
  double t = gk_fabs(a);
  double far =
      1.5707963267948966d - (2.0d * gk_asin_near_d(sqrt(0.5d * (1.0d - t))) - 6.123233995736766e-17d);
  return t <= 1.0d ? gk_copysign_d(t <= 0.5d ? gk_asin_near_d(t) : far, a) : GK_NAN_D;
}
GK_FN double gk_acos_d(double a) {
  double t = gk_fabs(a);
  double far = 2.0d * gk_asin_near_d(sqrt(0.5d * (1.0d - t)));
  if (a < 0.0d) far = 3.141592653589793d - (far - 1.2246467991473532e-16d);
  double near = 1.5707963267948966d - (gk_asin_near_d(a) - 6.123233995736766e-17d);
  return t <= 1.0d ? (t <= 0.5d ? near : far) : GK_NAN_D;
}
// atan for 0 <= t <= 1.
GK_FN double gk_atan_near_d(double t) {
  bool far = t > 0.41421356237309503d;
  double u = far ? (t - 1.0d) / (t + 1.0d) : t, z = u * u;
  GK_PRECISE double y = u + u * z * gk_atan_tail(z);
  return far ? 0.7853981633974483d + (y + 3.061616997868383e-17d) : y;
}
GK_FN double gk_atan_d(double a) {
  double t = gk_fabs(a);
  double r = t > 1.0d ? 1.5707963267948966d - (gk_atan_near_d(1.0d / t) - 6.123233995736766e-17d)
                      : gk_atan_near_d(t);
  return GK_ISNAN(a) ? a : gk_copysign_d(r, a);
}
GK_FN double gk_atan2_d(double a, double b) {
  double y = gk_fabs(a), x = gk_fabs(b);
  double most = y > x ? y : x, least = y > x ? x : y;
  double r = gk_atan_near_d(least == most ? (most == 0.0d ? 0.0d : 1.0d) : least / most);
  if (y > x) r = 1.5707963267948966d - (r - 6.123233995736766e-17d);
  if (gk_minus_d(b)) r = 3.141592653589793d - (r - 1.2246467991473532e-16d);
  return GK_ISNAN(a) || GK_ISNAN(b) ? GK_NAN_D : gk_copysign_d(r, a);
}
