// SPDX-License-Identifier: Apache-2.0
// Functions whose accuracy or NaN rules the languages leave open (GLSL's exp, log and tanh are off by
// thousands of ulp on some drivers). Bounds below are against double over the whole range of f32.
#define GK_INF gk_float(0x7f800000u)
#define GK_NAN gk_float(0x7fc00000u)

// IEEE 754 half precision; one rounding to nearest, ties to even, by integers alone: neither language
// promises the rounding of its own conversion, nor subnormal numbers.
GK_FN float gk_f16_float(uint h) {
  uint sign = (h & 0x8000u) << 16u, e = (h >> 10u) & 31u, m = h & 0x3ffu;
  if (e == 31u) return gk_float(sign | 0x7f800000u | (m << 13u));
  if (e != 0u) return gk_float(sign | ((e + 112u) << 23u) | (m << 13u));
  float v = GK_F32(m) * 5.9604644775390625e-8f;
  return gk_float(gk_bits(v) | sign);
}
GK_FN uint gk_f16_bits(float v) {
  uint u = gk_bits(v), sign = (u >> 16u) & 0x8000u, a = u & 0x7fffffffu;
  if (a > 0x7f800000u) return sign | 0x7e00u;
  if (a >= 0x477ff000u) return sign | 0x7c00u;  // 65520 and more
  if (a >= 0x38800000u) return sign | ((a - 0x38000000u + 0xfffu + ((a >> 13u) & 1u)) >> 13u);
  if (a < 0x33000000u) return sign;  // below half of the least number
  uint shift = 126u - (a >> 23u), m = (a & 0x7fffffu) | 0x800000u;
  uint kept = m >> shift, rest = m & ((1u << shift) - 1u), middle = 1u << (shift - 1u);
  return sign | (kept + ((rest > middle || (rest == middle && (kept & 1u) != 0u)) ? 1u : 0u));
}
GK_FN uint gk_bf16_bits(float v) {
  uint u = gk_bits(v);
  if ((u & 0x7fffffffu) > 0x7f800000u) return (u >> 16u) | 0x40u;
  return (u + 0x7fffu + ((u >> 16u) & 1u)) >> 16u;
}
GK_FN float gk_bf16_float(uint h) { return gk_float(h << 16u); }
GK_FN float gk_round_f16(float v) { return gk_f16_float(gk_f16_bits(v)); }
GK_FN float gk_round_bf16(float v) { return gk_bf16_float(gk_bf16_bits(v)); }

// A float as an integer modulo 2^32, truncated; 0 for infinities and NaN.
GK_FN uint gk_whole(float x) {
  uint u = gk_bits(x), e = (u >> 23u) & 255u, m = (u & 0x7fffffu) | 0x800000u;
  if (e < 127u || e == 255u) return 0u;
  m = e < 150u ? m >> (150u - e) : (e - 150u > 31u ? 0u : m << (e - 150u));
  return (u & 0x80000000u) != 0u ? 0u - m : m;
}
// An integer as a float rounded to odd, so that a rounding that follows is as if it were the only one.
GK_FN float gk_odd_u(uint m) {
  float scale = 1.0f;
  while (m >= 0x1000000u) {
    m = (m >> 1u) | (m & 1u);
    scale = scale * 2.0f;
  }
  return GK_F32(m) * scale;
}
GK_FN float gk_odd_i(int v) { return v < 0 ? -gk_odd_u(0u - GK_U32(v)) : gk_odd_u(GK_U32(v)); }

// By bits, so that no optimisation of comparisons can drop it.
GK_FN bool gk_isnan(float a) { return (gk_bits(a) & 0x7fffffffu) > 0x7f800000u; }
GK_FN bool gk_isinf(float a) { return (gk_bits(a) & 0x7fffffffu) == 0x7f800000u; }
GK_FN float gk_max(float a, float b) { return gk_isnan(a) ? a : (gk_isnan(b) ? b : (a > b ? a : b)); }
GK_FN float gk_min(float a, float b) { return gk_isnan(a) ? a : (gk_isnan(b) ? b : (a < b ? a : b)); }
GK_FN float gk_copysign(float m, float s) {
  return gk_float((gk_bits(m) & 0x7fffffffu) | (gk_bits(s) & 0x80000000u));
}

// Cody and Waite's reduction and the polynomial of Cephes; 1.5 ulp. The reduction is a product and a sum, not
// gk_mad: one driver merges the two constants of a chain of fma, and the result is then off by 68 ulp.
GK_FN float gk_exp(float a) {
  float t = a > -104.0f ? (a < 89.0f ? a : 89.0f) : -104.0f;
  float n = floor(t * 1.44269504f + 0.5f);
  GK_PRECISE float r = t - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  GK_PRECISE float z = gk_mad(gk_mad(1.9875691500e-4f, r, 1.3981999507e-3f), r, 8.3334519073e-3f);
  z = gk_mad(gk_mad(gk_mad(z, r, 4.1665795894e-2f), r, 1.6666665459e-1f), r, 5.0000001201e-1f);
  z = gk_mad(z, r * r, r) + 1.0f;
  // Two factors, so that subnormal results and overflow come out right.
  int k = GK_I32(n);
  int half_k = k >> 1;
  z = z * gk_float(GK_U32(half_k + 127) << 23u) * gk_float(GK_U32(k - half_k + 127) << 23u);
  return gk_isnan(a) ? a : z;
}

// Cephes; 1 ulp.
GK_FN float gk_log(float a) {
  bool tiny = a < 1.17549435e-38f;
  uint u = gk_bits(tiny ? a * 8388608.0f : a) - 0x3f3504f3u;
  float e = GK_F32(GK_I32(u) >> 23) - (tiny ? 23.0f : 0.0f);
  float f = gk_float((u & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
  GK_PRECISE float y = gk_mad(gk_mad(gk_mad(7.0376836292e-2f, f, -1.1514610310e-1f), f, 1.1676998740e-1f), f,
                              -1.2420140846e-1f);
  y = gk_mad(gk_mad(gk_mad(y, f, 1.4249322787e-1f), f, -1.6668057665e-1f), f, 2.0000714765e-1f);
  y = gk_mad(gk_mad(y, f, -2.4999993993e-1f), f, 3.3333331174e-1f) * f * (f * f) - e * 2.12194440e-4f;
  GK_PRECISE float r = (f + gk_mad(-0.5f, f * f, y)) + e * 0.693359375f;
  if (a == 0.0f) r = -GK_INF;
  if (a < 0.0f) r = GK_NAN;
  return a == GK_INF || gk_isnan(a) ? a : r;
}

// e^-|a| cannot overflow, so that the result below zero keeps its digits down to the least number.
GK_FN float gk_sigmoid(float a) {
  float e = gk_exp(-gk_fabs(a)), r = 1.0f / (1.0f + e);
  return a < 0.0f ? e * r : r;
}

// An odd polynomial near 0, where the quotient would cancel; 1.5 ulp.
GK_FN float gk_tanh(float a) {
  float t = gk_fabs(a);
  GK_PRECISE float z = t * t;
  GK_PRECISE float q = gk_mad(
      z, gk_mad(z, gk_mad(z, -5.70498872745e-3f, 2.06390887954e-2f), -5.37397155531e-2f), 1.33314422036e-1f);
  GK_PRECISE float near = gk_mad(t * z, gk_mad(z, q, -3.33332819422e-1f), t);
  GK_PRECISE float e = gk_exp(2.0f * t) + 1.0f;
  GK_PRECISE float far = 1.0f - 2.0f / e;
  float r = t < 0.55f ? near : far;
  return gk_isnan(a) ? a : gk_float(gk_bits(r) | (gk_bits(a) & 0x80000000u));
}

// exp(-scale x^2) for a scale of 1 or 0.5. The high 12 bits of x squared are exact, which keeps the relative
// error small in the tail.
GK_FN float gk_bell(float x, float scale) {
  float high = gk_float(gk_bits(x) & 0xfffff000u);
  return gk_exp(-scale * high * high) * gk_exp(-scale * (x - high) * (x + high));
}
// exp(z^2) erfc(z) for z >= 0 as t q(t), t = 2 / (2 + z): q is a Chebyshev fit over z in [0, 10.2] with a
// relative error of 4e-8, in x = t scaled to [-1, 1].
GK_FN float gk_erfcx(float z) {
  float t = 2.0f / (2.0f + z);
  float x = gk_mad(2.392156863f, t, -1.392156863f);
  float q = gk_mad(6.583166e-6f, x, -5.447940178e-5f);
  q = gk_mad(gk_mad(q, x, 6.824855802e-6f), x, 5.960699109e-4f);
  q = gk_mad(gk_mad(q, x, -6.419895485e-4f), x, -6.220671238e-3f);
  q = gk_mad(gk_mad(q, x, 6.103150310e-3f), x, 1.026399712e-1f);
  q = gk_mad(gk_mad(q, x, 3.266210317e-1f), x, 5.709435008e-1f);
  return t * q;
}
// Beyond 10.2 the result is below half of the least number; an infinite z would give NaN.
GK_FN float gk_erfc_positive(float z) { return z > 10.2f ? 0.0f : gk_bell(z, 1.0f) * gk_erfcx(z); }

// The series below 0.5: 1 - erfc would cancel there.
GK_FN float gk_erf(float a) {
  float t = gk_fabs(a);
  float z = t * t;
  float s = gk_mad(gk_mad(gk_mad(z, -7.5757576e-4f, 4.6296296e-3f), z, -2.3809524e-2f), z, 0.1f);
  s = gk_mad(gk_mad(s, z, -3.3333333e-1f), z, 1.0f) * t * 1.12837917f;
  return gk_isnan(a) ? a : gk_copysign(t < 0.5f ? s : 1.0f - gk_erfc_positive(t), a);
}
GK_FN float gk_erfc(float a) {
  float r = a < 0.0f ? 2.0f - gk_erfc_positive(-a) : gk_erfc_positive(a);
  if (gk_fabs(a) < 0.5f) r = 1.0f - gk_erf(a);
  return gk_isnan(a) ? a : r;
}
// Infinity times zero is NaN in these three, as their formulas say.
GK_FN float gk_gelu(float a) {
  float t = gk_fabs(a);
  float tail = t > 14.5f ? 0.0f : 0.5f * gk_bell(t, 0.5f) * gk_erfcx(t * 0.707106781f);  // 1 - Phi(|a|)
  float r = a < 0.0f ? a * tail : a - a * tail;
  return t == GK_INF ? a * (a < 0.0f ? 0.0f : 1.0f) : r;
}
// What rounding takes from the product a b, from halves of 12 bits, whose products are exact (Dekker 1971).
GK_FN float gk_product_rest(float a, float b) {
  float ah = gk_float(gk_bits(a) & 0xfffff000u), bh = gk_float(gk_bits(b) & 0xfffff000u);
  float al = a - ah, bl = b - bh;
  GK_PRECISE float product = a * b;
  GK_PRECISE float rest = ah * bh - product;
  rest = rest + ah * bl;
  rest = rest + al * bh;
  rest = rest + al * bl;
  return rest;
}
// a / (1 + e^-u), u = a (1.5957691 + 0.0713548 a^2). The rest of u counts: e^-u errs as u does in absolute
// terms. Beyond 12 the quotient is 0 or 1.
GK_FN float gk_gelu_tanh(float a) {
  float t = a < -12.0f ? -12.0f : (a > 12.0f ? 12.0f : a);
  float square = t * t, slope = 0.071354814f * square;
  GK_PRECISE float sum = 1.5957692f + slope;
  GK_PRECISE float back = sum - 1.5957692f;
  GK_PRECISE float lost = (1.5957692f - (sum - back)) + (slope - back);
  // The last digits of the constants, and what the two products lost.
  GK_PRECISE float low = -4.534068e-08f + 2.3988324e-09f * square + 0.071354814f * gk_product_rest(t, t);
  low = low + gk_product_rest(0.071354814f, square) + lost;
  GK_PRECISE float u = t * sum;
  float rest = gk_product_rest(t, sum) + t * low;
  float e = gk_exp(-gk_fabs(u));
  e = e - e * (u < 0.0f ? -rest : rest);
  float r = 1.0f / (1.0f + e);
  return a * (a < 0.0f ? e * r : r);
}
GK_FN float gk_silu(float a) { return a * gk_sigmoid(a); }
GK_FN float gk_sign(float a) { return gk_isnan(a) ? a : (a > 0.0f ? 1.0f : (a < 0.0f ? -1.0f : 0.0f)); }
GK_FN float gk_relu(float a) { return a < 0.0f ? 0.0f : a; }
