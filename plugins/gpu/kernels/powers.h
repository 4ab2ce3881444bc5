// SPDX-License-Identifier: Apache-2.0
// Powers, logarithms and hyperbolic functions of f32; 4 ulp unless it says less.
// 2^n for n of [-126, 127].
GK_FN float gk_two_to(int n) { return gk_float(GK_U32(n + 127) << 23u); }
// v 2^n for n of [-252, 254], by two factors, so that subnormal results are rounded once.
GK_FN float gk_scaled(float v, int n) {
  int part = n >> 1;
  return v * gk_two_to(part) * gk_two_to(n - part);
}
// e^r - 1 for |r| <= ln2 / 2: r + r^2 P(r), P off by 7e-8.
GK_FN float gk_expm1_near(float r) {
  float q = gk_mad(gk_mad(1.392692661e-3f, r, 8.363773874e-3f), r, 4.166655011e-2f);
  q = gk_mad(gk_mad(q, r, 0.1666657338f), r, 0.5f);
  GK_PRECISE float y = r + r * r * q;
  return y;
}
GK_FN float gk_exp2(float a) {
  float t = a > -200.0f ? (a < 200.0f ? a : 200.0f) : -200.0f;
  float n = gk_rint(t);
  GK_PRECISE float r = t - n;
  r = r * 0.693147182f;
  float y = gk_scaled(1.0f + gk_expm1_near(r), GK_I32(n));
  return gk_isnan(a) ? a : y;
}
GK_FN float gk_expm1(float a) {
  float t = a > -30.0f ? (a < 89.0f ? a : 89.0f) : -30.0f;
  float n = floor(t * 1.44269504f + 0.5f);
  GK_PRECISE float r = t - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  // Half of the result first: 2^128 is no float, but results with n = 128 are.
  float s = gk_two_to(GK_I32(n) - 1);
  GK_PRECISE float y = s - 0.5f;
  y = s * gk_expm1_near(r) + y;
  y = y + y;
  if (gk_fabs(a) < 1e-5f) y = a + a * a * 0.5f;
  return gk_isnan(a) ? a : y;
}

// log(1 + f) - f for 1 + f of [sqrt(1/2), sqrt(2)].
GK_FN float gk_log_rest(float f) {
  float y = gk_mad(gk_mad(gk_mad(7.0376836292e-2f, f, -1.1514610310e-1f), f, 1.1676998740e-1f), f,
                   -1.2420140846e-1f);
  y = gk_mad(gk_mad(gk_mad(y, f, 1.4249322787e-1f), f, -1.6668057665e-1f), f, 2.0000714765e-1f);
  y = gk_mad(gk_mad(y, f, -2.4999993993e-1f), f, 3.3333331174e-1f);
  GK_PRECISE float z = f * f;
  GK_PRECISE float r = y * f * z - 0.5f * z;
  return r;
}
// a = 2^e (1 + f) of a positive finite a: its e.
GK_FN float gk_exponent(float a) {
  bool tiny = a < 1.17549435e-38f;
  uint u = gk_bits(tiny ? a * 8388608.0f : a) - 0x3f3504f3u;
  return GK_F32(GK_I32(u) >> 23) - (tiny ? 23.0f : 0.0f);
}
GK_FN float gk_fraction(float a) {  // f
  uint u = gk_bits(a < 1.17549435e-38f ? a * 8388608.0f : a) - 0x3f3504f3u;
  return gk_float((u & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
}
GK_FN float gk_log2(float a) {
  float f = gk_fraction(a), t = gk_log_rest(f);
  // log2 e in two parts, the first of 6 bits.
  GK_PRECISE float low = (f + t) * 5.19504089e-3f;
  GK_PRECISE float y = f * 1.4375f + low;
  y = t * 1.4375f + y;
  y = gk_exponent(a) + y;
  if (a == 0.0f) y = -GK_INF;
  if (a < 0.0f) y = GK_NAN;
  return a == GK_INF || gk_isnan(a) ? a : y;
}
// log(u) + (a - (u - 1)) / u for u = 1 + a rounded.
GK_FN float gk_log1p(float a) {
  GK_PRECISE float u = 1.0f + a;
  GK_PRECISE float back = a > 1.0f ? u - a : u - 1.0f;
  GK_PRECISE float lost = a > 1.0f ? 1.0f - back : a - back;
  float y = gk_log(u);
  if (u > 0.0f && u < GK_INF) y = y + lost / u;
  if (gk_fabs(a) < 1e-6f) y = a - a * a * 0.5f;
  return gk_isnan(a) ? a : y;
}
GK_FN float gk_softplus(float a) {
  return gk_isnan(a) ? a : (a > 0.0f ? a : 0.0f) + gk_log1p(gk_exp(-gk_fabs(a)));
}
// a n / (n + 2) with n = e^a (e^a + 2).
GK_FN float gk_mish(float a) {
  float e = gk_exp(a < 40.0f ? a : 40.0f), n = e * (e + 2.0f);
  float r = a < -20.0f ? e : n / (n + 2.0f);
  return gk_isnan(a) ? a : a * r;
}

// e^|a| / 2 beyond 80, where e^|a| may leave the range first.
GK_FN float gk_half_exp(float t) { return gk_exp(t - 1.0f) * 1.35914091f; }
GK_FN float gk_sinh(float a) {
  float t = gk_fabs(a), h = gk_expm1(t < 80.0f ? t : 80.0f);
  float r = t < 80.0f ? 0.5f * (h + h / (h + 1.0f)) : gk_half_exp(t);
  return gk_isnan(a) ? a : gk_copysign(r, a);
}
GK_FN float gk_cosh(float a) {
  float t = gk_fabs(a), e = gk_exp(t < 80.0f ? t : 80.0f);
  float r = t < 80.0f ? 0.5f * e + 0.5f / e : gk_half_exp(t);
  return gk_isnan(a) ? a : r;
}
GK_FN float gk_asinh(float a) {
  float t = gk_fabs(a), z = t * t;
  float r = t < 4096.0f ? gk_log1p(t + z / (1.0f + sqrt(1.0f + z))) : gk_log(t) + 0.693147181f;
  return gk_isnan(a) ? a : gk_copysign(r, a);
}
GK_FN float gk_acosh(float a) {
  float u = a - 1.0f;
  float r = a < 4096.0f ? gk_log1p(u + sqrt(u * (u + 2.0f))) : gk_log(a) + 0.693147181f;
  return gk_isnan(a) ? a : (a < 1.0f ? GK_NAN : r);
}
GK_FN float gk_atanh(float a) {
  float t = gk_fabs(a);
  float r = 0.5f * gk_log1p(2.0f * t / (1.0f - t));
  if (t == 1.0f) r = GK_INF;
  return gk_isnan(a) ? a : (t > 1.0f ? GK_NAN : gk_copysign(r, a));
}

// 2^(b log2 a) for positive a. The logarithm is a sum of two floats: 2 atanh(s), s = f / (2 + f), with what
// the rounding of s loses; so is its product with b.
GK_FN float gk_pow_size(float a, float b) {
  float f = gk_fraction(a), e = gk_exponent(a);
  GK_PRECISE float d = 2.0f + f;
  GK_PRECISE float d_low = d - 2.0f;
  d_low = f - d_low;
  GK_PRECISE float s = f / d;
  GK_PRECISE float p = s * d;
  GK_PRECISE float left = f - p;
  left = left - gk_product_rest(s, d);
  left = left - s * d_low;
  float z = s * s;
  float q = gk_mad(gk_mad(gk_mad(0.2333046722f, z, 0.2855082082f), z, 0.4000012184f), z, 0.6666666655f);
  GK_PRECISE float twice = 2.0f * s;
  GK_PRECISE float tail = s * z * q + 2.0f * (left / d);
  GK_PRECISE float high = twice + tail;
  GK_PRECISE float moved = high - twice;
  tail = tail - moved;
  // Times log2 e = 1.44269502 + 1.9259630e-8.
  GK_PRECISE float g = high * 1.44269502f;
  GK_PRECISE float low = tail * 1.44269502f + high * 1.92596299e-8f;
  low = low + gk_product_rest(high, 1.44269502f);
  GK_PRECISE float whole = e + g;
  GK_PRECISE float kept = whole - e;
  low = (g - kept) + low;
  GK_PRECISE float w = b * whole;
  bool far = !(gk_fabs(w) < 200.0f);
  if (far) w = w > 0.0f ? 200.0f : -200.0f;
  float rest = far ? 0.0f : gk_product_rest(b, whole) + b * low;
  float n = gk_rint(w);
  GK_PRECISE float r = w - n;
  r = r + rest;
  return gk_scaled(1.0f + gk_expm1_near(r * 0.693147182f), GK_I32(n));
}
GK_FN float gk_pow(float a, float b) {
  float t = gk_fabs(a), size = gk_fabs(b);
  bool whole = size >= 16777216.0f || b == trunc(b);
  bool odd = size < 16777216.0f && whole && (GK_U32(size) & 1u) != 0u;
  float r = t == 0.0f || t == GK_INF ? ((t == 0.0f) == (b > 0.0f) ? 0.0f : GK_INF) : gk_pow_size(t, b);
  if (size == GK_INF) r = (t > 1.0f) == (b > 0.0f) ? GK_INF : 0.0f;
  if (t == 1.0f) r = 1.0f;
  if ((gk_bits(a) >> 31u) != 0u) {
    if (!whole && t > 0.0f && t < GK_INF) r = GK_NAN;
    if (odd) r = -r;
  }
  if (gk_isnan(a) || gk_isnan(b)) r = GK_NAN;
  return b == 0.0f || a == 1.0f ? 1.0f : r;
}
