// SPDX-License-Identifier: Apache-2.0
// Numbers of few bits by the words of their format, so that one text serves all of them (ops/values.cpp
// writes the word): bits 0..3 the kind (0 unsigned, 1 signed integer, 2 float, 3 power of two, 4 f16, 5 bf16,
// 6 f32), 4..9 the width, and of floats 10..13 the exponent's bits, 14..17 the mantissa's, 18..22 the bias,
// 23: the highest exponent is for infinity and NaN, 24: all ones is NaN, 25: the code of -0 is the only NaN.
#define GK_WIDTH_OF(f) (((f) >> 4u) & 63u)

GK_FN float gk_decode(uint code, uint f) {
  uint kind = f & 15u, width = GK_WIDTH_OF(f), top = 1u << ((width - 1u) & 31u);
  if (kind == 0u) return GK_F32(code);
  if (kind == 1u) return GK_F32(GK_I32((code ^ top) - top));
  if (kind == 3u) return code == 255u ? GK_NAN : gk_float(code == 0u ? 0x400000u : code << 23u);
  if (kind == 4u) return gk_f16_float(code);
  if (kind == 5u) return gk_bf16_float(code);
  if (kind == 6u) return gk_float(code);
  uint m = (f >> 14u) & 15u, ones = top - 1u, size = code & ones, sign = (code & top) << (32u - width);
  uint e = size >> m, fraction = size & ((1u << m) - 1u);
  bool special = (f & 0x800000u) != 0u && e == (ones >> m);
  bool nan = special ? fraction != 0u : (f & 0x1000000u) != 0u && size == ones;
  if (nan || ((f & 0x2000000u) != 0u && code == top)) return GK_NAN;
  if (special) return gk_float(sign | 0x7f800000u);
  int power = (e == 0u ? 1 : GK_I32(e)) - GK_I32((f >> 18u) & 31u) - GK_I32(m);
  float v = GK_F32(e == 0u ? fraction : fraction + (1u << m)) * gk_float(GK_U32(power + 127) << 23u);
  return gk_float(gk_bits(v) | sign);
}

// The code of a float: one rounding to nearest, ties to even; what lies beyond the range, infinities too, is
// the greatest number. Integers are rounded and within their range already; NaN is 0 there.
GK_FN uint gk_encode(float v, uint f) {
  uint kind = f & 15u, width = GK_WIDTH_OF(f), top = 1u << ((width - 1u) & 31u);
  if (kind < 2u) return GK_U32(GK_I32(gk_isnan(v) ? 0.0f : v)) & ((top << 1u) - 1u);
  if (kind == 4u) return gk_f16_bits(v);
  if (kind == 5u) return gk_bf16_bits(v);
  if (kind == 6u) return gk_bits(v);
  uint u = gk_bits(v), a = u & 0x7fffffffu, sign = (u >> 31u) * top, ones = top - 1u, m = (f >> 14u) & 15u;
  bool infinity = (f & 0x800000u) != 0u, nan = (f & 0x1000000u) != 0u, unsigned_zero = (f & 0x2000000u) != 0u;
  uint greatest = infinity ? ones - (1u << m) : (nan ? ones - 1u : ones);
  if (a > 0x7f800000u)
    return infinity ? sign | (greatest + 1u) | (1u << (m - 1u)) : (nan ? sign | ones : top);
  if (a == 0x7f800000u) return sign | greatest;
  // The exponent of v, and that of the place where its last bit comes to lie.
  int bias = GK_I32((f >> 18u) & 31u), e = GK_I32(a >> 23u) - 127, floor_e = e < 1 - bias ? 1 - bias : e;
  uint shift = 23u - m + GK_U32(floor_e - e), zero = unsigned_zero ? 0u : sign;
  if (e < -126 || shift > 25u) return zero;
  uint digits = (a & 0x7fffffu) | 0x800000u, middle = 1u << (shift - 1u), kept = digits >> shift;
  uint rest = digits & (2u * middle - 1u);
  kept = kept + ((rest > middle || (rest == middle && (kept & 1u) != 0u)) ? 1u : 0u);
  uint code = kept + (GK_U32(floor_e + bias - 1) << m);
  return code == 0u ? zero : sign | (code > greatest ? greatest : code);
}

// Element `at` of a buffer of bytes into v: `load` reads one, `base` is where element 0 lies. Below a byte
// the low bits come first; above, the low bytes.
#define GK_LD_CODE(v, load, base, at, f)                                                             \
  {                                                                                                  \
    uint gk_width = GK_WIDTH_OF(f);                                                                  \
    if (gk_width < 8u) {                                                                             \
      uint gk_per = gk_width == 4u ? 1u : (gk_width == 2u ? 2u : 3u), gk_mask = (1u << gk_per) - 1u; \
      uint gk_byte = load((base) + GK_U32(GK_I32(at) >> gk_per));                                    \
      v = (gk_byte >> (((at) & gk_mask) * gk_width)) & ((1u << gk_width) - 1u);                      \
    } else {                                                                                         \
      v = 0u;                                                                                        \
      for (uint gk_b = 0u; gk_b < gk_width; gk_b += 8u)                                              \
        v = v | (load((base) + (at) * (gk_width / 8u) + gk_b / 8u) << gk_b);                         \
    }                                                                                                \
  }
