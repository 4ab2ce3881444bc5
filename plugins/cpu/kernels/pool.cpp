// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/pool.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/pool.cpp"
#include <hwy/foreach_target.h>  // NOLINT: before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <PoolFn kFn, class D>
HWY_INLINE hn::Vec<D> gather(D, hn::Vec<D> acc, hn::Vec<D> v) {
  if constexpr (kFn == PoolFn::kMax) {
    // A NaN wins, and once it is there nothing is greater.
    return hn::IfThenElse(hn::Or(hn::Gt(v, acc), hn::IsNaN(v)), v, acc);
  } else if constexpr (kFn == PoolFn::kSum) {
    return hn::Add(acc, v);
  } else if constexpr (kFn == PoolFn::kSumAbs) {
    return hn::Add(acc, hn::Abs(v));
  } else {
    return hn::MulAdd(v, v, acc);
  }
}

template <PoolFn kFn, class T>
HWY_INLINE void row(const T* x, int64_t n, T* acc) {
  const hn::ScalableTag<T> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(gather<kFn>(d, hn::LoadU(d, acc + i), hn::LoadU(d, x + i)), d, acc + i);
  }
  const hn::CappedTag<T, 1> one;
  for (; i < n; ++i)
    hn::StoreU(gather<kFn>(one, hn::LoadU(one, acc + i), hn::LoadU(one, x + i)), one, acc + i);
}

template <class D>
HWY_INLINE hn::Vec<D> load_step(D d, const hn::TFromD<D>* p, int64_t step) {
  if (step == 1) return hn::LoadU(d, p);
  hn::Vec<D> even, odd;
  hn::LoadInterleaved2(d, p, even, odd);
  return even;
}

template <PoolFn kFn, class T>
HWY_INLINE void taps(const T* col, int64_t count, int64_t dilation, int64_t step, int64_t n, T* out) {
  const hn::ScalableTag<T> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t o = 0;
  if (step <= 2) {
    for (; o + lanes <= n; o += lanes) {
      const T* p = col + o * step;
      auto acc = load_step(d, p, step);
      for (int64_t k = 1; k < count; ++k) acc = gather<kFn>(d, acc, load_step(d, p + k * dilation, step));
      hn::StoreU(acc, d, out + o);
    }
  }
  const hn::CappedTag<T, 1> one;
  for (; o < n; ++o) {
    auto acc = hn::LoadU(one, col + o * step);
    for (int64_t k = 1; k < count; ++k)
      acc = gather<kFn>(one, acc, hn::LoadU(one, col + o * step + k * dilation));
    hn::StoreU(acc, one, out + o);
  }
}

template <class T>
void row_of(PoolFn fn, const T* x, int64_t n, T* acc) {
  switch (fn) {
    case PoolFn::kMax:
      return row<PoolFn::kMax>(x, n, acc);
    case PoolFn::kSum:
      return row<PoolFn::kSum>(x, n, acc);
    case PoolFn::kSumAbs:
      return row<PoolFn::kSumAbs>(x, n, acc);
    case PoolFn::kSumSquare:
      return row<PoolFn::kSumSquare>(x, n, acc);
  }
}
template <class T>
void taps_of(PoolFn fn, const T* col, int64_t count, int64_t dilation, int64_t step, int64_t n, T* out) {
  if (fn == PoolFn::kMax) return taps<PoolFn::kMax>(col, count, dilation, step, n, out);
  taps<PoolFn::kSum>(col, count, dilation, step, n, out);
}

void row_f32(PoolFn fn, const float* x, int64_t n, float* acc) { row_of(fn, x, n, acc); }
void row_f64(PoolFn fn, const double* x, int64_t n, double* acc) { row_of(fn, x, n, acc); }
void taps_f32(PoolFn fn, const float* col, int64_t count, int64_t dilation, int64_t step, int64_t n,
              float* out) {
  taps_of(fn, col, count, dilation, step, n, out);
}
void taps_f64(PoolFn fn, const double* col, int64_t count, int64_t dilation, int64_t step, int64_t n,
              double* out) {
  taps_of(fn, col, count, dilation, step, n, out);
}

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
namespace {
HWY_EXPORT(row_f32);
HWY_EXPORT(row_f64);
HWY_EXPORT(taps_f32);
HWY_EXPORT(taps_f64);
}  // namespace

template <>
void pool_row<float>(PoolFn fn, const float* x, int64_t n, float* acc) {
  HWY_DYNAMIC_DISPATCH(row_f32)(fn, x, n, acc);
}
template <>
void pool_row<double>(PoolFn fn, const double* x, int64_t n, double* acc) {
  HWY_DYNAMIC_DISPATCH(row_f64)(fn, x, n, acc);
}
template <>
void pool_taps<float>(PoolFn fn, const float* col, int64_t taps, int64_t dilation, int64_t step, int64_t n,
                      float* out) {
  HWY_DYNAMIC_DISPATCH(taps_f32)(fn, col, taps, dilation, step, n, out);
}
template <>
void pool_taps<double>(PoolFn fn, const double* col, int64_t taps, int64_t dilation, int64_t step, int64_t n,
                       double* out) {
  HWY_DYNAMIC_DISPATCH(taps_f64)(fn, col, taps, dilation, step, n, out);
}

}  // namespace opmux::cpu
#endif
