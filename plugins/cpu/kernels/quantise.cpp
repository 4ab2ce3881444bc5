// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/quantise.hpp"

#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/quantise.cpp"
#include <hwy/foreach_target.h>  // NOLINT: before highway.h
#include <hwy/highway.h>

#include <cmath>

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void range(const float* x, size_t n, float* low, float* high) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  auto lo = hn::Set(d, *low), hi = hn::Set(d, *high);
  auto nan = hn::IsNaN(lo);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto v = hn::LoadU(d, x + i);
    nan = hn::Or(nan, hn::IsNaN(v));
    // A NaN changes neither bound, here and on every target.
    lo = hn::IfThenElse(hn::Lt(v, lo), v, lo);
    hi = hn::IfThenElse(hn::Gt(v, hi), v, hi);
  }
  bool found = !hn::AllFalse(d, nan);
  float a = hn::GetLane(hn::MinOfLanes(d, lo)), b = hn::GetLane(hn::MaxOfLanes(d, hi));
  for (; i < n; ++i) {
    found = found || std::isnan(x[i]);
    a = x[i] < a ? x[i] : a;
    b = x[i] > b ? x[i] : b;
  }
  *low = found ? std::numeric_limits<float>::quiet_NaN() : a;
  *high = found ? std::numeric_limits<float>::quiet_NaN() : b;
}

void divide(const float* x, float* y, size_t n, float scale) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  const auto s = hn::Set(d, scale);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::Div(hn::LoadU(d, x + i), s), d, y + i);
  for (; i < n; ++i) y[i] = x[i] / scale;
}

void divide_round(const float* x, float* y, size_t n, float scale, float zero) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  const auto s = hn::Set(d, scale), z = hn::Set(d, zero);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes)
    hn::StoreU(hn::Add(hn::Round(hn::Div(hn::LoadU(d, x + i), s)), z), d, y + i);
  for (; i < n; ++i) y[i] = std::nearbyint(x[i] / scale) + zero;
}

QuantiseKernels table() { return {range, divide, divide_round}; }

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
HWY_EXPORT(table);
QuantiseKernels quantise_kernels() { return HWY_DYNAMIC_DISPATCH(table)(); }
}  // namespace opmux::cpu
#endif
