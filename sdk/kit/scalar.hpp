// SPDX-License-Identifier: Apache-2.0
// Kit: one element of any type in a 64-bit word: floats as double (every float type fits exactly), signed
// integers sign-extended, unsigned integers and bool zero-extended.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "kit/half.hpp"
#include "opmux/types.h"

namespace opmux::kit {

union Scalar {
  double f;
  int64_t i;
  uint64_t u;
};
inline Scalar of_float(double f) { return Scalar{.f = f}; }
inline Scalar of_int(int64_t i) { return Scalar{.i = i}; }
inline Scalar of_bool(bool b) { return Scalar{.u = b}; }

inline bool is_float(uint32_t dtype) { return OPMUX_DTYPE_CLASS(dtype) == OPMUX_CLASS_FLOAT; }
inline bool is_signed(uint32_t dtype) { return OPMUX_DTYPE_CLASS(dtype) == OPMUX_CLASS_SIGNED; }
inline bool is_unsigned(uint32_t dtype) { return OPMUX_DTYPE_CLASS(dtype) == OPMUX_CLASS_UNSIGNED; }
inline bool is_integer(uint32_t dtype) { return is_signed(dtype) || is_unsigned(dtype); }

// The low bits of u as an integer of this type: two's complement wrap-around.
inline Scalar wrap(uint32_t dtype, uint64_t u) {
  if (dtype == OPMUX_BOOL) return of_bool(u != 0);
  const uint32_t cut = 64 - OPMUX_DTYPE_BITS(dtype);
  return is_signed(dtype) ? of_int(int64_t(u << cut) >> cut) : Scalar{.u = u << cut >> cut};
}

// Bits of a float of this type nearest to x.
inline uint64_t float_bits(uint32_t dtype, double x, bool saturate = false,
                           ToPower mode = ToPower::kNearest) {
  switch (dtype) {
    case OPMUX_F64:
      return std::bit_cast<uint64_t>(x);
    case OPMUX_F32:
      return std::bit_cast<uint32_t>(float(x));
    case OPMUX_F16:
      return encode(kF16, x);
    case OPMUX_BF16:
      return encode(kBf16, x);
    case OPMUX_E4M3FN:
      return encode(kE4m3fn, x, saturate);
    case OPMUX_E5M2:
      return encode(kE5m2, x, saturate);
    case OPMUX_E8M0:
      return double_to_e8m0(x, saturate, mode);
    case OPMUX_E4M3FNUZ:
      return encode(kE4m3fnuz, x, saturate);
    case OPMUX_E5M2FNUZ:
      return encode(kE5m2fnuz, x, saturate);
    default:
      return encode(kE2m1, x, saturate);
  }
}

// The value that bits stand for.
inline Scalar from_bits(uint32_t dtype, uint64_t bits) {
  switch (dtype) {
    case OPMUX_F64:
      return of_float(std::bit_cast<double>(bits));
    case OPMUX_F32:
      return of_float(double(std::bit_cast<float>(uint32_t(bits))));
    case OPMUX_F16:
      return of_float(decode(kF16, uint32_t(bits & 0xffff)));
    case OPMUX_BF16:
      return of_float(bf16_to_double(uint16_t(bits)));
    case OPMUX_E4M3FN:
      return of_float(decode(kE4m3fn, uint32_t(bits & 0xff)));
    case OPMUX_E5M2:
      return of_float(decode(kE5m2, uint32_t(bits & 0xff)));
    case OPMUX_E8M0:
      return of_float(e8m0_to_double(uint8_t(bits)));
    case OPMUX_E4M3FNUZ:
      return of_float(decode(kE4m3fnuz, uint32_t(bits & 0xff)));
    case OPMUX_E5M2FNUZ:
      return of_float(decode(kE5m2fnuz, uint32_t(bits & 0xff)));
    case OPMUX_E2M1:
      return of_float(decode(kE2m1, uint32_t(bits & 0xf)));
    default:
      return wrap(dtype, bits);
  }
}

inline double round_to(uint32_t dtype, double x) {
  if (dtype == OPMUX_F64) return x;
  if (dtype == OPMUX_F32) return double(float(x));
  return from_bits(dtype, float_bits(dtype, x)).f;
}

// Element `index` of an array; sub-byte types have their low bits first.
inline Scalar load(uint32_t dtype, const void* base, int64_t index) {
  const auto* bytes = static_cast<const unsigned char*>(base);
  const int64_t width = OPMUX_DTYPE_BITS(dtype);
  uint64_t bits = 0;
  if (width >= 8) {
    std::memcpy(&bits, bytes + index * (width / 8), size_t(width / 8));
  } else {
    const int64_t at = index * width;  // rounds towards minus infinity also for negative strides
    bits = (uint64_t(bytes[at >> 3]) >> (at & 7)) & ((1u << width) - 1);
  }
  return from_bits(dtype, bits);
}

// value is in the range of the type (see cast_to); floats are rounded here.
inline void store(uint32_t dtype, void* base, int64_t index, Scalar value) {
  auto* bytes = static_cast<unsigned char*>(base);
  const int64_t width = OPMUX_DTYPE_BITS(dtype);
  const uint64_t bits = is_float(dtype) ? float_bits(dtype, value.f) : value.u;
  if (width >= 8) {
    std::memcpy(bytes + index * (width / 8), &bits, size_t(width / 8));
    return;
  }
  const int64_t at = index * width;
  const uint64_t mask = ((uint64_t(1) << width) - 1) << (at & 7);
  unsigned char& byte = bytes[at >> 3];
  byte = static_cast<unsigned char>((byte & ~mask) | ((bits << (at & 7)) & mask));
}

// An integer as a double with the lost bits folded into the last one, so that one more rounding, to a type
// with at most 51 bits, is as if it were the only one.
inline double to_odd(uint64_t magnitude, bool negative) {
  const int width = std::bit_width(magnitude);
  if (width > 53) {
    const int cut = width - 53;
    const bool lost = (magnitude & ((uint64_t(1) << cut) - 1)) != 0;
    magnitude = (magnitude >> cut | uint64_t(lost)) << cut;
  }
  return negative ? -double(magnitude) : double(magnitude);
}

// Float to integer: truncation; out of range wraps modulo 2^width, or goes to the nearest bound; NaN and,
// when wrapping, infinities give 0.
inline Scalar float_to_int(uint32_t dtype, double x, bool saturate) {
  if (std::isnan(x)) return of_int(0);
  const uint32_t bits = OPMUX_DTYPE_BITS(dtype);
  const double whole = std::trunc(x);
  if (saturate) {
    const double above = std::ldexp(1.0, int(bits) - (is_signed(dtype) ? 1 : 0)),
                 low = is_signed(dtype) ? -above : 0;
    if (whole >= above) return wrap(dtype, ~uint64_t(0) >> (is_signed(dtype) ? 65 - bits : 64 - bits));
    if (whole < low) return wrap(dtype, is_signed(dtype) ? uint64_t(1) << (bits - 1) : 0);
  } else if (std::isinf(x)) {
    return of_int(0);
  }
  const double rest = std::fmod(std::fabs(whole), 0x1p64);  // exact
  const uint64_t magnitude = uint64_t(rest);
  return wrap(dtype, whole < 0 ? 0 - magnitude : magnitude);
}

inline Scalar int_to_int(uint32_t from, uint32_t to, Scalar v, bool saturate) {
  if (!saturate || to == OPMUX_BOOL || from == OPMUX_BOOL) return wrap(to, v.u);
  const uint32_t bits = OPMUX_DTYPE_BITS(to);
  const uint64_t high = ~uint64_t(0) >> (is_signed(to) ? 65 - bits : 64 - bits);
  if (is_signed(from) && v.i < 0) {
    const int64_t low = is_signed(to) ? -int64_t(high) - 1 : 0;
    return wrap(to, uint64_t(v.i < low ? low : v.i));
  }
  return wrap(to, v.u > high ? high : v.u);
}

// v of type `from` as type `to`, rounded to it.
inline Scalar cast_to(uint32_t from, uint32_t to, Scalar v, bool saturate = false,
                      ToPower mode = ToPower::kNearest) {
  if (to == OPMUX_BOOL) return of_bool(is_float(from) ? v.f != 0 : v.u != 0);  // NaN is true
  if (is_float(from))
    return is_float(to) ? from_bits(to, float_bits(to, v.f, saturate, mode))
                        : float_to_int(to, v.f, saturate);
  if (!is_float(to)) return int_to_int(from, to, v, saturate);
  const bool negative = is_signed(from) && v.i < 0;
  if (to == OPMUX_F64) return of_float(negative ? double(v.i) : double(v.u));
  return from_bits(to, float_bits(to, to_odd(negative ? 0 - v.u : v.u, negative), saturate, mode));
}

}  // namespace opmux::kit
