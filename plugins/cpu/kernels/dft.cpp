// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/dft.hpp"

#include <algorithm>
#include <iterator>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/dft.cpp"
#include <hwy/foreach_target.h>  // NOLINT: before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

template <class V>
struct Pair {
  V re, im;

  HWY_INLINE Pair() {}  // implicit ones would lack the target's attribute
  HWY_INLINE Pair(V real, V imaginary) : re(real), im(imaginary) {}
};
template <class V>
HWY_INLINE Pair<V> plus(Pair<V> a, Pair<V> b) {
  return {hn::Add(a.re, b.re), hn::Add(a.im, b.im)};
}
template <class V>
HWY_INLINE Pair<V> minus(Pair<V> a, Pair<V> b) {
  return {hn::Sub(a.re, b.re), hn::Sub(a.im, b.im)};
}
// a - i b.
template <class V>
HWY_INLINE Pair<V> minus_i(Pair<V> a, Pair<V> b) {
  return {hn::Add(a.re, b.im), hn::Sub(a.im, b.re)};
}
template <class V>
HWY_INLINE Pair<V> plus_i(Pair<V> a, Pair<V> b) {
  return {hn::Sub(a.re, b.im), hn::Add(a.im, b.re)};
}

// b_j = sum_k a_k exp(-2 pi i j k / R): for odd R from the sums and differences of a_k and a_(R - k).
template <int R, class T, class D>
HWY_INLINE void small(D d, const DftStage<T>& s, const Pair<hn::Vec<D>>* a, Pair<hn::Vec<D>>* b) {
  if constexpr (R == 2) {
    b[0] = plus(a[0], a[1]);
    b[1] = minus(a[0], a[1]);
  } else if constexpr (R == 4) {
    const auto t0 = plus(a[0], a[2]), t1 = minus(a[0], a[2]), t2 = plus(a[1], a[3]), t3 = minus(a[1], a[3]);
    b[0] = plus(t0, t2);
    b[1] = minus_i(t1, t3);
    b[2] = minus(t0, t2);
    b[3] = plus_i(t1, t3);
  } else {
    constexpr int kHalf = R / 2;
    Pair<hn::Vec<D>> sum[kHalf], difference[kHalf];
    b[0] = a[0];
    for (int k = 1; k <= kHalf; ++k) {
      sum[k - 1] = plus(a[k], a[R - k]);
      difference[k - 1] = minus(a[k], a[R - k]);
      b[0] = plus(b[0], sum[k - 1]);
    }
    for (int j = 1; j <= kHalf; ++j) {
      Pair<hn::Vec<D>> even = a[0], odd = {hn::Zero(d), hn::Zero(d)};
      for (int k = 1; k <= kHalf; ++k) {
        const auto c = hn::Set(d, s.cosine[j * k % R]), w = hn::Set(d, s.sine[j * k % R]);
        even = {hn::MulAdd(c, sum[k - 1].re, even.re), hn::MulAdd(c, sum[k - 1].im, even.im)};
        odd = {hn::MulAdd(w, difference[k - 1].re, odd.re), hn::MulAdd(w, difference[k - 1].im, odd.im)};
      }
      b[j] = minus_i(even, odd);
      b[R - j] = plus_i(even, odd);
    }
  }
}

template <int R, class T, class D>
HWY_INLINE void butterfly(D d, const DftStage<T>& s, int64_t p, int64_t q, const T* twiddle) {
  const int64_t n1 = s.length / R;
  Pair<hn::Vec<D>> a[R], b[R];
  for (int k = 0; k < R; ++k) {
    const int64_t at = (p + n1 * k) * s.row + q;
    a[k] = {hn::LoadU(d, s.x_re + at), hn::LoadU(d, s.x_im + at)};
  }
  small<R>(d, s, a, b);
  const int64_t to = R * p * s.row + q;
  hn::StoreU(b[0].re, d, s.y_re + to);
  hn::StoreU(b[0].im, d, s.y_im + to);
  for (int j = 1; j < R; ++j) {
    const auto re = hn::Set(d, twiddle[2 * j - 2]), im = hn::Set(d, twiddle[2 * j - 1]);
    const int64_t at = to + j * s.row;
    hn::StoreU(hn::NegMulAdd(b[j].im, im, hn::Mul(b[j].re, re)), d, s.y_re + at);
    hn::StoreU(hn::MulAdd(b[j].re, im, hn::Mul(b[j].im, re)), d, s.y_im + at);
  }
}

template <int R, class T>
void stage(const DftStage<T>& s) {
  const hn::ScalableTag<T> d;
  const hn::CappedTag<T, 1> one;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t p = 0; p < s.length / R; ++p) {
    const T* twiddle = s.twiddle + p * (2 * R - 2);
    int64_t q = 0;
    for (; q + lanes <= s.row; q += lanes) butterfly<R>(d, s, p, q, twiddle);
    for (; q < s.row; ++q) butterfly<R>(one, s, p, q, twiddle);
  }
}

template <class T>
DftStageFn<T> find_stage(int64_t radix) {
  constexpr DftStageFn<T> kStages[] = {stage<4, T>, stage<2, T>,  stage<3, T>, stage<5, T>,
                                       stage<7, T>, stage<11, T>, stage<13, T>};
  const auto* at = std::find(std::begin(kDftRadices), std::end(kDftRadices), radix);
  return kStages[at - std::begin(kDftRadices)];
}

}  // namespace

DftStageFn<float> dft_stage_f32(int64_t radix) { return find_stage<float>(radix); }
DftStageFn<double> dft_stage_f64(int64_t radix) { return find_stage<double>(radix); }

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
namespace {
HWY_EXPORT(dft_stage_f32);
HWY_EXPORT(dft_stage_f64);
}  // namespace

template <>
DftStageFn<float> dft_stage<float>(int64_t radix) {
  return HWY_DYNAMIC_DISPATCH(dft_stage_f32)(radix);
}
template <>
DftStageFn<double> dft_stage<double>(int64_t radix) {
  return HWY_DYNAMIC_DISPATCH(dft_stage_f64)(radix);
}

}  // namespace opmux::cpu
#endif
