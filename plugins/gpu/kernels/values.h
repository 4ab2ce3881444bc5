// SPDX-License-Identifier: Apache-2.0
// Indices of 32 or 64 bits from a buffer of words: `words` of them each, the low one first.
#define GK_LOW(load, base, at, words) load(((base) + (at)) * (words))
#define GK_HIGH(load, base, at, words) \
  ((words) == 2u ? load(((base) + (at)) * 2u + 1u) : GK_U32(GK_I32(load((base) + (at))) >> 31))
// A number of real_types (ops/values.cpp), three words of the code: as f32, and the halves of an f64.
#define GK_REAL32(w) gk_float(GK_CODE(w))
#define GK_REAL64(w) gk_double((GK_U64(GK_CODE((w) + 2)) << 32u) | GK_U64(GK_CODE((w) + 1)))

// e^x - 1 and log(1 + x); 3 ulp.
GK_FN float gk_expm1(float x) {
  float t = gk_tanh(0.5f * x);
  return gk_fabs(x) < 0.5f ? 2.0f * t / (1.0f - t) : gk_exp(x) - 1.0f;
}
GK_FN float gk_log1p(float x) {
  GK_PRECISE float w = 1.0f + x;
  GK_PRECISE float lost = x - (w - 1.0f);
  return gk_fabs(x) < 0.5f ? gk_log(w) + lost / w : gk_log(w);
}
// Polynomials of Cephes for |x| <= pi / 4; 1 ulp.
GK_FN float gk_sin_core(float x) {
  float z = x * x;
  return gk_mad(gk_mad(gk_mad(-1.9515295891e-4f, z, 8.3321608736e-3f), z, -1.6666654611e-1f) * z, x, x);
}
GK_FN float gk_cos_core(float x) {
  float z = x * x;
  float q = gk_mad(gk_mad(2.443315711809948e-5f, z, -1.388731625493765e-3f), z, 4.166664568298827e-2f);
  return gk_mad(q, z * z, gk_mad(-0.5f, z, 1.0f));
}
