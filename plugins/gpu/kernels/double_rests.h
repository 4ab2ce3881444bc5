// SPDX-License-Identifier: Apache-2.0
// What division leaves, of f64; as rests.h, 11 bits of the quotient a step.
GK_FN double gk_rest_size_d(double a, double b) {
  gk_ulong one = GK_U64(1) << 52u, u = gk_bits64(gk_fabs(a)), v = gk_bits64(gk_fabs(b));
  uint e = GK_U32(u >> 52u), to = GK_U32(v >> 52u);
  gk_ulong m = u & (one - GK_U64(1)), by = v & (one - GK_U64(1));
  if (e != 0u) m = m | one;
  if (to != 0u) by = by | one;
  if (e == 0u) e = 1u;
  if (to == 0u) to = 1u;
  m = m % by;
  while (e > to) {
    uint bits = e - to < 11u ? e - to : 11u;
    m = (m << bits) % by;
    e = e - bits;
  }
  // m 2^(to - 1075) by two factors that are normal numbers.
  double r = GK_F64(m), down = gk_double(GK_U64(to < 53u ? 623u : 1023u) << 52u);
  return r * down * gk_double(GK_U64(to < 53u ? to + 348u : to - 52u) << 52u);
}
GK_FN double gk_fmod_d(double a, double b) {
  double t = gk_fabs(a), by = gk_fabs(b), r = t < by ? t : gk_rest_size_d(a, b);
  bool none = !(t < gk_double(GK_U64(2047u) << 52u)) || !(by > GK_F64(0));
  return none ? gk_double(GK_U64(0x7ff8u) << 48u) : (gk_bits64(a) >> 63u != GK_U64(0) ? -r : r);
}
GK_FN double gk_mod_d(double a, double b) {
  double r = gk_fmod_d(a, b);
  bool minus = gk_bits64(b) >> 63u != GK_U64(0);
  if (r == GK_F64(0)) return minus ? -gk_fabs(r) : gk_fabs(r);
  return (r < GK_F64(0)) != minus ? r + b : r;
}
