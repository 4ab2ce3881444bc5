// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/reduce.cpp"
#include "cpu/kernels/reduce.hpp"

#include <cmath>
#include <limits>
#include <type_traits>
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "cpu/kernels/math-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

using D64 = hn::ScalableTag<double>;
HWY_INLINE hn::Vec<D64> wide(D64 d, const float* p) {
  return hn::PromoteTo(d, hn::LoadU(hn::Rebind<float, D64>(), p));
}
HWY_INLINE hn::Vec<D64> wide(D64 d, const double* p) { return hn::LoadU(d, p); }

HWY_INLINE double sum_of(D64 d, hn::Vec<D64> v) {
  HWY_ALIGN double b[hn::MaxLanes(D64())];
  hn::Store(v, d, b);
  double s = 0;
  for (size_t i = 0; i < hn::Lanes(d); ++i) s += b[i];
  return s;
}

struct Plain {
  static HWY_INLINE hn::Vec<D64> of(D64, hn::Vec<D64> x) { return x; }
  static HWY_INLINE double one(double x) { return x; }
};
struct Absolute {
  static HWY_INLINE hn::Vec<D64> of(D64, hn::Vec<D64> x) { return hn::Abs(x); }
  static HWY_INLINE double one(double x) { return std::fabs(x); }
};
struct Square {
  static HWY_INLINE hn::Vec<D64> of(D64, hn::Vec<D64> x) { return hn::Mul(x, x); }
  static HWY_INLINE double one(double x) { return x * x; }
};

// Sum of F(x - shift) in f64, four vectors wide.
template <class F, class T>
HWY_INLINE double sum(const T* x, size_t n, double shift) {
  const D64 d;
  const size_t lanes = hn::Lanes(d);
  const auto c = hn::Set(d, shift);
  auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
  size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    s0 = hn::Add(s0, F::of(d, hn::Sub(wide(d, x + i), c)));
    s1 = hn::Add(s1, F::of(d, hn::Sub(wide(d, x + i + lanes), c)));
    s2 = hn::Add(s2, F::of(d, hn::Sub(wide(d, x + i + 2 * lanes), c)));
    s3 = hn::Add(s3, F::of(d, hn::Sub(wide(d, x + i + 3 * lanes), c)));
  }
  for (; i + lanes <= n; i += lanes) s0 = hn::Add(s0, F::of(d, hn::Sub(wide(d, x + i), c)));
  double s = sum_of(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)));
  for (; i < n; ++i) s += F::one(static_cast<double>(x[i]) - shift);
  return s;
}

template <class F, class T>
void fold_sum(const void* lanes, size_t n, int64_t, Accumulator* acc) {
  acc->a += sum<F>(static_cast<const T*>(lanes), n, 0.0);
}

template <class T>
void fold_product(const void* lanes, size_t n, int64_t, Accumulator* acc) {
  const T* x = static_cast<const T*>(lanes);
  double p[8] = {1, 1, 1, 1, 1, 1, 1, 1};
  size_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (size_t j = 0; j < 8; ++j) p[j] *= static_cast<double>(x[i + j]);
  for (; i < n; ++i) p[0] *= static_cast<double>(x[i]);
  acc->a *= ((p[0] * p[1]) * (p[2] * p[3])) * ((p[4] * p[5]) * (p[6] * p[7]));
}

// Greatest (or least: of the negated values) element of floats; NaN if there is one.
template <class T, bool kMin, bool kAbs>
HWY_INLINE double extreme(const T* x, size_t n) {
  const hn::ScalableTag<T> d;
  const size_t lanes = hn::Lanes(d);
  const auto at = [](T v) { return kMin ? -v : kAbs ? std::fabs(v) : v; };
  T top = -std::numeric_limits<T>::infinity();
  bool nan = false;
  size_t i = 0;
  if (n >= 2 * lanes) {
    auto m0 = hn::Set(d, top), m1 = m0, seen0 = hn::Zero(d), seen1 = seen0;
    for (; i + 2 * lanes <= n; i += 2 * lanes) {
      auto u = hn::LoadU(d, x + i), v = hn::LoadU(d, x + i + lanes);
      u = kMin ? hn::Neg(u) : kAbs ? hn::Abs(u) : u;
      v = kMin ? hn::Neg(v) : kAbs ? hn::Abs(v) : v;
      seen0 = hn::IfThenElse(hn::IsNaN(u), u, seen0);
      seen1 = hn::IfThenElse(hn::IsNaN(v), v, seen1);
      m0 = hn::IfThenElse(hn::Gt(u, m0), u, m0);
      m1 = hn::IfThenElse(hn::Gt(v, m1), v, m1);
    }
    nan = !hn::AllFalse(d, hn::IsNaN(hn::Add(seen0, seen1)));
    HWY_ALIGN T b[hn::MaxLanes(hn::ScalableTag<T>())];
    hn::Store(hn::IfThenElse(hn::Gt(m0, m1), m0, m1), d, b);
    for (size_t j = 0; j < lanes; ++j) top = b[j] > top ? b[j] : top;
  }
  for (; i < n; ++i) {
    const T v = at(x[i]);
    nan = nan || v != v;
    top = v > top ? v : top;
  }
  if (nan) return std::numeric_limits<double>::quiet_NaN();
  return kMin ? -static_cast<double>(top) : static_cast<double>(top);
}

template <class T, bool kMin, bool kAbs>
void fold_extreme(const void* lanes, size_t n, int64_t, Accumulator* acc) {
  const double e = extreme<T, kMin, kAbs>(static_cast<const T*>(lanes), n);
  if (e != e || (kMin ? e < acc->a : e > acc->a)) acc->a = acc->a != acc->a ? acc->a : e;
}

// The run's extreme first; its position is looked for only where it changes the result.
template <class T, bool kMin, bool kLast>
void fold_arg(const void* lanes, size_t n, int64_t position, Accumulator* acc) {
  const T* x = static_cast<const T*>(lanes);
  const double e = extreme<T, kMin, false>(x, n);
  const bool nan = e != e, had = acc->a != acc->a, first = acc->u == 0;
  const bool better = first || (nan ? !had : !had && (kMin ? e < acc->a : e > acc->a));
  const bool equal = !first && kLast && (nan ? had : !had && e == acc->a);
  if (!better && !equal) return;
  acc->a = e;
  acc->u = 1;
  const auto hit = [&](size_t i) { return nan ? x[i] != x[i] : static_cast<double>(x[i]) == e; };
  size_t i = kLast ? n - 1 : 0;
  while (!hit(i)) i = kLast ? i - 1 : i + 1;
  acc->v = static_cast<uint64_t>(position) + i;
}

template <class T>
void fold_finite(const void* lanes, size_t n, int64_t, Accumulator* acc) {
  const T* x = static_cast<const T*>(lanes);
  uint32_t c = 0;
  for (size_t i = 0; i < n; ++i) c += std::fabs(x[i]) <= std::numeric_limits<T>::max();
  acc->u += c;
}

HWY_INLINE double sum_exp(const float* x, size_t n, float top) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  const auto t = hn::Set(d, top);
  HWY_ALIGN float b[hn::MaxLanes(hn::ScalableTag<float>())];
  auto s = hn::Zero(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) s = hn::Add(s, exp_flush(d, hn::Sub(hn::LoadU(d, x + i), t)));
  hn::Store(s, d, b);
  double r = 0;
  for (size_t j = 0; j < lanes; ++j) r += static_cast<double>(b[j]);
  for (; i < n; ++i) r += std::exp(static_cast<double>(x[i]) - static_cast<double>(top));
  return r;
}
HWY_INLINE double sum_exp(const double* x, size_t n, double top) {
  double r = 0;
  for (size_t i = 0; i < n; ++i) r += std::exp(x[i] - top);
  return r;
}

// Online: the older sum is scaled to the new greatest element.
HWY_INLINE void join_log_sum(Accumulator* acc, double top, double s) {
  if (top != top || acc->a != acc->a) {
    acc->a = std::numeric_limits<double>::quiet_NaN();
  } else if (top > acc->a) {
    acc->b = acc->b * (acc->a == -std::numeric_limits<double>::infinity() ? 0 : std::exp(acc->a - top)) + s;
    acc->a = top;
  } else if (acc->a != -std::numeric_limits<double>::infinity()) {
    acc->b += s * std::exp(top - acc->a);
  }
}
template <class T>
void fold_log_sum(const void* lanes, size_t n, int64_t, Accumulator* acc) {
  const T* x = static_cast<const T*>(lanes);
  const double top = extreme<T, false, false>(x, n);
  const bool finite = std::fabs(top) <= std::numeric_limits<double>::max();
  join_log_sum(acc, top, finite ? sum_exp(x, n, static_cast<T>(top)) : 0.0);
}

// Chan, Golub and LeVeque: updating formulae for sample variances, 1979. Runs are short enough for L1.
HWY_INLINE void join_moments(Accumulator* acc, double mean, double square, uint64_t n) {
  const uint64_t all = acc->u + n;
  const double share = static_cast<double>(n) / static_cast<double>(all), gap = mean - acc->a;
  acc->b += square + gap * gap * share * static_cast<double>(acc->u);
  acc->a = acc->u == 0 ? mean : acc->a + gap * share;
  acc->u = all;
}
template <class T>
void fold_moments(const void* lanes, size_t n, int64_t, Accumulator* acc) {
  const T* x = static_cast<const T*>(lanes);
  const double mean = sum<Plain>(x, n, 0.0) / static_cast<double>(n);
  join_moments(acc, mean, sum<Square>(x, n, mean), n);
}

// ---- Integers

template <class T>
HWY_INLINE uint64_t extend(T x) {
  return static_cast<uint64_t>(static_cast<std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>>(x));
}
template <class T>
HWY_INLINE uint64_t magnitude(T x) {
  return std::is_signed_v<T> && x < 0 ? 0 - extend(x) : extend(x);
}

template <class T, int kForm>  // 0: x, 1: |x|, 2: x^2
void int_sum(const void* lanes, size_t n, int64_t, Accumulator* acc) {
  const T* x = static_cast<const T*>(lanes);
  uint64_t s = 0;
  for (size_t i = 0; i < n; ++i)
    s += kForm == 0 ? extend(x[i]) : kForm == 1 ? magnitude(x[i]) : extend(x[i]) * extend(x[i]);
  acc->u += s;
}
template <class T>
void int_exact_sum(const void* lanes, size_t n, int64_t, Accumulator* acc) {
  const T* x = static_cast<const T*>(lanes);
  for (size_t i = 0; i < n; ++i) {
    const uint64_t low = extend(x[i]), high = std::is_signed_v<T> && x[i] < 0 ? ~uint64_t{0} : 0;
    acc->u += low;
    acc->v += high + (acc->u < low ? 1u : 0u);
  }
}
template <class T>
void int_product(const void* lanes, size_t n, int64_t, Accumulator* acc) {
  const T* x = static_cast<const T*>(lanes);
  uint64_t p = 1;
  for (size_t i = 0; i < n; ++i) p *= extend(x[i]);
  acc->u *= p;
}
template <class T>
HWY_INLINE T int_extreme(const T* x, size_t n, bool min) {
  T e = x[0];
  if (min) {
    for (size_t i = 0; i < n; ++i) e = x[i] < e ? x[i] : e;
  } else {
    for (size_t i = 0; i < n; ++i) e = x[i] > e ? x[i] : e;
  }
  return e;
}
template <class T, bool kMin>
void int_fold_extreme(const void* lanes, size_t n, int64_t, Accumulator* acc) {
  const T e = int_extreme(static_cast<const T*>(lanes), n, kMin), have = static_cast<T>(acc->u);
  acc->u = extend(kMin ? (e < have ? e : have) : (e > have ? e : have));
}
template <class T>
void int_abs_max(const void* lanes, size_t n, int64_t, Accumulator* acc) {
  const T* x = static_cast<const T*>(lanes);
  for (size_t i = 0; i < n; ++i) acc->u = magnitude(x[i]) > acc->u ? magnitude(x[i]) : acc->u;
}
// b: is there a value yet?
template <class T, bool kMin, bool kLast>
void int_arg(const void* lanes, size_t n, int64_t position, Accumulator* acc) {
  const T* x = static_cast<const T*>(lanes);
  const T e = int_extreme(x, n, kMin), have = static_cast<T>(acc->u);
  if (acc->b != 0 && !(kMin ? e < have : e > have) && !(kLast && e == have)) return;
  acc->b = 1;
  acc->u = extend(e);
  size_t i = kLast ? n - 1 : 0;
  while (x[i] != e) i = kLast ? i - 1 : i + 1;
  acc->v = static_cast<uint64_t>(position) + i;
}
void int_count(const void*, size_t n, int64_t, Accumulator* acc) { acc->u += n; }

template <class T>
FoldFn float_fold(Fold f) {
  switch (f) {
    case Fold::kSum:
      return fold_sum<Plain, T>;
    case Fold::kAbsSum:
      return fold_sum<Absolute, T>;
    case Fold::kSquareSum:
      return fold_sum<Square, T>;
    case Fold::kProduct:
      return fold_product<T>;
    case Fold::kMax:
      return fold_extreme<T, false, false>;
    case Fold::kMin:
      return fold_extreme<T, true, false>;
    case Fold::kAbsMax:
      return fold_extreme<T, false, true>;
    case Fold::kArgMax:
      return fold_arg<T, false, false>;
    case Fold::kArgMin:
      return fold_arg<T, true, false>;
    case Fold::kArgMaxLast:
      return fold_arg<T, false, true>;
    case Fold::kArgMinLast:
      return fold_arg<T, true, true>;
    case Fold::kFiniteCount:
      return fold_finite<T>;
    case Fold::kLogSumExp:
      return fold_log_sum<T>;
    case Fold::kMoments:
      return fold_moments<T>;
    default:
      return nullptr;
  }
}

template <class T>
FoldFn int_fold(Fold f) {
  switch (f) {
    case Fold::kSum:
      return int_sum<T, 0>;
    case Fold::kExactSum:
      return int_exact_sum<T>;
    case Fold::kAbsSum:
      return int_sum<T, 1>;
    case Fold::kSquareSum:
      return int_sum<T, 2>;
    case Fold::kProduct:
      return int_product<T>;
    case Fold::kMax:
      return int_fold_extreme<T, false>;
    case Fold::kMin:
      return int_fold_extreme<T, true>;
    case Fold::kAbsMax:
      return int_abs_max<T>;
    case Fold::kArgMax:
      return int_arg<T, false, false>;
    case Fold::kArgMin:
      return int_arg<T, true, false>;
    case Fold::kArgMaxLast:
      return int_arg<T, false, true>;
    case Fold::kArgMinLast:
      return int_arg<T, true, true>;
    case Fold::kFiniteCount:
      return int_count;
    default:
      return nullptr;
  }
}

}  // namespace

FoldFn fold_of(Fold f, Lane lane) {
  switch (lane) {
    case Lane::kF32:
      return float_fold<float>(f);
    case Lane::kF64:
      return float_fold<double>(f);
    case Lane::kI64:
      return int_fold<int64_t>(f);
    case Lane::kI32:
      return int_fold<int32_t>(f);
    case Lane::kI16:
      return int_fold<int16_t>(f);
    case Lane::kI8:
      return int_fold<int8_t>(f);
    case Lane::kU64:
      return int_fold<uint64_t>(f);
    case Lane::kU32:
      return int_fold<uint32_t>(f);
    case Lane::kU16:
      return int_fold<uint16_t>(f);
    case Lane::kU8:
    case Lane::kBool:
      return int_fold<uint8_t>(f);
    default:
      return nullptr;
  }
}

void join_log_sums(Accumulator* acc, const Accumulator& later) { join_log_sum(acc, later.a, later.b); }
void join_all_moments(Accumulator* acc, const Accumulator& later) {
  if (later.u != 0) join_moments(acc, later.a, later.b, later.u);
}

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
HWY_EXPORT(fold_of);
HWY_EXPORT(join_log_sums);
HWY_EXPORT(join_all_moments);
FoldFn find_fold(Fold f, Lane lane) { return HWY_DYNAMIC_DISPATCH(fold_of)(f, lane); }

namespace {
bool is_real(Lane lane) { return lane == Lane::kF32 || lane == Lane::kF64; }
bool is_signed(Lane lane) {
  return lane == Lane::kI64 || lane == Lane::kI32 || lane == Lane::kI16 || lane == Lane::kI8;
}
bool is_arg(Fold f) { return f >= Fold::kArgMax && f <= Fold::kArgMinLast; }
}  // namespace

Accumulator empty_accumulator(Fold f, Lane lane) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const uint64_t bits = lane_bytes(lane) * 8;
  const uint64_t high = ~uint64_t{0} >> (is_signed(lane) ? 65 - bits : 64 - bits);
  if (f == Fold::kProduct) return {1, 0, 1, 0};
  if (f == Fold::kMax) return {-kInf, 0, lane == Lane::kBool ? 0 : is_signed(lane) ? ~high : 0, 0};
  if (f == Fold::kMin) return {kInf, 0, lane == Lane::kBool ? 1 : high, 0};
  if (f == Fold::kLogSumExp) return {-kInf, 0, 0, 0};
  return {0, 0, 0, 0};
}

void join(Fold f, Lane lane, Accumulator* acc, const Accumulator& later) {
  const bool real = is_real(lane);
  const auto less = [&](const Accumulator& x, const Accumulator& y) {
    if (real) return x.a < y.a;
    return is_signed(lane) ? static_cast<int64_t>(x.u) < static_cast<int64_t>(y.u) : x.u < y.u;
  };
  const auto nan = [&](const Accumulator& x) { return real && x.a != x.a; };
  const bool min = f == Fold::kMin || f == Fold::kArgMin || f == Fold::kArgMinLast;
  const bool last = f == Fold::kArgMaxLast || f == Fold::kArgMinLast;
  switch (f) {
    case Fold::kLogSumExp:
      return HWY_DYNAMIC_DISPATCH(join_log_sums)(acc, later);
    case Fold::kMoments:
      return HWY_DYNAMIC_DISPATCH(join_all_moments)(acc, later);
    case Fold::kProduct:
      acc->a *= later.a;
      acc->u *= later.u;
      return;
    case Fold::kExactSum:
      acc->u += later.u;
      acc->v += later.v + (acc->u < later.u ? 1u : 0u);
      return;
    case Fold::kAbsMax:
      if (real ? later.a != later.a || later.a > acc->a : later.u > acc->u)
        *acc = real && acc->a != acc->a ? *acc : later;
      return;
    default:
      break;
  }
  if (f != Fold::kMax && f != Fold::kMin && !is_arg(f)) {
    acc->a += later.a;
    acc->u += later.u;
    return;
  }
  const bool none = is_arg(f) && (real ? later.u == 0 : later.b == 0),
             first = is_arg(f) && (real ? acc->u == 0 : acc->b == 0);
  if (none) return;
  const bool better = nan(later) ? !nan(*acc) : !nan(*acc) && (min ? less(later, *acc) : less(*acc, later));
  const bool equal = nan(later) ? nan(*acc) : !nan(*acc) && !less(later, *acc) && !less(*acc, later);
  if (first || better || (last && equal)) *acc = later;
}

}  // namespace opmux::cpu
#endif
