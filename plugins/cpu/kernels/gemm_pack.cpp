// SPDX-License-Identifier: Apache-2.0
// Packing of matrix operands: transposes, converts and pads.
#include <algorithm>
#include <cstring>
#include <type_traits>

#include "cpu/kernels/gemm.hpp"
#include "opmux/types.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/gemm_pack.cpp"
#include <hwy/foreach_target.h>  // NOLINT: before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

HWY_INLINE float from_f16(hwy::float16_t x) {
  uint16_t h;
  std::memcpy(&h, &x, sizeof h);
  const uint32_t sign = (h & 0x8000u) << 16, mag = h & 0x7fffu;
  float f;
  if (mag >= 0x7c00u) {  // infinity, NaN
    const uint32_t bits = sign | 0x7f800000u | (mag & 0x3ffu) << 13;
    std::memcpy(&f, &bits, sizeof f);
    return f;
  }
  // 2^112 moves the exponent's bias from 15 to 127, exactly, and subnormals with it.
  const uint32_t bits = mag << 13;
  std::memcpy(&f, &bits, sizeof f);
  f *= 0x1p112f;
  return sign != 0 ? -f : f;
}

template <class S, class T>
HWY_INLINE T one(S x) {
  if constexpr (std::is_same_v<S, hwy::float16_t>) {
    return from_f16(x);
  } else if constexpr (std::is_same_v<S, hwy::bfloat16_t>) {
    return hwy::F32FromBF16(x);
  } else {
    return static_cast<T>(x);
  }
}

template <class S, class T>
HWY_INLINE void convert(const S* src, int64_t n, T* dst) {
  if constexpr (std::is_same_v<S, T>) {
    std::memcpy(dst, src, static_cast<size_t>(n) * sizeof(T));
  } else {
    int64_t i = 0;
    if constexpr (sizeof(S) < sizeof(T)) {
      const hn::ScalableTag<T> d;
      const hn::Rebind<S, decltype(d)> half;
      const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
      for (; i + lanes <= n; i += lanes) hn::StoreU(hn::PromoteTo(d, hn::LoadU(half, src + i)), d, dst + i);
    }
    for (; i < n; ++i) dst[i] = one<S, T>(src[i]);
  }
}

#if HWY_TARGET != HWY_SCALAR  // which has no blocks of four lanes
// dst[i * ld + r] = src[r * rs + i] for four rows.
HWY_INLINE void transpose4(const float* src, int64_t rs, int64_t k, int64_t ld, float* dst) {
  const hn::FixedTag<float, 4> d;
  int64_t i = 0;
  for (; i + 4 <= k; i += 4) {
    const auto r0 = hn::LoadU(d, src + i), r1 = hn::LoadU(d, src + rs + i);
    const auto r2 = hn::LoadU(d, src + 2 * rs + i), r3 = hn::LoadU(d, src + 3 * rs + i);
    const auto a = hn::InterleaveLower(d, r0, r1), b = hn::InterleaveUpper(d, r0, r1);
    const auto c = hn::InterleaveLower(d, r2, r3), e = hn::InterleaveUpper(d, r2, r3);
    hn::StoreU(hn::ConcatLowerLower(d, c, a), d, dst + i * ld);
    hn::StoreU(hn::ConcatUpperUpper(d, c, a), d, dst + (i + 1) * ld);
    hn::StoreU(hn::ConcatLowerLower(d, e, b), d, dst + (i + 2) * ld);
    hn::StoreU(hn::ConcatUpperUpper(d, e, b), d, dst + (i + 3) * ld);
  }
  for (; i < k; ++i) {
    for (int64_t r = 0; r < 4; ++r) dst[i * ld + r] = src[r * rs + i];
  }
}
#endif

template <class S, class T>
void pack(const PackSource& s, int64_t rows, int64_t k, int64_t ld, T* dst) {
  const S* src = static_cast<const S*>(s.src);
  if (s.rs == 1) {
    for (int64_t i = 0; i < k; ++i) {
      convert<S, T>(src + i * s.ks, rows, dst + i * ld);
      for (int64_t r = rows; r < ld; ++r) dst[i * ld + r] = T{};
    }
    return;
  }
  // Blocks of k, so that the rows of dst being filled stay in the first-level cache.
  constexpr int64_t kBlock = 64;
  for (int64_t i0 = 0; i0 < k; i0 += kBlock) {
    const int64_t n = std::min(kBlock, k - i0);
    T* to = dst + i0 * ld;
    int64_t r = 0;
#if HWY_TARGET != HWY_SCALAR
    if constexpr (std::is_same_v<S, float>) {
      if (s.ks == 1) {
        for (; r + 4 <= rows; r += 4) transpose4(src + r * s.rs + i0, s.rs, n, ld, to + r);
      }
    }
#endif
    for (; r < rows; ++r) {
      const S* from = src + r * s.rs + i0 * s.ks;
      if (!std::is_same_v<S, T> && s.ks == 1) {
        T buffer[kBlock];
        convert<S, T>(from, n, buffer);
        for (int64_t i = 0; i < n; ++i) to[i * ld + r] = buffer[i];
      } else {
        for (int64_t i = 0; i < n; ++i) to[i * ld + r] = one<S, T>(from[i * s.ks]);
      }
    }
    for (; r < ld; ++r) {
      for (int64_t i = 0; i < n; ++i) to[i * ld + r] = T{};
    }
  }
}

void pack_f32(uint32_t t, const PackSource& s, int64_t rows, int64_t k, int64_t ld, float* dst) {
  if (t == OPMUX_F32) pack<float>(s, rows, k, ld, dst);
  if (t == OPMUX_F16) pack<hwy::float16_t>(s, rows, k, ld, dst);
  if (t == OPMUX_BF16) pack<hwy::bfloat16_t>(s, rows, k, ld, dst);
}
void pack_f64(const PackSource& s, int64_t rows, int64_t k, int64_t ld, double* dst) {
  pack<double>(s, rows, k, ld, dst);
}
void pack_i32(uint32_t t, const PackSource& s, int64_t rows, int64_t k, int64_t ld, int32_t* dst) {
  if (t == OPMUX_I8) pack<int8_t>(s, rows, k, ld, dst);
  if (t == OPMUX_U8) pack<uint8_t>(s, rows, k, ld, dst);
  if (t == OPMUX_I16) pack<int16_t>(s, rows, k, ld, dst);
  if (t == OPMUX_U16) pack<uint16_t>(s, rows, k, ld, dst);
  if (t == OPMUX_I32 || t == OPMUX_U32) pack<int32_t>(s, rows, k, ld, dst);
}

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
namespace {
HWY_EXPORT(pack_f32);
HWY_EXPORT(pack_f64);
HWY_EXPORT(pack_i32);
}  // namespace

template <>
void gemm_pack<float>(uint32_t t, const PackSource& s, int64_t rows, int64_t k, int64_t ld, float* dst) {
  HWY_DYNAMIC_DISPATCH(pack_f32)(t, s, rows, k, ld, dst);
}
template <>
void gemm_pack<double>(uint32_t, const PackSource& s, int64_t rows, int64_t k, int64_t ld, double* dst) {
  HWY_DYNAMIC_DISPATCH(pack_f64)(s, rows, k, ld, dst);
}
template <>
void gemm_pack<int32_t>(uint32_t t, const PackSource& s, int64_t rows, int64_t k, int64_t ld, int32_t* dst) {
  HWY_DYNAMIC_DISPATCH(pack_i32)(t, s, rows, k, ld, dst);
}
template <>
bool gemm_packs<float>(uint32_t t) {
  return t == OPMUX_F32 || t == OPMUX_F16 || t == OPMUX_BF16;
}
template <>
bool gemm_packs<double>(uint32_t t) {
  return t == OPMUX_F64;
}
template <>
bool gemm_packs<int32_t>(uint32_t t) {
  return t == OPMUX_I8 || t == OPMUX_U8 || t == OPMUX_I16 || t == OPMUX_U16 || t == OPMUX_I32 ||
         t == OPMUX_U32;
}

}  // namespace opmux::cpu
#endif
