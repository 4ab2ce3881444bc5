// SPDX-License-Identifier: Apache-2.0
// Casts between lanes, rounding to the short formats, repetition of one element.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/tiles_cast.cpp"
#include <cstdint>
#include <type_traits>

#include "cpu/tiles.hpp"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "cpu/kernels/scalar-inl.hpp"
#include "cpu/kernels/numbers-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {

namespace {

struct RoundF16 {
  static HWY_INLINE float f(float x) { return round_f16(x); }
};
struct RoundBf16 {
  static HWY_INLINE float f(float x) { return round_bf16(x); }
};

template <class R, bool kSaturate>
struct To {
  template <class S>
  static HWY_INLINE R f(S x) {
    if constexpr (std::is_floating_point_v<R>) {
      return static_cast<R>(x);
    } else if constexpr (std::is_floating_point_v<S>) {
      return kSaturate ? saturate_to_int<R>(x) : wrap_to_int<R>(x);
    } else {
      return int_to_int<R>(x, kSaturate);
    }
  }
};
template <class Round>
struct ToShort {
  template <class S>
  static HWY_INLINE float f(S x) {
    if constexpr (std::is_same_v<S, float> || sizeof(S) <= 2) {
      return Round::f(static_cast<float>(x));
    } else if constexpr (std::is_same_v<S, double>) {
      return Round::f(odd_f32(x));
    } else {
      return Round::f(odd_f32(odd_f64(x)));
    }
  }
};
struct ToBool {
  template <class S>
  static HWY_INLINE uint8_t f(S x) {
    return x != 0;
  }
};

template <class S, class R>
TileFn to_int(bool saturate) {
  if constexpr (std::is_same_v<S, R>) return map1<S, R, To<R, false>>;
  return saturate ? map1<S, R, To<R, true>> : map1<S, R, To<R, false>>;
}

template <class S>
TileFn from(uint32_t to, bool saturate) {
  switch (to) {
    case OPMUX_F64:
      return map1<S, double, To<double, false>>;
    case OPMUX_F32:
      return map1<S, float, To<float, false>>;
    case OPMUX_F16:
      return map1<S, float, ToShort<RoundF16>>;
    case OPMUX_BF16:
      return map1<S, float, ToShort<RoundBf16>>;
    case OPMUX_I64:
      return to_int<S, int64_t>(saturate);
    case OPMUX_I32:
      return to_int<S, int32_t>(saturate);
    case OPMUX_I16:
      return to_int<S, int16_t>(saturate);
    case OPMUX_I8:
      return to_int<S, int8_t>(saturate);
    case OPMUX_U64:
      return to_int<S, uint64_t>(saturate);
    case OPMUX_U32:
      return to_int<S, uint32_t>(saturate);
    case OPMUX_U16:
      return to_int<S, uint16_t>(saturate);
    case OPMUX_U8:
      return to_int<S, uint8_t>(saturate);
    case OPMUX_BOOL:
      return map1<S, uint8_t, ToBool>;
    default:
      return nullptr;
  }
}

}  // namespace

TileFn cast_tile(Lane lane, uint32_t to, bool saturate) {
  switch (lane) {
    case Lane::kF32:
      return from<float>(to, saturate);
    case Lane::kF64:
      return from<double>(to, saturate);
    case Lane::kI64:
      return from<int64_t>(to, saturate);
    case Lane::kI32:
      return from<int32_t>(to, saturate);
    case Lane::kI16:
      return from<int16_t>(to, saturate);
    case Lane::kI8:
      return from<int8_t>(to, saturate);
    case Lane::kU64:
      return from<uint64_t>(to, saturate);
    case Lane::kU32:
      return from<uint32_t>(to, saturate);
    case Lane::kU16:
      return from<uint16_t>(to, saturate);
    case Lane::kU8:
    case Lane::kBool:
      return from<uint8_t>(to, saturate);
    default:
      return nullptr;
  }
}

namespace {
template <class T>
void splat(void* out, const void* a, const void*, const void*, size_t n) {
  const T x = *static_cast<const T*>(a);
  T* y = static_cast<T*>(out);
  for (size_t i = 0; i < n; ++i) y[i] = x;
}
}  // namespace
TileFn splat_tile(size_t bytes) {
  return bytes == 8   ? splat<uint64_t>
         : bytes == 4 ? splat<uint32_t>
         : bytes == 2 ? splat<uint16_t>
                      : splat<uint8_t>;
}

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
HWY_EXPORT(cast_tile);
HWY_EXPORT(splat_tile);
TileFn find_cast(uint32_t from, uint32_t to, bool saturate) {
  return HWY_DYNAMIC_DISPATCH(cast_tile)(lane_of(from), to, saturate);
}
TileFn find_round(uint32_t dtype) {
  return dtype == OPMUX_F16 || dtype == OPMUX_BF16 ? HWY_DYNAMIC_DISPATCH(cast_tile)(Lane::kF32, dtype, false)
                                                   : nullptr;
}
TileFn find_splat(Lane lane) { return HWY_DYNAMIC_DISPATCH(splat_tile)(lane_bytes(lane)); }
}  // namespace opmux::cpu
#endif
