// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/states.hpp"

#include <cmath>
#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/states.cpp"
#include <hwy/foreach_target.h>  // NOLINT: before highway.h
#include <hwy/highway.h>

#include "cpu/kernels/math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

template <class T>
void linear(const LinearStep<T>& s) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t j = 0; j < kStateColumns; j += lanes) {
    T* column = s.state + j;
    auto u = hn::LoadU(d, s.v + j);
    if (s.decay || s.delta) {
      auto known = hn::Zero(d);
      for (int64_t i = 0; i < s.width; ++i) {
        auto h = hn::LoadU(d, column + i * kStateColumns);
        if (s.decay) {
          h = hn::Mul(h, hn::Set(d, s.decay[i]));
          hn::StoreU(h, d, column + i * kStateColumns);
        }
        known = hn::MulAdd(hn::Set(d, s.k[i]), h, known);
      }
      if (s.delta) u = hn::Mul(hn::Set(d, s.beta), hn::Sub(u, known));
    }
    for (int64_t i = 0; i < s.width; ++i) {
      const auto h = hn::LoadU(d, column + i * kStateColumns);
      hn::StoreU(hn::MulAdd(hn::Set(d, s.k[i]), u, h), d, column + i * kStateColumns);
    }
  }
}

template <class T>
void read(const T* state, const T* q, T scale, int64_t width, T* y) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t j = 0; j < kStateColumns; j += lanes) {
    auto sum = hn::Zero(d);
    for (int64_t i = 0; i < width; ++i)
      sum = hn::MulAdd(hn::Set(d, q[i]), hn::LoadU(d, state + i * kStateColumns + j), sum);
    hn::StoreU(hn::Mul(sum, hn::Set(d, scale)), d, y + j);
  }
}

// e^x by vectors in f32; in f64 there is none of full accuracy, so lane by lane.
template <class T, class D>
HWY_INLINE hn::Vec<D> exponential(D d, hn::Vec<D> x) {
  if constexpr (std::is_same_v<T, float>) {
    return exp(d, x);
  } else {
    HWY_ALIGN T lane[hn::MaxLanes(D())];
    hn::Store(x, d, lane);
    for (size_t i = 0; i < hn::Lanes(d); ++i) lane[i] = std::exp(lane[i]);
    return hn::Load(d, lane);
  }
}

template <class T>
void scan(const ScanStep<T>& s) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t j = 0; j < kStateColumns; j += lanes) {
    const auto x = hn::LoadU(d, s.x + j), delta = hn::LoadU(d, s.delta + j);
    const auto input = hn::Mul(x, delta);
    auto y = hn::Mul(x, hn::LoadU(d, s.skip + j));
    for (int64_t n = 0; n < s.n_state; ++n) {
      const int64_t at = n * kStateColumns + j;
      const auto e = exponential<T>(d, hn::Mul(delta, hn::LoadU(d, s.a + at)));
      const auto h = hn::MulAdd(e, hn::LoadU(d, s.state + at), hn::Mul(hn::Set(d, s.b[n]), input));
      hn::StoreU(h, d, s.state + at);
      y = hn::MulAdd(hn::Set(d, s.c[n]), h, y);
    }
    hn::StoreU(y, d, s.y + j);
  }
}

}  // namespace

const StateKernels<float>& state_kernels_f32() {
  static constexpr StateKernels<float> k = {linear<float>, read<float>, scan<float>};
  return k;
}
const StateKernels<double>& state_kernels_f64() {
  static constexpr StateKernels<double> k = {linear<double>, read<double>, scan<double>};
  return k;
}

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
namespace {
HWY_EXPORT(state_kernels_f32);
HWY_EXPORT(state_kernels_f64);
}  // namespace

template <>
StateKernels<float> state_kernels<float>() {
  return HWY_DYNAMIC_DISPATCH(state_kernels_f32)();
}
template <>
StateKernels<double> state_kernels<double>() {
  return HWY_DYNAMIC_DISPATCH(state_kernels_f64)();
}

}  // namespace opmux::cpu
#endif
