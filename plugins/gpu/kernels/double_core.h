// SPDX-License-Identifier: Apache-2.0
// Exponentials, logarithms and what follows from them in f64; 4 ulp. A literal with a d at its end is an f64
// in both languages. Polynomials are Chebyshev fits with 60 digits; what they are off by stands beside each.
#define GK_BITS64(high, low) ((GK_U64(high) << 32u) | GK_U64(low))
#define GK_INF_D gk_double(GK_BITS64(0x7ff00000u, 0u))
#define GK_NAN_D gk_double(GK_BITS64(0x7ff80000u, 0u))
GK_FN bool gk_minus_d(double a) { return GK_U32(gk_bits64(a) >> 63u) != 0u; }
GK_FN double gk_copysign_d(double m, double s) { return gk_minus_d(m) == gk_minus_d(s) ? m : -m; }

// Sums of two f64, the second below the last place of the first (Dekker 1971; Knuth).
GK_FN gk_two gk_quick_two(double a, double b) {  // |a| >= |b|
  GK_PRECISE double s = a + b;
  GK_PRECISE double t = s - a;
  t = b - t;
  return GK_TWO(s, t);
}
GK_FN gk_two gk_sum_two(double a, double b) {
  GK_PRECISE double s = a + b;
  GK_PRECISE double u = s - a;
  GK_PRECISE double v = s - u;
  v = a - v;
  u = b - u;
  u = u + v;
  return GK_TWO(s, u);
}
GK_FN gk_two gk_product_two(double a, double b) {
  double ah = gk_double((gk_bits64(a) >> 27u) << 27u), bh = gk_double((gk_bits64(b) >> 27u) << 27u);
  double al = a - ah, bl = b - bh;
  GK_PRECISE double p = a * b;
  GK_PRECISE double r = ah * bh - p;
  r = r + ah * bl;
  r = r + al * bh;
  r = r + al * bl;
  return GK_TWO(p, r);
}
GK_FN gk_two gk_add_two(gk_two a, gk_two b) {
  gk_two s = gk_sum_two(a.x, b.x);
  GK_PRECISE double low = s.y + (a.y + b.y);
  return gk_quick_two(s.x, low);
}
GK_FN gk_two gk_mul_two(gk_two a, gk_two b) {
  gk_two s = gk_product_two(a.x, b.x);
  GK_PRECISE double low = s.y + (a.x * b.y + a.y * b.x);
  return gk_quick_two(s.x, low);
}
GK_FN gk_two gk_div_two(double a, gk_two b) {
  GK_PRECISE double q = a / b.x;
  gk_two p = gk_product_two(q, b.x);
  GK_PRECISE double left = a - p.x;
  left = left - p.y;
  left = left - q * b.y;
  return gk_quick_two(q, left / b.x);
}

// 2^n for n of [-1022, 1023].
GK_FN double gk_two_to_d(int n) { return gk_double(GK_U64(GK_U32(n + 1023)) << 52u); }
// v 2^n by two factors, so that subnormal results are rounded once.
GK_FN double gk_scaled_d(double v, int n) {
  int part = n >> 1;
  return v * gk_two_to_d(part) * gk_two_to_d(n - part);
}
// (e^r - 1 - r) / r^2 for |r| <= ln2 / 2; 3e-18.
GK_FN double gk_expm1_tail(double r) {
  double q = 2.0915442297780116e-09d;
  q = (q * r + 2.5106274733573296e-08d) * r + 2.75572718102198e-07d;
  q = (q * r + 2.755725283351691e-06d) * r + 2.4801587327007187e-05d;
  q = (q * r + 0.00019841269876864356d) * r + 0.0013888888888883327d;
  q = (q * r + 0.008333333333325544d) * r + 0.04166666666666667d;
  q = (q * r + 0.1666666666666667d) * r + 0.5d;
  return q;
}
GK_FN double gk_expm1_near_d(double r) {
  GK_PRECISE double y = r + r * r * gk_expm1_tail(r);
  return y;
}
// a - n ln2, ln2 in two parts, the first of 32 bits.
GK_FN double gk_less_ln2(double a, double n) {
  GK_PRECISE double r = a - n * 0.6931471803691238d;
  r = r - n * 1.9082149292705877e-10d;
  return r;
}
// e^(a + low) for a low that is small beside 1.
GK_FN double gk_exp_of(double a, double low) {
  double t = a > -760.0d ? (a < 720.0d ? a : 720.0d) : -760.0d;
  double n = floor(t * 1.4426950408889634d + 0.5d);
  GK_PRECISE double r = gk_less_ln2(t, n);
  if (t == a) r = r + low;
  return gk_scaled_d(1.0d + gk_expm1_near_d(r), GK_I32(n));
}
GK_FN double gk_exp_d(double a) { return GK_ISNAN(a) ? a : gk_exp_of(a, 0.0d); }
GK_FN double gk_exp2_d(double a) {
  double t = a > -1100.0d ? (a < 1100.0d ? a : 1100.0d) : -1100.0d;
  double n = gk_rint(t);
  GK_PRECISE double r = t - n;
  r = r * 0.6931471805599453d;
  double y = gk_scaled_d(1.0d + gk_expm1_near_d(r), GK_I32(n));
  return GK_ISNAN(a) ? a : y;
}
GK_FN double gk_expm1_d(double a) {
  double t = a > -45.0d ? (a < 710.0d ? a : 710.0d) : -45.0d;
  double n = floor(t * 1.4426950408889634d + 0.5d);
  double r = gk_less_ln2(t, n);
  // Half of the result first: 2^1024 is no number, but results with n = 1024 are.
  double s = gk_two_to_d(GK_I32(n) - 1);
  GK_PRECISE double y = s - 0.5d;
  y = s * gk_expm1_near_d(r) + y;
  y = y + y;
  if (gk_fabs(a) < 1e-10d) y = a + a * a * 0.5d;
  return GK_ISNAN(a) ? a : y;
}

// (2 atanh(s) / s - 2 - 2 z / 3) / z^2 for z = s^2 <= 0.0297; 5e-18.
GK_FN double gk_log_tail(double z) {
  double q = 0.11735818855512968d;
  q = (q * z + 0.11705021567538627d) * z + 0.13334850282547114d;
  q = (q * z + 0.1538459412012637d) * z + 0.18181818343316125d;
  q = (q * z + 0.2222222222162076d) * z + 0.28571428571429425d;
  q = q * z + 0.4d;
  return q;
}
// log(1 + f) for 1 + f of [sqrt(1/2), sqrt(2)]: 2 atanh(f / (2 + f)); 2^-64 of itself.
GK_FN gk_two gk_log_near(double f) {
  gk_two s = gk_div_two(f, gk_quick_two(2.0d, f));
  gk_two z = gk_mul_two(s, s);
  gk_two third = gk_mul_two(gk_mul_two(z, s), GK_TWO(0.6666666666666666d, 3.700743415417188e-17d));
  gk_two sum = gk_quick_two(2.0d * s.x, third.x);
  GK_PRECISE double low = 2.0d * s.y + third.y;
  low = low + s.x * z.x * z.x * gk_log_tail(z.x);
  low = sum.y + low;
  return gk_quick_two(sum.x, low);
}
// a = 2^e (1 + f) of a positive finite a.
GK_FN gk_ulong gk_log_bits(double a) {
  return gk_bits64(a < 2.2250738585072014e-308d ? a * 18014398509481984.0d : a) -
         GK_BITS64(0x3fe6a09eu, 0x667f3bcdu);
}
GK_FN double gk_exponent_d(double a) {
  return GK_F64(GK_I32(GK_I64(gk_log_bits(a)) >> 52u)) - (a < 2.2250738585072014e-308d ? 54.0d : 0.0d);
}
GK_FN double gk_fraction_d(double a) {
  gk_ulong m = gk_log_bits(a) & GK_BITS64(0xfffffu, 0xffffffffu);
  return gk_double(m + GK_BITS64(0x3fe6a09eu, 0x667f3bcdu)) - 1.0d;
}
GK_FN gk_two gk_log_two(double a) {
  gk_two near = gk_log_near(gk_fraction_d(a));
  double e = gk_exponent_d(a);
  gk_two sum = gk_sum_two(e * 0.6931471803691238d, near.x);
  GK_PRECISE double low = e * 1.9082149292705877e-10d + near.y;
  low = sum.y + low;
  return gk_quick_two(sum.x, low);
}
GK_FN double gk_log_special(double a, double y) {
  if (a == 0.0d) y = -GK_INF_D;
  if (a < 0.0d) y = GK_NAN_D;
  return a == GK_INF_D || GK_ISNAN(a) ? a : y;
}
GK_FN double gk_log_d(double a) { return gk_log_special(a, gk_log_two(a).x); }
GK_FN double gk_log2_d(double a) {
  gk_two near =
      gk_mul_two(gk_log_near(gk_fraction_d(a)), GK_TWO(1.4426950408889634d, 2.0355273740931033e-17d));
  gk_two sum = gk_sum_two(gk_exponent_d(a), near.x);
  GK_PRECISE double y = sum.y + near.y;
  y = sum.x + y;
  return gk_log_special(a, y);
}
GK_FN double gk_log1p_d(double a) {
  gk_two u = gk_sum_two(1.0d, a);
  gk_two y = gk_log_two(u.x);
  GK_PRECISE double r = u.y / u.x;
  r = y.y + r;
  r = y.x + r;
  if (a == -1.0d) r = -GK_INF_D;
  if (a < -1.0d) r = GK_NAN_D;
  return a == GK_INF_D || GK_ISNAN(a) ? a : r;
}

GK_FN double gk_sigmoid_d(double a) {
  double e = gk_exp_d(-gk_fabs(a)), r = 1.0d / (1.0d + e);
  return a < 0.0d ? e * r : r;
}
GK_FN double gk_silu_d(double a) { return a * gk_sigmoid_d(a); }
GK_FN double gk_softplus_d(double a) {
  return GK_ISNAN(a) ? a : (a > 0.0d ? a : 0.0d) + gk_log1p_d(gk_exp_d(-gk_fabs(a)));
}
GK_FN double gk_mish_d(double a) {
  double e = gk_exp_d(a < 80.0d ? a : 80.0d), n = e * (e + 2.0d);
  double r = a < -40.0d ? e : n / (n + 2.0d);
  return GK_ISNAN(a) ? a : a * r;
}
// a / (1 + e^-u) as in gk_gelu_tanh, u a sum of two.
GK_FN double gk_gelu_tanh_d(double a) {
  double t = a < -30.0d ? -30.0d : (a > 30.0d ? 30.0d : a);
  gk_two slope = gk_mul_two(gk_product_two(t, t), GK_TWO(0.07135481627260025d, -6.175149918155315e-19d));
  gk_two u = gk_add_two(GK_TWO(1.5957691216057308d, -9.96930880911092e-17d), slope);
  u = gk_mul_two(GK_TWO(gk_fabs(t), 0.0d), u);
  double e = gk_exp_of(-u.x, -u.y), r = 1.0d / (1.0d + e);
  return GK_ISNAN(a) ? a : a * (a < 0.0d ? e * r : r);
}
GK_FN double gk_tanh_d(double a) {
  double e = gk_expm1_d(-2.0d * gk_fabs(a));
  return GK_ISNAN(a) ? a : gk_copysign_d(-e / (e + 2.0d), a);
}
GK_FN double gk_half_exp_d(double t) { return gk_exp_d(t - 1.0d) * 1.3591409142295225d; }
GK_FN double gk_sinh_d(double a) {
  double t = gk_fabs(a), h = gk_expm1_d(t < 700.0d ? t : 700.0d);
  double r = t < 700.0d ? 0.5d * (h + h / (h + 1.0d)) : gk_half_exp_d(t);
  return GK_ISNAN(a) ? a : gk_copysign_d(r, a);
}
GK_FN double gk_cosh_d(double a) {
  double t = gk_fabs(a), e = gk_exp_d(t < 700.0d ? t : 700.0d);
  double r = t < 700.0d ? 0.5d * e + 0.5d / e : gk_half_exp_d(t);
  return GK_ISNAN(a) ? a : r;
}
GK_FN double gk_asinh_d(double a) {
  double t = gk_fabs(a), z = t * t;
  double r = t < 1e9d ? gk_log1p_d(t + z / (1.0d + sqrt(1.0d + z))) : gk_log_d(t) + 0.6931471805599453d;
  return GK_ISNAN(a) ? a : gk_copysign_d(r, a);
}
GK_FN double gk_acosh_d(double a) {
  double u = a - 1.0d;
  double r = a < 1e9d ? gk_log1p_d(u + sqrt(u * (u + 2.0d))) : gk_log_d(a) + 0.6931471805599453d;
  return GK_ISNAN(a) ? a : (a < 1.0d ? GK_NAN_D : r);
}
GK_FN double gk_atanh_d(double a) {
  double t = gk_fabs(a);
  double r = 0.5d * gk_log1p_d(2.0d * t / (1.0d - t));
  if (t == 1.0d) r = GK_INF_D;
  return GK_ISNAN(a) ? a : (t > 1.0d ? GK_NAN_D : gk_copysign_d(r, a));
}

GK_FN double gk_pow_size_d(double a, double b) {
  gk_two log_a = gk_log_two(a);
  GK_PRECISE double w = b * log_a.x;
  if (!(gk_fabs(w) < 800.0d)) return w > 0.0d ? GK_INF_D : 0.0d;
  gk_two p = gk_product_two(b, log_a.x);
  return gk_exp_of(p.x, p.y + b * log_a.y);
}
GK_FN double gk_pow_d(double a, double b) {
  double t = gk_fabs(a), size = gk_fabs(b);
  bool whole = size >= 9007199254740992.0d || b == trunc(b);
  bool odd = size < 9007199254740992.0d && whole && floor(size * 0.5d) != size * 0.5d;
  double r = t == 0.0d || t == GK_INF_D ? ((t == 0.0d) == (b > 0.0d) ? 0.0d : GK_INF_D) : gk_pow_size_d(t, b);
  if (size == GK_INF_D) r = (t > 1.0d) == (b > 0.0d) ? GK_INF_D : 0.0d;
  if (t == 1.0d) r = 1.0d;
  if (gk_minus_d(a)) {
    if (!whole && t > 0.0d && t < GK_INF_D) r = GK_NAN_D;
    if (odd) r = -r;
  }
  if (GK_ISNAN(a) || GK_ISNAN(b)) r = GK_NAN_D;
  return b == 0.0d || a == 1.0d ? 1.0d : r;
}
