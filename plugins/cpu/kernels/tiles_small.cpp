// SPDX-License-Identifier: Apache-2.0
// Types of 8 bits and less that programs can only cast and select: 8-bit and 4-bit floats, held as f32, and
// 4- and 2-bit integers, held as 8-bit ones.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/tiles_small.cpp"
#include <cstdint>

#include "cpu/tiles.hpp"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "cpu/kernels/scalar-inl.hpp"
#include "cpu/kernels/numbers-inl.hpp"
#include "cpu/kernels/small_floats-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace {

// Any lane to f32 by rounding to odd, so that the rounding that follows is as if it were the only one.
struct Odd {
  template <class S>
  static HWY_INLINE float f(S x) {
    if constexpr (std::is_same_v<S, float> || sizeof(S) <= 2) {
      return static_cast<float>(x);
    } else if constexpr (std::is_same_v<S, double>) {
      return odd_f32(x);
    } else {
      return odd_f32(odd_f64(x));
    }
  }
};

template <class F, bool kSaturate>
struct Round {
  static HWY_INLINE float f(float x) { return F::decode(F::template encode<kSaturate>(x)); }
};
template <class F>
TileFn round_to(bool saturate) {
  return saturate ? map1<float, float, Round<F, true>> : map1<float, float, Round<F, false>>;
}

template <class T, int kBits, bool kSaturate>
struct Narrow {
  static HWY_INLINE T f(T x) {
    constexpr int kMax = std::is_signed_v<T> ? (1 << (kBits - 1)) - 1 : (1 << kBits) - 1;
    constexpr int kMin = std::is_signed_v<T> ? -kMax - 1 : 0;
    if constexpr (kSaturate) return static_cast<T>(x > kMax ? kMax : x < kMin ? kMin : x);
    const auto raised = static_cast<T>(static_cast<uint32_t>(x) << (8 - kBits));
    return static_cast<T>(raised >> (8 - kBits));
  }
};
template <class T, int kBits>
TileFn narrow_to(bool saturate) {
  return saturate ? map1<T, T, Narrow<T, kBits, true>> : map1<T, T, Narrow<T, kBits, false>>;
}

template <class F>
void load_float(void* lanes, const void* memory, int64_t stride, size_t n) {
  const auto* x = static_cast<const uint8_t*>(memory);
  auto* y = static_cast<float*>(lanes);
  if (stride == 1) {
    for (size_t i = 0; i < n; ++i) y[i] = F::decode(x[i]);
  } else {
    for (size_t i = 0; i < n; ++i, x += stride) y[i] = F::decode(*x);
  }
}
template <class F>
void store_float(void* memory, int64_t stride, const void* lanes, size_t n) {
  auto* y = static_cast<uint8_t*>(memory);
  const auto* x = static_cast<const float*>(lanes);
  if (stride == 1) {
    for (size_t i = 0; i < n; ++i) y[i] = F::template encode<false>(x[i]);
  } else {
    for (size_t i = 0; i < n; ++i, y += stride) *y = F::template encode<false>(x[i]);
  }
}

// Elements of less than a byte: `memory` counts elements (element_address), not bytes.
template <class T, int kBits>
struct Whole {
  using Lane = T;
  static HWY_INLINE T in(uint32_t code) { return Narrow<T, kBits, false>::f(static_cast<T>(code)); }
  static HWY_INLINE uint32_t out(T x) { return static_cast<uint32_t>(x) & ((1u << kBits) - 1); }
};
struct Fp4 {
  using Lane = float;
  static HWY_INLINE float in(uint32_t code) { return E2m1::decode(static_cast<uint8_t>(code)); }
  static HWY_INLINE uint32_t out(float x) { return E2m1::encode<false>(x); }
};

template <class F, uint32_t kBits>
void load_bits(void* lanes, const void* memory, int64_t stride, size_t n) {
  constexpr uint32_t kPer = 8 / kBits, kMask = (1u << kBits) - 1;
  auto at = reinterpret_cast<uintptr_t>(memory);
  auto* y = static_cast<typename F::Lane*>(lanes);
  size_t i = 0;
  if (stride == 1 && at % kPer == 0) {
    const auto* x = reinterpret_cast<const uint8_t*>(at / kPer);
    for (size_t b = 0; b < n / kPer; ++b)
      for (uint32_t k = 0; k < kPer; ++k) y[b * kPer + k] = F::in((uint32_t{x[b]} >> (k * kBits)) & kMask);
    i = n / kPer * kPer;
    at += i;
  }
  for (; i < n; ++i, at += static_cast<uintptr_t>(stride))
    y[i] = F::in((uint32_t{*reinterpret_cast<const uint8_t*>(at / kPer)} >> (at % kPer * kBits)) & kMask);
}
template <class F, uint32_t kBits>
void store_bits(void* memory, int64_t stride, const void* lanes, size_t n) {
  constexpr uint32_t kPer = 8 / kBits, kMask = (1u << kBits) - 1;
  auto at = reinterpret_cast<uintptr_t>(memory);
  const auto* x = static_cast<const typename F::Lane*>(lanes);
  size_t i = 0;
  if (stride == 1 && at % kPer == 0) {
    auto* y = reinterpret_cast<uint8_t*>(at / kPer);
    for (size_t b = 0; b < n / kPer; ++b) {
      uint32_t byte = 0;
      for (uint32_t k = 0; k < kPer; ++k) byte |= F::out(x[b * kPer + k]) << (k * kBits);
      y[b] = static_cast<uint8_t>(byte);
    }
    i = n / kPer * kPer;
    at += i;
  }
  for (; i < n; ++i, at += static_cast<uintptr_t>(stride)) {
    auto* byte = reinterpret_cast<uint8_t*>(at / kPer);
    const auto shift = static_cast<uint32_t>(at % kPer * kBits);
    *byte = static_cast<uint8_t>((*byte & ~(kMask << shift)) | F::out(x[i]) << shift);
  }
}

}  // namespace

TileFn odd_tile(Lane lane) {
  switch (lane) {
    case Lane::kF32:
      return map1<float, float, Odd>;
    case Lane::kF64:
      return map1<double, float, Odd>;
    case Lane::kI64:
      return map1<int64_t, float, Odd>;
    case Lane::kI32:
      return map1<int32_t, float, Odd>;
    case Lane::kI16:
      return map1<int16_t, float, Odd>;
    case Lane::kI8:
      return map1<int8_t, float, Odd>;
    case Lane::kU64:
      return map1<uint64_t, float, Odd>;
    case Lane::kU32:
      return map1<uint32_t, float, Odd>;
    case Lane::kU16:
      return map1<uint16_t, float, Odd>;
    case Lane::kU8:
    case Lane::kBool:
      return map1<uint8_t, float, Odd>;
    default:
      return nullptr;
  }
}

TileFn small_round_tile(uint32_t dtype, uint32_t flags) {
  const bool saturate = flags & OPMUX_INSN_SATURATE;
  switch (dtype) {
    case OPMUX_E4M3FN:
      return round_to<E4m3fn>(saturate);
    case OPMUX_E5M2:
      return round_to<E5m2>(saturate);
    case OPMUX_E4M3FNUZ:
      return round_to<E4m3fnuz>(saturate);
    case OPMUX_E5M2FNUZ:
      return round_to<E5m2fnuz>(saturate);
    case OPMUX_E2M1:
      return round_to<E2m1>(saturate);
    case OPMUX_E8M0:
      return flags & OPMUX_INSN_ROUND_UP     ? round_to<E8m0<1>>(saturate)
             : flags & OPMUX_INSN_ROUND_DOWN ? round_to<E8m0<-1>>(saturate)
                                             : round_to<E8m0<0>>(saturate);
    case OPMUX_I4:
      return narrow_to<int8_t, 4>(saturate);
    case OPMUX_I2:
      return narrow_to<int8_t, 2>(saturate);
    case OPMUX_U4:
      return narrow_to<uint8_t, 4>(saturate);
    case OPMUX_U2:
      return narrow_to<uint8_t, 2>(saturate);
    default:
      return nullptr;
  }
}

LoadFn small_load_tile(uint32_t dtype) {
  switch (dtype) {
    case OPMUX_E4M3FN:
      return load_float<E4m3fn>;
    case OPMUX_E5M2:
      return load_float<E5m2>;
    case OPMUX_E4M3FNUZ:
      return load_float<E4m3fnuz>;
    case OPMUX_E5M2FNUZ:
      return load_float<E5m2fnuz>;
    case OPMUX_E8M0:
      return load_float<E8m0<0>>;
    case OPMUX_E2M1:
      return load_bits<Fp4, 4>;
    case OPMUX_I4:
      return load_bits<Whole<int8_t, 4>, 4>;
    case OPMUX_I2:
      return load_bits<Whole<int8_t, 2>, 2>;
    case OPMUX_U4:
      return load_bits<Whole<uint8_t, 4>, 4>;
    case OPMUX_U2:
      return load_bits<Whole<uint8_t, 2>, 2>;
    default:
      return nullptr;
  }
}

StoreFn small_store_tile(uint32_t dtype) {
  switch (dtype) {
    case OPMUX_E4M3FN:
      return store_float<E4m3fn>;
    case OPMUX_E5M2:
      return store_float<E5m2>;
    case OPMUX_E4M3FNUZ:
      return store_float<E4m3fnuz>;
    case OPMUX_E5M2FNUZ:
      return store_float<E5m2fnuz>;
    case OPMUX_E8M0:
      return store_float<E8m0<0>>;
    case OPMUX_E2M1:
      return store_bits<Fp4, 4>;
    case OPMUX_I4:
      return store_bits<Whole<int8_t, 4>, 4>;
    case OPMUX_I2:
      return store_bits<Whole<int8_t, 2>, 2>;
    case OPMUX_U4:
      return store_bits<Whole<uint8_t, 4>, 4>;
    case OPMUX_U2:
      return store_bits<Whole<uint8_t, 2>, 2>;
    default:
      return nullptr;
  }
}

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
HWY_EXPORT(odd_tile);
HWY_EXPORT(small_round_tile);
HWY_EXPORT(small_load_tile);
HWY_EXPORT(small_store_tile);
TileFn find_odd_cast(uint32_t from) { return HWY_DYNAMIC_DISPATCH(odd_tile)(lane_of(from)); }
TileFn find_small_round(uint32_t dtype, uint32_t flags) {
  return HWY_DYNAMIC_DISPATCH(small_round_tile)(dtype, flags);
}
LoadFn find_small_load(uint32_t dtype) { return HWY_DYNAMIC_DISPATCH(small_load_tile)(dtype); }
StoreFn find_small_store(uint32_t dtype) { return HWY_DYNAMIC_DISPATCH(small_store_tile)(dtype); }
}  // namespace opmux::cpu
#endif
