// SPDX-License-Identifier: Apache-2.0
// Tile operations on f32 lanes, in vectors: arithmetic.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/tiles_f32.cpp"
#include <cmath>
#include <cstring>

#include "cpu/kernels/tile_tables.hpp"
#include "opmux/ops/pointwise.gen.h"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "cpu/kernels/f32_loops-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace {

template <class D>
HWY_INLINE VF<D> keep_nan(D, VF<D> x, VF<D> y, VF<D> r) {
  return hn::IfThenElse(hn::Or(hn::IsNaN(x), hn::IsNaN(y)), hn::Add(x, y), r);
}

OPMUX_F32_1(Neg, hn::Neg(x))
OPMUX_F32_1(Abs, hn::Abs(x))
OPMUX_F32_1(Sign, hn::IfThenElse(hn::Or(hn::Lt(x, hn::Zero(d)), hn::Gt(x, hn::Zero(d))),
                                 hn::CopySign(hn::Set(d, 1.0f), x), x))
OPMUX_F32_1(Reciprocal, hn::Div(hn::Set(d, 1.0f), x))
OPMUX_F32_1(Sqrt, hn::Sqrt(x))
OPMUX_F32_1(Rsqrt, hn::Div(hn::Set(d, 1.0f), hn::Sqrt(x)))
OPMUX_F32_1(Floor, hn::Floor(x))
OPMUX_F32_1(Ceil, hn::Ceil(x))
OPMUX_F32_1(Round, hn::Round(x))
OPMUX_F32_1(Trunc, hn::Trunc(x))
OPMUX_F32_1(Relu, hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x))
OPMUX_F32_1(Softsign, hn::Div(x, hn::Add(hn::Set(d, 1.0f), hn::Abs(x))))
OPMUX_F32_2(Add, hn::Add(x, y))
OPMUX_F32_2(Sub, hn::Sub(x, y))
OPMUX_F32_2(Mul, hn::Mul(x, y))
OPMUX_F32_2(Div, hn::Div(x, y))
OPMUX_F32_2(Min, keep_nan(d, x, y, hn::Min(x, y)))
OPMUX_F32_2(Max, keep_nan(d, x, y, hn::Max(x, y)))
// Fused on every target, or sums that cancel would differ between them. The product of two floats is exact in
// f64.
struct Fma {
  template <class D>
  HWY_INLINE VF<D> operator()(D d, VF<D> x, VF<D> y, VF<D> z) const {
#if HWY_TARGET == HWY_SSE4 || HWY_TARGET == HWY_EMU128 || HWY_TARGET == HWY_SCALAR
    HWY_ALIGN float a[hn::MaxLanes(D())], b[hn::MaxLanes(D())], c[hn::MaxLanes(D())];
    hn::Store(x, d, a);
    hn::Store(y, d, b);
    hn::Store(z, d, c);
    for (size_t i = 0; i < hn::Lanes(d); ++i)
      a[i] = static_cast<float>(static_cast<double>(a[i]) * static_cast<double>(b[i]) +
                                static_cast<double>(c[i]));
    return hn::Load(d, a);
#else
    (void)d;
    return hn::MulAdd(x, y, z);
#endif
  }
};
struct Clamp {
  template <class D>
  HWY_INLINE VF<D> operator()(D d, VF<D> x, VF<D> y, VF<D> z) const {
    return Min()(d, Max()(d, x, y), z);
  }
};

const TileEntry kTable[] = {
    // clang-format off
    OPMUX_UNARY(OPMUX_FN_NEG, Neg),
    OPMUX_UNARY(OPMUX_FN_ABS, Abs),
    OPMUX_UNARY(OPMUX_FN_SIGN, Sign),
    OPMUX_UNARY(OPMUX_FN_RECIPROCAL, Reciprocal),
    OPMUX_UNARY(OPMUX_FN_SQRT, Sqrt),
    OPMUX_UNARY(OPMUX_FN_RSQRT, Rsqrt),
    OPMUX_UNARY(OPMUX_FN_FLOOR, Floor),
    OPMUX_UNARY(OPMUX_FN_CEIL, Ceil),
    OPMUX_UNARY(OPMUX_FN_ROUND, Round),
    OPMUX_UNARY(OPMUX_FN_TRUNC, Trunc),
    OPMUX_UNARY(OPMUX_FN_RELU, Relu),
    OPMUX_UNARY(OPMUX_FN_SOFTSIGN, Softsign),
    OPMUX_BINARY(OPMUX_FN_ADD, Add),
    OPMUX_BINARY(OPMUX_FN_SUB, Sub),
    OPMUX_BINARY(OPMUX_FN_MUL, Mul),
    OPMUX_BINARY(OPMUX_FN_DIV, Div),
    OPMUX_BINARY(OPMUX_FN_MIN, Min),
    OPMUX_BINARY(OPMUX_FN_MAX, Max),
    OPMUX_TERNARY(OPMUX_FN_FMA, Fma),
    OPMUX_TERNARY(OPMUX_FN_CLAMP, Clamp),
    // clang-format on
};

}  // namespace

TileTable f32_tiles() { return {kTable, sizeof kTable / sizeof kTable[0]}; }

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
HWY_EXPORT(f32_tiles);
TileTable f32_tiles() { return HWY_DYNAMIC_DISPATCH(f32_tiles)(); }
}  // namespace opmux::cpu
#endif
