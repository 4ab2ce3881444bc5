// SPDX-License-Identifier: Apache-2.0
// What division leaves, of f32; exact: mantissas are divided, 8 bits of the quotient a step.
// |a| modulo |b| for 0 < |b| <= |a| < infinity.
GK_FN float gk_rest_size(float a, float b) {
  uint u = gk_bits(a) & 0x7fffffffu, v = gk_bits(b) & 0x7fffffffu;
  uint e = u >> 23u, to = v >> 23u;
  uint m = (u & 0x7fffffu) | (e == 0u ? 0u : 0x800000u), by = (v & 0x7fffffu) | (to == 0u ? 0u : 0x800000u);
  if (e == 0u) e = 1u;
  if (to == 0u) to = 1u;
  m = m % by;
  while (e > to) {
    uint bits = e - to < 8u ? e - to : 8u;
    m = (m << bits) % by;
    e = e - bits;
  }
  // m 2^(to - 150) by two factors that are normal numbers.
  float r = GK_F32(m);
  return to < 24u ? r * 7.8886090522e-31f * gk_float((to + 77u) << 23u) : r * gk_float((to - 23u) << 23u);
}
GK_FN float gk_fmod(float a, float b) {
  float t = gk_fabs(a), by = gk_fabs(b);
  bool none = gk_isnan(a) || gk_isnan(b) || t == GK_INF || by == 0.0f;
  if (none) return GK_NAN;
  return t < by ? a : gk_copysign(gk_rest_size(a, b), a);
}
GK_FN float gk_mod(float a, float b) {
  float r = gk_fmod(a, b);
  if (r == 0.0f) return gk_copysign(r, b);
  return (r < 0.0f) != (b < 0.0f) ? r + b : r;
}
