// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/scaled_row.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/scaled_row.cpp"
#include <hwy/foreach_target.h>  // NOLINT: before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <bool kAdd, class T>
HWY_INLINE void row(const T* x, T w, int64_t n, T* y) {
  auto part = [&](auto d, int64_t i) HWY_ATTR {
    const auto v = hn::LoadU(d, x + i), scale = hn::Set(d, w);
    if constexpr (kAdd) {
      hn::StoreU(hn::MulAdd(v, scale, hn::LoadU(d, y + i)), d, y + i);
    } else {
      hn::StoreU(hn::Mul(v, scale), d, y + i);
    }
  };
  const hn::ScalableTag<T> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) part(d, i);
  for (; i < n; ++i) part(hn::CappedTag<T, 1>(), i);
}

void scale_f32(const float* x, float w, int64_t n, float* y) { row<false>(x, w, n, y); }
void scale_f64(const double* x, double w, int64_t n, double* y) { row<false>(x, w, n, y); }
void add_f32(const float* x, float w, int64_t n, float* y) { row<true>(x, w, n, y); }
void add_f64(const double* x, double w, int64_t n, double* y) { row<true>(x, w, n, y); }

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
namespace {
HWY_EXPORT(scale_f32);
HWY_EXPORT(scale_f64);
HWY_EXPORT(add_f32);
HWY_EXPORT(add_f64);
}  // namespace

template <>
void scale_row<float>(const float* x, float w, int64_t n, float* y) {
  HWY_DYNAMIC_DISPATCH(scale_f32)(x, w, n, y);
}
template <>
void scale_row<double>(const double* x, double w, int64_t n, double* y) {
  HWY_DYNAMIC_DISPATCH(scale_f64)(x, w, n, y);
}
template <>
void add_scaled_row<float>(const float* x, float w, int64_t n, float* y) {
  HWY_DYNAMIC_DISPATCH(add_f32)(x, w, n, y);
}
template <>
void add_scaled_row<double>(const double* x, double w, int64_t n, double* y) {
  HWY_DYNAMIC_DISPATCH(add_f64)(x, w, n, y);
}

}  // namespace opmux::cpu
#endif
