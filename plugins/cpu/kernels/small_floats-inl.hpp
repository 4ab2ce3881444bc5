// SPDX-License-Identifier: Apache-2.0
// 8-bit and 4-bit floats to and from f32, one element at a time and without branches; kit/half.hpp says what
// each format does with what it cannot hold.
#if defined(OPMUX_CPU_SMALL_FLOATS_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef OPMUX_CPU_SMALL_FLOATS_INL_HPP
#undef OPMUX_CPU_SMALL_FLOATS_INL_HPP
#else
#define OPMUX_CPU_SMALL_FLOATS_INL_HPP
#endif

#include <hwy/highway.h>

#include <bit>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {

// kTop: magnitude of the greatest number; kOver: what lies beyond it; kNan. kFnuz: no -0, its code is NaN.
template <int kExponent, int kMantissa, int kBias, uint32_t kTop, uint32_t kOver, uint32_t kNan, bool kFnuz>
struct SmallFloat {
  static constexpr int kBits = kExponent + kMantissa, kShift = 23 - kMantissa;
  static constexpr uint32_t kSign = 1u << kBits;

  static HWY_INLINE float decode(uint8_t code) {
    const uint32_t magnitude = code & (kSign - 1), sign = (code & kSign) << (31 - kBits);
    // The product moves the exponent's bias and normalises subnormal numbers.
    const float scale = std::bit_cast<float>(static_cast<uint32_t>(254 - kBias) << 23);
    const float value = std::bit_cast<float>(magnitude << kShift) * scale;
    uint32_t bits = std::bit_cast<uint32_t>(value);
    if constexpr (kOver != kTop && !kFnuz) bits = magnitude == kOver ? 0x7f800000u : bits;
    if constexpr (kNan > kTop && !kFnuz)
      bits = magnitude > kTop && (kOver == kNan || magnitude != kOver) ? 0x7fc00000u : bits;
    if constexpr (kFnuz) return std::bit_cast<float>(code == kSign ? 0x7fc00000u : (bits | sign));
    return std::bit_cast<float>(bits | sign);
  }

  template <bool kSaturate>
  static HWY_INLINE uint8_t encode(float x) {
    const uint32_t u = std::bit_cast<uint32_t>(x), a = u & 0x7fffffffu;
    const uint32_t sign = (u >> (31 - kBits)) & kSign;
    // Below the least normal number: added to a number whose last place is the spacing there.
    constexpr uint32_t kMagic = static_cast<uint32_t>(127 + 1 - kBias - kMantissa + 23) << 23;
    constexpr uint32_t kNormal = static_cast<uint32_t>(127 + 1 - kBias) << 23;
    const uint32_t tiny =
        std::bit_cast<uint32_t>(std::bit_cast<float>(a) + std::bit_cast<float>(kMagic)) - kMagic;
    const uint32_t half = (1u << (kShift - 1)) - 1 + ((a >> kShift) & 1u);
    const uint32_t near = (a + half - (static_cast<uint32_t>(127 - kBias) << 23)) >> kShift;
    uint32_t code = a < kNormal ? tiny : near;
    const bool beyond = code > kTop, nan = a > 0x7f800000u;
    if constexpr (kFnuz) {
      code = code == 0 ? 0u : (code | sign);
      code = beyond ? (kSaturate ? kTop | sign : kSign) : code;
      return static_cast<uint8_t>(nan ? kSign : code);
    } else {
      code = (beyond ? (kSaturate ? kTop : kOver) : code) | sign;
      const uint32_t no_number = kNan > kTop ? kNan | sign : kSign;
      return static_cast<uint8_t>(nan ? no_number : code);
    }
  }
};
using E4m3fn = SmallFloat<4, 3, 7, 0x7e, 0x7f, 0x7f, false>;
using E5m2 = SmallFloat<5, 2, 15, 0x7b, 0x7c, 0x7e, false>;
using E4m3fnuz = SmallFloat<4, 3, 8, 0x7f, 0x80, 0x80, true>;
using E5m2fnuz = SmallFloat<5, 2, 16, 0x7f, 0x80, 0x80, true>;
using E2m1 = SmallFloat<2, 1, 1, 7, 7, 0, false>;

// kMode: 0 nearest, ties up; 1 not below; -1 not above.
template <int kMode>
struct E8m0 {
  static HWY_INLINE float decode(uint8_t code) {
    const uint32_t bits = static_cast<uint32_t>(code) << 23;
    return std::bit_cast<float>(code == 0 ? 0x00400000u : code == 255 ? 0x7fc00000u : bits);
  }
  template <bool kSaturate>
  static HWY_INLINE uint8_t encode(float x) {
    const uint32_t u = std::bit_cast<uint32_t>(x), e = u >> 23, part = u & 0x7fffffu;
    // Below 2^-126 the power 2^-127 is 0x00400000, and nothing is less.
    const uint32_t low = kMode == 0 ? part >= 0x600000u : kMode > 0 ? part > 0x400000u : 0u;
    const uint32_t up = kMode == 0 ? part >= 0x400000u : kMode > 0 ? part != 0 : 0u;
    uint32_t code = e == 0 ? low : e + up;
    code = code > 254 ? (kSaturate ? 254u : 255u) : code;
    code = u == 0x80000000u ? 0u : u > 0x7f800000u ? 255u : code;  // -0; negative numbers and NaN
    return static_cast<uint8_t>(code);
  }
};

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
