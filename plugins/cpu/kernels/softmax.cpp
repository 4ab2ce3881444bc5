// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/softmax.cpp"
#include "cpu/kernels/softmax.hpp"

#include <cmath>
#include <limits>
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "cpu/kernels/math-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;
using DF = hn::ScalableTag<float>;

// Greatest element, NaN if there is one.
HWY_INLINE float top_of(const float* x, size_t n) {
  const DF d;
  const size_t lanes = hn::Lanes(d);
  float top = -std::numeric_limits<float>::infinity();
  bool nan = false;
  size_t i = 0;
  if (n >= lanes) {
    auto m0 = hn::Set(d, top), m1 = m0, bad = hn::Zero(d);
    const auto step = [&](size_t at, auto& m) HWY_ATTR {
      const auto u = hn::LoadU(d, x + at);
      bad = hn::IfThenElse(hn::IsNaN(u), u, bad);
      m = hn::Max(m, u);
    };
    for (; i + 2 * lanes <= n; i += 2 * lanes) {
      step(i, m0);
      step(i + lanes, m1);
    }
    for (; i + lanes <= n; i += lanes) step(i, m0);
    nan = !hn::AllFalse(d, hn::IsNaN(bad));
    HWY_ALIGN float b[hn::MaxLanes(DF())];
    hn::Store(hn::Max(m0, m1), d, b);
    for (size_t j = 0; j < lanes; ++j) top = b[j] > top ? b[j] : top;
  }
  for (; i < n; ++i) {
    nan = nan || x[i] != x[i];
    top = x[i] > top ? x[i] : top;
  }
  return nan ? std::numeric_limits<float>::quiet_NaN() : top;
}

HWY_INLINE float exp_one(float x) {
  const hn::CappedTag<float, 1> d;
  return hn::GetLane(exp_flush(d, hn::Set(d, x)));
}

// Sum of e^(x - top), which goes to y unless y is nullptr.
template <bool kStore>
HWY_INLINE double exp_sum(float* y, const float* x, size_t n, float top) {
  const DF d;
  const size_t lanes = hn::Lanes(d);
  const auto t = hn::Set(d, top);
  auto s0 = hn::Zero(d), s1 = s0;
  size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    const auto u = exp_flush(d, hn::Sub(hn::LoadU(d, x + i), t)),
               v = exp_flush(d, hn::Sub(hn::LoadU(d, x + i + lanes), t));
    s0 = hn::Add(s0, u);
    s1 = hn::Add(s1, v);
    if (kStore) {
      hn::StoreU(u, d, y + i);
      hn::StoreU(v, d, y + i + lanes);
    }
  }
  for (; i + lanes <= n; i += lanes) {
    const auto u = exp_flush(d, hn::Sub(hn::LoadU(d, x + i), t));
    s0 = hn::Add(s0, u);
    if (kStore) hn::StoreU(u, d, y + i);
  }
  HWY_ALIGN float b[hn::MaxLanes(DF())];
  hn::Store(hn::Add(s0, s1), d, b);
  double sum = 0;
  for (size_t j = 0; j < lanes; ++j) sum += static_cast<double>(b[j]);
  for (; i < n; ++i) {
    const float e = exp_one(x[i] - top);
    sum += static_cast<double>(e);
    if (kStore) y[i] = e;
  }
  return sum;
}

void softmax_f32(void* out, const void* in, size_t n) {
  const DF d;
  const size_t lanes = hn::Lanes(d);
  float* y = static_cast<float*>(out);
  const float* x = static_cast<const float*>(in);
  const double sum = exp_sum<true>(y, x, n, top_of(x, n));
  const float r = static_cast<float>(1 / sum);
  const auto f = hn::Set(d, r);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::Mul(hn::LoadU(d, y + i), f), d, y + i);
  for (; i < n; ++i) y[i] *= r;
}

void part_f32(void* out, const void* in, size_t n, double top, double sum) {
  const DF d;
  const size_t lanes = hn::Lanes(d);
  float* y = static_cast<float*>(out);
  const float* x = static_cast<const float*>(in);
  const float t = static_cast<float>(top), r = static_cast<float>(1 / sum);
  const auto tv = hn::Set(d, t), f = hn::Set(d, r);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes)
    hn::StoreU(hn::Mul(exp_flush(d, hn::Sub(hn::LoadU(d, x + i), tv)), f), d, y + i);
  for (; i < n; ++i) y[i] = exp_one(x[i] - t) * r;
}

void log_part_f32(void* out, const void* in, size_t n, double top, double sum) {
  const DF d;
  const size_t lanes = hn::Lanes(d);
  float* y = static_cast<float*>(out);
  const float* x = static_cast<const float*>(in);
  const float t = static_cast<float>(top), l = static_cast<float>(std::log(sum));
  const auto tv = hn::Set(d, t), lv = hn::Set(d, l);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::Sub(hn::Sub(hn::LoadU(d, x + i), tv), lv), d, y + i);
  for (; i < n; ++i) y[i] = (x[i] - t) - l;
}

void log_softmax_f32(void* out, const void* in, size_t n) {
  const float* x = static_cast<const float*>(in);
  const float top = top_of(x, n);
  log_part_f32(out, in, n, static_cast<double>(top), exp_sum<false>(nullptr, x, n, top));
}

void part_f64(void* out, const void* in, size_t n, double top, double sum) {
  double* y = static_cast<double*>(out);
  const double* x = static_cast<const double*>(in);
  for (size_t i = 0; i < n; ++i) y[i] = std::exp(x[i] - top) / sum;
}
void log_part_f64(void* out, const void* in, size_t n, double top, double sum) {
  double* y = static_cast<double*>(out);
  const double* x = static_cast<const double*>(in);
  const double l = std::log(sum);
  for (size_t i = 0; i < n; ++i) y[i] = (x[i] - top) - l;
}
template <bool kLog>
void softmax_f64(void* out, const void* in, size_t n) {
  const double* x = static_cast<const double*>(in);
  double top = -std::numeric_limits<double>::infinity(), sum = 0;
  for (size_t i = 0; i < n; ++i) top = x[i] > top || x[i] != x[i] ? (top != top ? top : x[i]) : top;
  for (size_t i = 0; i < n; ++i) sum += std::exp(x[i] - top);
  (kLog ? log_part_f64 : part_f64)(out, in, n, top, sum);
}

}  // namespace

SoftmaxFn softmax_of(Lane lane, bool log) {
  if (lane == Lane::kF64) return log ? softmax_f64<true> : softmax_f64<false>;
  return log ? log_softmax_f32 : softmax_f32;
}
SoftmaxPartFn softmax_part_of(Lane lane, bool log) {
  if (lane == Lane::kF64) return log ? log_part_f64 : part_f64;
  return log ? log_part_f32 : part_f32;
}

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
HWY_EXPORT(softmax_of);
HWY_EXPORT(softmax_part_of);
SoftmaxFn find_softmax(Lane lane, bool log) { return HWY_DYNAMIC_DISPATCH(softmax_of)(lane, log); }
SoftmaxPartFn find_softmax_part(Lane lane, bool log) {
  return HWY_DYNAMIC_DISPATCH(softmax_part_of)(lane, log);
}
}  // namespace opmux::cpu
#endif
