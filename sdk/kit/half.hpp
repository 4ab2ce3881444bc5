// SPDX-License-Identifier: Apache-2.0
// Kit: conversions between double and the small float types, one rounding to nearest, ties to even.
// f16, bf16: IEEE 754 layouts. e4m3fn, e5m2, e8m0, e2m1: OCP 8-bit Floating Point (2023) and Microscaling
// Formats (2023). e4m3fnuz, e5m2fnuz: Noune et al., "8-bit Numerical Formats for Deep Neural Networks"
// (2022), which some GPUs compute with. A float argument is exact as a double, so these serve both.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace opmux::kit {

// exponent field of `exponent` bits with `bias`, then `mantissa` bits.
struct FloatFormat {
  int exponent, mantissa, bias;
  bool infinity;               // the highest exponent is for infinity and NaN; else it holds numbers
  bool nan;                    // without infinity: all ones is NaN
  bool unsigned_zero = false;  // the code of -0 is the only NaN instead
};
inline constexpr FloatFormat kF16{5, 10, 15, true, true};
inline constexpr FloatFormat kBf16{8, 7, 127, true, true};
inline constexpr FloatFormat kE5m2{5, 2, 15, true, true};
inline constexpr FloatFormat kE4m3fn{4, 3, 7, false, true};
inline constexpr FloatFormat kE2m1{2, 1, 1, false, false};
inline constexpr FloatFormat kE4m3fnuz{4, 3, 8, false, false, true};
inline constexpr FloatFormat kE5m2fnuz{5, 2, 16, false, false, true};

constexpr uint32_t max_code(const FloatFormat& f) {
  const uint32_t ones = (1u << (f.exponent + f.mantissa)) - 1;
  return f.infinity ? ones - (1u << f.mantissa) : f.nan ? ones - 1 : ones;
}

// Exact.
inline double decode(const FloatFormat& f, uint32_t code) {
  const uint32_t magnitude = code & ((1u << (f.exponent + f.mantissa)) - 1);
  const bool negative = (code >> (f.exponent + f.mantissa)) & 1;
  const uint32_t exponent = magnitude >> f.mantissa, fraction = magnitude & ((1u << f.mantissa) - 1);
  double value = 0;
  if (f.unsigned_zero && negative && magnitude == 0) return std::numeric_limits<double>::quiet_NaN();
  if (magnitude > max_code(f)) {
    value = f.infinity && fraction == 0 ? std::numeric_limits<double>::infinity()
                                        : std::numeric_limits<double>::quiet_NaN();
  } else if (exponent == 0) {
    value = std::ldexp(double(fraction), 1 - f.bias - f.mantissa);
  } else {
    value = std::ldexp(double(fraction + (1u << f.mantissa)), int(exponent) - f.bias - f.mantissa);
  }
  return std::copysign(value, negative ? -1.0 : 1.0);
}

// Beyond the range: infinity where there is one, else NaN where there is one, else the largest number; with
// `saturate` always the largest number, also for infinities. NaN becomes the quiet NaN; in e2m1, which has
// none, -0, which is what ml_dtypes and with it ONNX's tests give.
inline uint32_t encode(const FloatFormat& f, double x, bool saturate = false) {
  const uint64_t bits = std::bit_cast<uint64_t>(x);
  const uint32_t sign = uint32_t(bits >> 63) << (f.exponent + f.mantissa), top = max_code(f);
  const uint32_t ones = (1u << (f.exponent + f.mantissa)) - 1;
  if (std::isnan(x)) {
    if (f.infinity) return sign | (top + 1) | 1u << (f.mantissa - 1);
    return f.nan ? sign | ones : ones + 1;
  }
  const uint32_t over = saturate ? top : f.infinity ? top + 1 : f.nan ? ones : top;
  const bool no_number = f.unsigned_zero && !saturate;  // beyond the range
  if (std::isinf(x)) return no_number ? ones + 1 : sign | over;
  // Bring the 53-bit significand to units of the last place of the result, keeping what is cut for rounding.
  const int exponent = int(bits >> 52 & 0x7ff);
  uint64_t significand = bits & ((uint64_t(1) << 52) - 1);
  if (exponent != 0) significand |= uint64_t(1) << 52;
  const int scale = (exponent == 0 ? 1 : exponent) - 1023;    // of the leading bit
  const int floor = scale < 1 - f.bias ? 1 - f.bias : scale;  // exponent of the result's binade
  const int shift = 52 - f.mantissa + (floor - scale);        // bits to cut, at least 42
  const uint32_t zero = f.unsigned_zero ? 0 : sign;
  if (shift > 54) return zero;  // below half of the smallest number
  const uint64_t half = uint64_t(1) << (shift - 1), kept = significand >> shift;
  const uint64_t rest = significand & (2 * half - 1);
  const uint64_t rounded = kept + (rest > half || (rest == half && (kept & 1)));
  // `rounded` has its leading bit at `mantissa` for normal numbers; a carry moves into the exponent by
  // itself.
  const int64_t code = int64_t(rounded) + (int64_t(floor + f.bias - 1) << f.mantissa);
  if (code == 0) return zero;
  if (code > int64_t(top)) return no_number ? ones + 1 : sign | over;
  return sign | uint32_t(code);
}

inline double f16_to_double(uint16_t code) { return decode(kF16, code); }
inline uint16_t double_to_f16(double x) { return uint16_t(encode(kF16, x)); }
inline double bf16_to_double(uint16_t code) { return double(std::bit_cast<float>(uint32_t(code) << 16)); }
inline uint16_t double_to_bf16(double x) { return uint16_t(encode(kBf16, x)); }

// e8m0 is a bare power of two: 2^(code - 127), 255 is NaN. There is neither zero nor sign: 0 and what rounds
// below 2^-127 give code 0 (so does a bound below it), negative numbers NaN.
inline double e8m0_to_double(uint8_t code) {
  return code == 255 ? std::numeric_limits<double>::quiet_NaN() : std::ldexp(1.0, int(code) - 127);
}
enum class ToPower { kNearest, kUp, kDown };
inline uint8_t double_to_e8m0(double x, bool saturate = false, ToPower mode = ToPower::kNearest) {
  if (std::isnan(x) || x < 0) return 255;
  if (std::isinf(x)) return saturate ? 254 : 255;
  if (x == 0) return 0;
  int exponent = 0;
  const double fraction = std::frexp(x, &exponent);  // in [0.5, 1)
  const int code = exponent + 126;
  // Nearest: the middle between 1 and 2 is 1.5. All significands are 1, so none is even: a tie goes up, as in
  // ml_dtypes and ONNX.
  const bool nearer = fraction >= 0.75;
  const bool up = mode == ToPower::kUp ? fraction > 0.5 : mode == ToPower::kNearest && nearer;
  const int rounded = up ? code + 1 : code;
  if (rounded < 0) return 0;
  return rounded > 254 ? (saturate ? 254 : 255) : uint8_t(rounded);
}

}  // namespace opmux::kit
