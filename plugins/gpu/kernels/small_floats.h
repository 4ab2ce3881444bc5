// SPDX-License-Identifier: Apache-2.0
// Floats of 8 and 4 bits; kit/half.hpp says what each format does with what it cannot hold. By integers
// alone. top: the code of the greatest number; inf: that of infinity, 0 where there is none.
GK_FN float gk_small_float(uint code, uint mantissa, uint bias, uint top, uint inf, uint sign) {
  uint m = code & (sign - 1u), minus = (code & sign) != 0u ? 0x80000000u : 0u;
  if (m > top) return gk_float(minus | (m == inf ? 0x7f800000u : 0x7fc00000u));  // the sign of NaN stays
  // Below the least normal number: m units of 2^(1 - bias - mantissa).
  if (m < (1u << mantissa))
    return gk_float(gk_bits(GK_F32(m) * gk_float((128u - bias - mantissa) << 23u)) | minus);
  return gk_float(((m << (23u - mantissa)) + ((127u - bias) << 23u)) | minus);
}
// over: the code of what lies beyond the greatest number; none: that of NaN. A format without -0 has its code
// for both.
GK_FN uint gk_small_bits(float v, uint mantissa, uint bias, uint top, uint over, uint none, uint sign,
                         bool saturate) {
  uint u = gk_bits(v), a = u & 0x7fffffffu, shift = 23u - mantissa;
  uint minus = (u >> 31u) != 0u ? sign : 0u;
  if (a > 0x7f800000u) return none | minus;
  uint code = 0u;
  if (a >= ((128u - bias) << 23u)) {
    code = (a - ((127u - bias) << 23u) + ((1u << (shift - 1u)) - 1u) + ((a >> shift) & 1u)) >> shift;
  } else {
    uint cut = shift + 128u - bias - (a >> 23u), m = (a & 0x7fffffu) | 0x800000u;
    if (cut < 26u) {
      uint rest = m & ((1u << cut) - 1u), middle = 1u << (cut - 1u);
      code = m >> cut;
      if (rest > middle || (rest == middle && (code & 1u) != 0u)) code = code + 1u;
    }
  }
  if (code > top) return (saturate ? top : over) | minus;
  return none == sign && code == 0u && sign == 0x80u ? 0u : code | minus;
}
#define gk_e4m3fn_float(c) gk_small_float(c, 3u, 7u, 0x7eu, 0u, 0x80u)
#define gk_e4m3fn_bits(v, saturate) gk_small_bits(v, 3u, 7u, 0x7eu, 0x7fu, 0x7fu, 0x80u, saturate)
#define gk_e5m2_float(c) gk_small_float(c, 2u, 15u, 0x7bu, 0x7cu, 0x80u)
#define gk_e5m2_bits(v, saturate) gk_small_bits(v, 2u, 15u, 0x7bu, 0x7cu, 0x7eu, 0x80u, saturate)
#define gk_e4m3fnuz_float(c) ((c) == 0x80u ? GK_NAN : gk_small_float(c, 3u, 8u, 0x7fu, 0u, 0x80u))
#define gk_e4m3fnuz_bits(v, saturate) gk_small_bits(v, 3u, 8u, 0x7fu, 0x80u, 0x80u, 0x80u, saturate)
#define gk_e5m2fnuz_float(c) ((c) == 0x80u ? GK_NAN : gk_small_float(c, 2u, 16u, 0x7fu, 0u, 0x80u))
#define gk_e5m2fnuz_bits(v, saturate) gk_small_bits(v, 2u, 16u, 0x7fu, 0x80u, 0x80u, 0x80u, saturate)
#define gk_e2m1_float(c) gk_small_float(c, 1u, 1u, 7u, 0u, 8u)
#define gk_e2m1_bits(v, saturate) gk_small_bits(v, 1u, 1u, 7u, 7u, 8u, 8u, saturate)

// A bare power of two.
GK_FN float gk_e8m0_float(uint code) {
  return gk_float(code == 0u ? 0x00400000u : (code == 255u ? 0x7fc00000u : code << 23u));
}
// mode: 0 nearest, ties up; 1 not below; -1 not above.
GK_FN uint gk_e8m0_bits(float v, bool saturate, int mode) {
  uint u = gk_bits(v), e = u >> 23u, part = u & 0x7fffffu;
  if (u > 0x7f800000u) return u == 0x80000000u ? 0u : 255u;  // NaN, negative numbers; -0
  bool up = mode == 0 ? part >= 0x400000u : mode > 0 && part != 0u;
  // Below 2^-126 the power 2^-127 is 0x00400000, and nothing is less.
  if (e == 0u) up = mode == 0 ? part >= 0x600000u : mode > 0 && part > 0x400000u;
  uint code = e + (up ? 1u : 0u);
  return code > 254u ? (saturate ? 254u : 255u) : code;
}
