// SPDX-License-Identifier: Apache-2.0
// Memory to lanes and back.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/tiles_memory.cpp"
#include <cstdint>
#include <cstring>

#include "cpu/tiles.hpp"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/cache_control.h>
#include "cpu/kernels/scalar-inl.hpp"
#include "cpu/kernels/numbers-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

namespace {

struct Same {
  template <class T>
  static HWY_INLINE T in(T x) {
    return x;
  }
  template <class T>
  static HWY_INLINE T out(T x) {
    return x;
  }
};
struct Bool {
  static HWY_INLINE uint8_t in(uint8_t x) { return x != 0; }
  static HWY_INLINE uint8_t out(uint8_t x) { return x; }
};
struct Half {
  static HWY_INLINE float in(uint16_t x) { return f16_to_f32(x); }
  static HWY_INLINE uint16_t out(float x) { return f32_to_f16(x); }
};
struct Bhalf {
  static HWY_INLINE float in(uint16_t x) { return bf16_to_f32(x); }
  static HWY_INLINE uint16_t out(float x) { return f32_to_bf16(x); }
};

template <class M, class L, class F>
void load(void* lanes, const void* memory, int64_t stride, size_t n) {
  const M* x = static_cast<const M*>(memory);
  L* y = static_cast<L*>(lanes);
  if (stride == 1) {
    for (size_t i = 0; i < n; ++i) y[i] = F::in(x[i]);
  } else if (stride == 0) {
    const L v = F::in(*x);
    for (size_t i = 0; i < n; ++i) y[i] = v;
  } else {
    for (size_t i = 0; i < n; ++i, x += stride) y[i] = F::in(*x);
  }
}

template <class M, class L, class F>
void store(void* memory, int64_t stride, const void* lanes, size_t n) {
  M* y = static_cast<M*>(memory);
  const L* x = static_cast<const L*>(lanes);
  if (stride == 1) {
    for (size_t i = 0; i < n; ++i) y[i] = F::out(x[i]);
  } else {
    for (size_t i = 0; i < n; ++i, y += stride) *y = F::out(x[i]);
  }
}

#if (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2) || HWY_ARCH_ARM
// Conversion instructions, nearest even on these targets.
void load_f16(void* lanes, const void* memory, int64_t stride, size_t n) {
  if (stride != 1) return load<uint16_t, float, Half>(lanes, memory, stride, n);
  const hn::ScalableTag<float> d;
  const hn::Rebind<hwy::float16_t, decltype(d)> dh;
  const auto* x = static_cast<const hwy::float16_t*>(memory);
  auto* y = static_cast<float*>(lanes);
  size_t i = 0;
  for (; i + hn::Lanes(d) <= n; i += hn::Lanes(d))
    hn::StoreU(hn::PromoteTo(d, hn::LoadU(dh, x + i)), d, y + i);
  if (i < n) load<uint16_t, float, Half>(y + i, x + i, 1, n - i);
}
void store_f16(void* memory, int64_t stride, const void* lanes, size_t n) {
  if (stride != 1) return store<uint16_t, float, Half>(memory, stride, lanes, n);
  const hn::ScalableTag<float> d;
  const hn::Rebind<hwy::float16_t, decltype(d)> dh;
  auto* y = static_cast<hwy::float16_t*>(memory);
  const auto* x = static_cast<const float*>(lanes);
  size_t i = 0;
  for (; i + hn::Lanes(d) <= n; i += hn::Lanes(d))
    hn::StoreU(hn::DemoteTo(dh, hn::LoadU(d, x + i)), dh, y + i);
  if (i < n) store<uint16_t, float, Half>(y + i, 1, x + i, n - i);
}
#else
constexpr LoadFn load_f16 = load<uint16_t, float, Half>;
constexpr StoreFn store_f16 = store<uint16_t, float, Half>;
#endif

template <class T>
void copy_in(void* lanes, const void* memory, int64_t stride, size_t n) {
  if (stride == 1) return (void)std::memcpy(lanes, memory, n * sizeof(T));
  load<T, T, Same>(lanes, memory, stride, n);
}
template <class T>
void copy_out(void* memory, int64_t stride, const void* lanes, size_t n) {
  if (stride == 1) return (void)std::memcpy(memory, lanes, n * sizeof(T));
  store<T, T, Same>(memory, stride, lanes, n);
}

}  // namespace

LoadFn load_tile(uint32_t dtype) {
  switch (dtype) {
    case OPMUX_F16:
      return load_f16;
    case OPMUX_BF16:
      return load<uint16_t, float, Bhalf>;
    case OPMUX_BOOL:
      return load<uint8_t, uint8_t, Bool>;
    default:
      break;
  }
  switch (lane_bytes(lane_of(dtype))) {
    case 8:
      return copy_in<uint64_t>;
    case 4:
      return copy_in<uint32_t>;
    case 2:
      return copy_in<uint16_t>;
    case 1:
      return copy_in<uint8_t>;
    default:
      return nullptr;
  }
}

StoreFn store_tile(uint32_t dtype) {
  switch (dtype) {
    case OPMUX_F16:
      return store_f16;
    case OPMUX_BF16:
      return store<uint16_t, float, Bhalf>;
    default:
      break;
  }
  switch (lane_bytes(lane_of(dtype))) {
    case 8:
      return copy_out<uint64_t>;
    case 4:
      return copy_out<uint32_t>;
    case 2:
      return copy_out<uint16_t>;
    case 1:
      return copy_out<uint8_t>;
    default:
      return nullptr;
  }
}

void stream_bytes(void* to, const void* from, size_t bytes) {
  const hn::ScalableTag<uint8_t> d;
  const size_t lanes = hn::Lanes(d);
  auto* y = static_cast<uint8_t*>(to);
  const auto* x = static_cast<const uint8_t*>(from);
  const size_t head = (0 - reinterpret_cast<uintptr_t>(y)) & (lanes - 1);
  if (bytes < head + lanes) return (void)std::memcpy(y, x, bytes);
  std::memcpy(y, x, head);
  size_t i = head;
  for (; i + lanes <= bytes; i += lanes) hn::Stream(hn::LoadU(d, x + i), d, y + i);
  std::memcpy(y + i, x + i, bytes - i);
}

void stream_end() { hwy::FlushStream(); }

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
HWY_EXPORT(load_tile);
HWY_EXPORT(store_tile);
HWY_EXPORT(stream_bytes);
HWY_EXPORT(stream_end);
LoadFn find_load(uint32_t dtype) {
  if (const LoadFn f = find_small_load(dtype)) return f;
  return HWY_DYNAMIC_DISPATCH(load_tile)(dtype);
}
StoreFn find_store(uint32_t dtype) {
  if (const StoreFn f = find_small_store(dtype)) return f;
  return HWY_DYNAMIC_DISPATCH(store_tile)(dtype);
}
void stream_copy(void* to, const void* from, size_t bytes) {
  HWY_DYNAMIC_DISPATCH(stream_bytes)(to, from, bytes);
}
void stream_fence() { HWY_DYNAMIC_DISPATCH(stream_end)(); }
}  // namespace opmux::cpu
#endif
