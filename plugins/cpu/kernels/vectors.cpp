// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/vectors.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/vectors.cpp"
#include <hwy/foreach_target.h>  // NOLINT: before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

// f(tag, i) for whole vectors, then for single lanes, which must give the same: no fused operation is left to
// the compiler.
template <class T, class F>
HWY_INLINE void each(int64_t n, F f) {
  const hn::ScalableTag<T> d;
  const hn::CappedTag<T, 1> one;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) f(d, i);
  for (; i < n; ++i) f(one, i);
}

template <class T>
void axpy(T a, const T* x, T* y, int64_t n) {
  each<T>(n, [=](auto d, int64_t i) HWY_ATTR {
    hn::StoreU(hn::MulAdd(hn::Set(d, a), hn::LoadU(d, x + i), hn::LoadU(d, y + i)), d, y + i);
  });
}
template <class T>
void scale_axpy(T s, T a, const T* x, T* y, int64_t n) {
  each<T>(n, [=](auto d, int64_t i) HWY_ATTR {
    const auto old = hn::Mul(hn::Set(d, s), hn::LoadU(d, y + i));
    hn::StoreU(hn::MulAdd(hn::Set(d, a), hn::LoadU(d, x + i), old), d, y + i);
  });
}
template <class T>
void multiply(const T* x, T* y, int64_t n) {
  each<T>(n, [=](auto d, int64_t i)
                 HWY_ATTR { hn::StoreU(hn::Mul(hn::LoadU(d, x + i), hn::LoadU(d, y + i)), d, y + i); });
}
template <class T>
T dot(const T* x, const T* y, int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto a = hn::Zero(d), b = a;
  int64_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    a = hn::MulAdd(hn::LoadU(d, x + i), hn::LoadU(d, y + i), a);
    b = hn::MulAdd(hn::LoadU(d, x + i + lanes), hn::LoadU(d, y + i + lanes), b);
  }
  for (; i + lanes <= n; i += lanes) a = hn::MulAdd(hn::LoadU(d, x + i), hn::LoadU(d, y + i), a);
  T sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(a, b)));
  for (; i < n; ++i) sum += x[i] * y[i];
  return sum;
}

}  // namespace

const VectorKernels<float>& vector_kernels_f32() {
  static constexpr VectorKernels<float> k = {axpy<float>, scale_axpy<float>, multiply<float>, dot<float>};
  return k;
}
const VectorKernels<double>& vector_kernels_f64() {
  static constexpr VectorKernels<double> k = {axpy<double>, scale_axpy<double>, multiply<double>,
                                              dot<double>};
  return k;
}

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
namespace {
HWY_EXPORT(vector_kernels_f32);
HWY_EXPORT(vector_kernels_f64);
}  // namespace

template <>
VectorKernels<float> vector_kernels<float>() {
  return HWY_DYNAMIC_DISPATCH(vector_kernels_f32)();
}
template <>
VectorKernels<double> vector_kernels<double>() {
  return HWY_DYNAMIC_DISPATCH(vector_kernels_f64)();
}

}  // namespace opmux::cpu
#endif
