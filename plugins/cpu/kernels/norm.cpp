// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/norm.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/norm.cpp"
#include <hwy/foreach_target.h>  // NOLINT: before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Sum of f(x[i]) by four accumulators; the tail by single lanes. Order depends on n and the target only.
template <class T, class F>
HWY_INLINE T fold(const T* x, int64_t n, F f) {
  const hn::ScalableTag<T> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  auto a = hn::Zero(d), b = a, c = a, e = a;
  int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    a = hn::Add(a, f(d, hn::LoadU(d, x + i)));
    b = hn::Add(b, f(d, hn::LoadU(d, x + i + lanes)));
    c = hn::Add(c, f(d, hn::LoadU(d, x + i + 2 * lanes)));
    e = hn::Add(e, f(d, hn::LoadU(d, x + i + 3 * lanes)));
  }
  for (; i + lanes <= n; i += lanes) a = hn::Add(a, f(d, hn::LoadU(d, x + i)));
  T sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, b), hn::Add(c, e))));
  const hn::CappedTag<T, 1> one;
  for (; i < n; ++i) sum += hn::GetLane(f(one, hn::LoadU(one, x + i)));
  return sum;
}

template <class T>
HWY_INLINE T sum_of(const T* x, int64_t n) {
  return fold(x, n, [](auto, auto v) HWY_ATTR { return v; });
}

template <class T>
HWY_INLINE T squares_of(const T* x, int64_t n, const NormScalars<T>& s, T* rest) {
  const hn::ScalableTag<T> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto high = hn::Set(d, s.mean_high), low = hn::Set(d, s.mean_low);
  auto a = hn::Zero(d), b = a, off_a = a, off_b = a;
  int64_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    const auto p = hn::Sub(hn::Sub(hn::LoadU(d, x + i), high), low);
    const auto q = hn::Sub(hn::Sub(hn::LoadU(d, x + i + lanes), high), low);
    off_a = hn::Add(off_a, p);
    off_b = hn::Add(off_b, q);
    a = hn::Add(a, hn::Mul(p, p));
    b = hn::Add(b, hn::Mul(q, q));
  }
  T off = hn::GetLane(hn::SumOfLanes(d, hn::Add(off_a, off_b)));
  T sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(a, b)));
  for (; i < n; ++i) {
    const T p = (x[i] - s.mean_high) - s.mean_low;
    off += p;
    sum += p * p;
  }
  *rest = off;
  return sum;
}

template <class T, class D>
HWY_INLINE void write_at(D d, const NormBlock<T>& b, const NormScalars<T>& s, int64_t i) {
  const auto off = hn::Sub(hn::Sub(hn::LoadU(d, b.x + i), hn::Set(d, s.mean_high)), hn::Set(d, s.mean_low));
  auto v = hn::Mul(off, hn::Set(d, s.inverse));
  if (b.scale) v = hn::Mul(v, b.scale_uniform ? hn::Set(d, *b.scale) : hn::LoadU(d, b.scale + i));
  if (b.bias) v = hn::Add(v, b.bias_uniform ? hn::Set(d, *b.bias) : hn::LoadU(d, b.bias + i));
  hn::StoreU(v, d, b.y + i);
}

template <class T>
HWY_INLINE void write(const NormBlock<T>& b, const NormScalars<T>& s) {
  const hn::ScalableTag<T> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= b.n; i += lanes) write_at(d, b, s, i);
  const hn::CappedTag<T, 1> one;
  for (; i < b.n; ++i) write_at(one, b, s, i);
}

float sum_f32(const float* x, int64_t n) { return sum_of(x, n); }
float squares_f32(const float* x, int64_t n, const NormScalars<float>& s, float* rest) {
  return squares_of(x, n, s, rest);
}
void write_f32(const NormBlock<float>& b, const NormScalars<float>& s) { write(b, s); }
#if HWY_HAVE_FLOAT64
double sum_f64(const double* x, int64_t n) { return sum_of(x, n); }
double squares_f64(const double* x, int64_t n, const NormScalars<double>& s, double* rest) {
  return squares_of(x, n, s, rest);
}
void write_f64(const NormBlock<double>& b, const NormScalars<double>& s) { write(b, s); }
#else
#error "every target of this plugin has f64 vectors"
#endif

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
HWY_EXPORT(sum_f32);
HWY_EXPORT(sum_f64);
HWY_EXPORT(squares_f32);
HWY_EXPORT(squares_f64);
HWY_EXPORT(write_f32);
HWY_EXPORT(write_f64);

float norm_sum(const float* x, int64_t n) { return HWY_DYNAMIC_DISPATCH(sum_f32)(x, n); }
double norm_sum(const double* x, int64_t n) { return HWY_DYNAMIC_DISPATCH(sum_f64)(x, n); }
float norm_squares(const float* x, int64_t n, const NormScalars<float>& s, float* rest) {
  return HWY_DYNAMIC_DISPATCH(squares_f32)(x, n, s, rest);
}
double norm_squares(const double* x, int64_t n, const NormScalars<double>& s, double* rest) {
  return HWY_DYNAMIC_DISPATCH(squares_f64)(x, n, s, rest);
}
void norm_write(const NormBlock<float>& b, const NormScalars<float>& s) {
  HWY_DYNAMIC_DISPATCH(write_f32)(b, s);
}
void norm_write(const NormBlock<double>& b, const NormScalars<double>& s) {
  HWY_DYNAMIC_DISPATCH(write_f64)(b, s);
}

}  // namespace opmux::cpu
#endif
