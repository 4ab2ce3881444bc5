// SPDX-License-Identifier: Apache-2.0
// Tile operations on f32 lanes whose argument reduction takes f64 vectors.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/tiles_f32_wide.cpp"
#include <cmath>
#include <cstring>

#include "cpu/kernels/tile_tables.hpp"
#include "opmux/ops/pointwise.gen.h"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "cpu/kernels/f32_loops-inl.hpp"
#include "cpu/kernels/math64-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace {

// Functions computed in f64. Lanes that kBad rejects go through Scalar.
template <class F>
void wide_unary(void* out, const void* a, const void*, const void*, size_t n) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> df;
  const size_t lanes = hn::Lanes(d);
  const auto* x = static_cast<const float*>(a);
  auto* y = static_cast<float*>(out);
  for (size_t i = 0; i < n; i += lanes) {
    const size_t m = n - i < lanes ? n - i : lanes;
    const auto u = m == lanes ? hn::LoadU(df, x + i) : load_part(df, x + i, m);
    const auto v = F::odd_ones(df, u) ? F::each(df, u) : hn::DemoteTo(df, F::all(d, hn::PromoteTo(d, u)));
    if (m == lanes) {
      hn::StoreU(v, df, y + i);
    } else {
      store_part(df, v, y + i, m);
    }
  }
}

template <int kQuadrant>
struct SinCos {
  template <class D>
  static HWY_INLINE bool odd_ones(D d, VF<D> x) {
    return !hn::AllTrue(d, hn::Le(hn::Abs(x), hn::Set(d, 1e6f)));
  }
  template <class D>
  static HWY_INLINE VF<D> each(D d, VF<D> x) {
    HWY_ALIGN float b[hn::MaxLanes(D())];
    hn::Store(x, d, b);
    for (size_t i = 0; i < hn::Lanes(d); ++i) b[i] = kQuadrant ? std::cos(b[i]) : std::sin(b[i]);
    return hn::Load(d, b);
  }
  template <class D>
  static HWY_INLINE VF<D> all(D d, VF<D> x) {
    const auto y = sincos_f64(d, x, kQuadrant);
    return kQuadrant ? y : hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, y);
  }
};

struct Erfc {
  template <class D>
  static HWY_INLINE bool odd_ones(D, VF<D>) {
    return false;
  }
  template <class D>
  static HWY_INLINE VF<D> each(D, VF<D> x) {
    return x;
  }
  template <class D>
  static HWY_INLINE VF<D> all(D d, VF<D> x) {  // 0 or 2 beyond +-20
    const auto end = hn::Set(d, 20.0);
    x = hn::IfThenElse(hn::Gt(x, end), end, x);
    return erfc_f64(d, hn::IfThenElse(hn::Lt(x, hn::Neg(end)), hn::Neg(end), x));
  }
};

template <unsigned kMask>
void power(void* out, const void* a, const void* b, const void*, size_t n) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> df;
  const size_t lanes = hn::Lanes(d);
  const auto *x = static_cast<const float*>(a), *w = static_cast<const float*>(b);
  auto* y = static_cast<float*>(out);
  const auto inf = hn::Inf(df);
  for (size_t i = 0; i < n; i += lanes) {
    const size_t m = n - i < lanes ? n - i : lanes;
    const auto u = kMask & kUniformA ? hn::Set(df, *x) : load_part(df, x + i, m);
    const auto v = kMask & kUniformB ? hn::Set(df, *w) : load_part(df, w + i, m);
    const auto plain = hn::And(hn::And(hn::Gt(u, hn::Zero(df)), hn::Lt(u, inf)), hn::Lt(hn::Abs(v), inf));
    if (hn::AllTrue(df, plain)) {
      auto t = hn::Mul(hn::PromoteTo(d, v), log2_f64(d, hn::PromoteTo(d, u)));
      t = hn::Min(hn::Max(t, hn::Set(d, -200.0)), hn::Set(d, 200.0));
      const auto r = exp2_f64(d, t);
      // Emulated conversions stop at the greatest float.
      const auto over = hn::IfThenElse(hn::Ge(r, hn::Set(d, 0x1.ffffffp127)), hn::Set(d, 1.0), hn::Zero(d));
      const auto z = hn::IfThenElse(hn::Ne(hn::DemoteTo(df, over), hn::Zero(df)), inf, hn::DemoteTo(df, r));
      store_part(df, z, y + i, m);
      continue;
    }
    for (size_t j = 0; j < m; ++j)
      y[i + j] = std::pow(kMask & kUniformA ? *x : x[i + j], kMask & kUniformB ? *w : w[i + j]);
  }
}

// x sigmoid(2 sqrt(2 / pi) (x + 0.044715 x^3)); the argument of exp keeps its low part.
void gelu_tanh(void* out, const void* a, const void*, const void*, size_t n) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> df;
  const size_t lanes = hn::Lanes(d);
  const auto* x = static_cast<const float*>(a);
  auto* y = static_cast<float*>(out);
  for (size_t i = 0; i < n; i += lanes) {
    const size_t m = n - i < lanes ? n - i : lanes;
    const auto v = m == lanes ? hn::LoadU(df, x + i) : load_part(df, x + i, m);
    const auto c = clamp_keep_nan(df, hn::Abs(v), 0.0f, 20.0f);
    const auto u = hn::Neg(gelu_tanh_argument(d, hn::PromoteTo(d, c)));
    const auto high = hn::DemoteTo(df, u);
    const auto low = hn::DemoteTo(df, hn::Sub(u, hn::PromoteTo(d, high)));
    const auto r = gated(df, v, high, low);
    if (m == lanes) {
      hn::StoreU(r, df, y + i);
    } else {
      store_part(df, r, y + i, m);
    }
  }
}

const TileEntry kTable[] = {
    // clang-format off
    {OPMUX_FN_SIN, {wide_unary<SinCos<0>>}},
    {OPMUX_FN_COS, {wide_unary<SinCos<1>>}},
    {OPMUX_FN_ERFC, {wide_unary<Erfc>}},
    {OPMUX_FN_POW, {power<0>, power<1>, power<2>}},
    {OPMUX_FN_GELU_TANH, {gelu_tanh}},
    // clang-format on
};

}  // namespace

TileTable f32_wide_tiles() { return {kTable, sizeof kTable / sizeof kTable[0]}; }

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
HWY_EXPORT(f32_wide_tiles);
TileTable f32_wide_tiles() { return HWY_DYNAMIC_DISPATCH(f32_wide_tiles)(); }
}  // namespace opmux::cpu
#endif
