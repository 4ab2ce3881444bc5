// SPDX-License-Identifier: Apache-2.0
// Conversions between number formats, one element at a time and without branches, so that loops over them
// vectorise.
#if defined(OPMUX_CPU_NUMBERS_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef OPMUX_CPU_NUMBERS_INL_HPP
#undef OPMUX_CPU_NUMBERS_INL_HPP
#else
#define OPMUX_CPU_NUMBERS_INL_HPP
#endif

#include <hwy/highway.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {

HWY_INLINE float f16_to_f32(uint16_t h) {
  const uint32_t magnitude = static_cast<uint32_t>(h & 0x7fffu) << 13;
  // The product with 2^112 moves the exponent's bias and normalises subnormal numbers.
  const float scaled = std::bit_cast<float>(magnitude) * 0x1p112f;
  const uint32_t bits =
      (h & 0x7c00u) == 0x7c00u ? (magnitude | 0x7f800000u) : std::bit_cast<uint32_t>(scaled);
  return std::bit_cast<float>(bits | static_cast<uint32_t>(h & 0x8000u) << 16);
}

// Nearest, ties to even; NaN keeps the top of its payload and becomes quiet.
HWY_INLINE uint16_t f32_to_f16(float x) {
  const uint32_t u = std::bit_cast<uint32_t>(x), a = u & 0x7fffffffu;
  // 2^-24, the spacing of subnormal f16, is the spacing of floats at 0.5.
  const uint32_t tiny = std::bit_cast<uint32_t>(std::bit_cast<float>(a) + 0.5f) - 0x3f000000u;
  const uint32_t normal = (a + 0xfffu + ((a >> 13) & 1u) - 0x38000000u) >> 13;
  uint32_t h = a < 0x38800000u ? tiny : normal;
  h = a >= 0x477ff000u ? 0x7c00u : h;
  h = a > 0x7f800000u ? 0x7e00u | ((a >> 13) & 0x3ffu) : h;
  return static_cast<uint16_t>(h | (u >> 16 & 0x8000u));
}

HWY_INLINE float bf16_to_f32(uint16_t h) { return std::bit_cast<float>(static_cast<uint32_t>(h) << 16); }

HWY_INLINE uint16_t f32_to_bf16(float x) {
  const uint32_t u = std::bit_cast<uint32_t>(x);
  const uint32_t nan = (u >> 16) | 0x40u, near = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  return static_cast<uint16_t>((u & 0x7fffffffu) > 0x7f800000u ? nan : near);
}

HWY_INLINE float round_f16(float x) { return f16_to_f32(f32_to_f16(x)); }
HWY_INLINE float round_bf16(float x) { return bf16_to_f32(f32_to_bf16(x)); }

// To f32 by rounding to odd: a second rounding to a shorter format is then right.
HWY_INLINE float odd_f32(double x) {
  const float f = static_cast<float>(x);
  const double back = f;
  uint32_t u = std::bit_cast<uint32_t>(f);
  const bool inexact = back != x && x == x, away = std::fabs(back) > std::fabs(x);
  u = inexact ? ((away ? u - 1u : u) | 1u) : u;
  return std::bit_cast<float>(u);
}
// Integers beyond 53 bits to f64 by rounding to odd.
template <class T>
HWY_INLINE double odd_f64(T x) {
  if constexpr (sizeof(T) < 8) {
    return static_cast<double>(x);
  } else {
    const bool negative = std::is_signed_v<T> && x < 0;
    uint64_t u = negative ? 0 - static_cast<uint64_t>(x) : static_cast<uint64_t>(x);
    if (u >> 53) u = (u & ~uint64_t{0x7ff}) | ((u & 0x7ff) != 0 ? 0x800u : 0u);
    const double d = static_cast<double>(u);
    return negative ? -d : d;
  }
}

// Float to integer: truncates; beyond the range it wraps modulo 2^bits (NaN and infinities give 0) ...
template <class R, class S>
HWY_INLINE R wrap_to_int(S x) {
  if (std::fabs(x) < S(9.2e18)) return static_cast<R>(static_cast<int64_t>(x));
  if (!(std::fabs(x) <= std::numeric_limits<S>::max())) return 0;
  const double m = std::fmod(std::trunc(static_cast<double>(x)), 18446744073709551616.0);
  const uint64_t u = static_cast<uint64_t>(std::fabs(m));
  return static_cast<R>(m < 0 ? 0 - u : u);
}
// ... or goes to the nearest end (NaN gives 0).
template <class R, class S>
HWY_INLINE R saturate_to_int(S x) {
  constexpr R kMax = std::numeric_limits<R>::max(), kMin = std::numeric_limits<R>::min();
  // 2^bits is a float where kMax is none.
  constexpr S kEnd = S(2) * static_cast<S>(kMax / 2 + 1);
  return x >= kEnd ? kMax : x < static_cast<S>(kMin) ? kMin : x == x ? static_cast<R>(x) : R(0);
}

template <class R, class S>
HWY_INLINE R int_to_int(S x, bool saturate) {
  constexpr R kMax = std::numeric_limits<R>::max(), kMin = std::numeric_limits<R>::min();
  if (!saturate) return static_cast<R>(x);
  if constexpr (std::is_signed_v<S>) {
    if (x < 0) {
      if constexpr (!std::is_signed_v<R>) return 0;
      return static_cast<int64_t>(x) < static_cast<int64_t>(kMin) ? kMin : static_cast<R>(x);
    }
  }
  return static_cast<uint64_t>(x) > static_cast<uint64_t>(kMax) ? kMax : static_cast<R>(x);
}

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
