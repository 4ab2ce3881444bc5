// SPDX-License-Identifier: Apache-2.0
// Tile operations on f64 lanes, and those on f32 lanes that have no vector form: through the C library.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/tiles_float.cpp"
#include <math.h>  // lgamma_r

#include <cmath>

#include "cpu/kernels/tile_tables.hpp"
#include "opmux/ops/pointwise.gen.h"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "cpu/kernels/scalar-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {

namespace {

#define OPMUX_S1(Name, expression) \
  struct Name {                    \
    template <class T>             \
    static HWY_INLINE T f(T x) {   \
      return expression;           \
    }                              \
  };
#define OPMUX_S2(Name, expression)    \
  struct Name {                       \
    template <class T>                \
    static HWY_INLINE T f(T x, T y) { \
      return expression;              \
    }                                 \
  };

HWY_INLINE float log_gamma(float x) {
  int sign;
  return static_cast<float>(lgamma_r(x, &sign));  // lgammaf loses 6 ulp beside its zeros
}
HWY_INLINE double log_gamma(double x) {
  int sign;
  return lgamma_r(x, &sign);
}

template <class T>
HWY_INLINE T python_mod(T x, T y) {
  const T r = std::fmod(x, y);
  return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}
// The complement keeps its relative accuracy on the side where 1 - p would lose it.
template <class T>
HWY_INLINE T logistic(T x) {
  const T e = std::exp(-std::fabs(x)), q = 1 / (1 + e);
  return x < 0 ? e * q : q;
}
template <class T>
HWY_INLINE T mish_of(T x) {
  const T e = std::exp(x > 40 ? T(40) : x), n = e * (e + 2);
  return x * (n / (n + 2));
}

// The rounding of the argument would grow by twice its square: f64 takes long double here.
HWY_INLINE double gelu_of(double x) {
  return static_cast<double>(x * std::erfc(x * -0.70710678118654752440L) / 2);
}
HWY_INLINE double gelu_tanh_of(double x) {
  const long double v = x, u = v * (1.5957691216057307117L + 0.0713548162726002488L * v * v);
  return static_cast<double>(v / (1 + std::exp(-u)));
}

OPMUX_S1(Neg, -x)
OPMUX_S1(Abs, std::fabs(x))
OPMUX_S1(Sign, x > 0 ? T(1) : x < 0 ? T(-1) : x)
OPMUX_S1(Reciprocal, 1 / x)
OPMUX_S1(Sqrt, std::sqrt(x))
OPMUX_S1(Rsqrt, 1 / std::sqrt(x))
OPMUX_S1(Exp, std::exp(x))
OPMUX_S1(Expm1, std::expm1(x))
OPMUX_S1(Exp2, std::exp2(x))
OPMUX_S1(Log, std::log(x))
OPMUX_S1(Log1p, std::log1p(x))
OPMUX_S1(Log2, std::log2(x))
OPMUX_S1(Sin, std::sin(x))
OPMUX_S1(Cos, std::cos(x))
OPMUX_S1(Tan, std::tan(x))
OPMUX_S1(Asin, std::asin(x))
OPMUX_S1(Acos, std::acos(x))
OPMUX_S1(Atan, std::atan(x))
OPMUX_S1(Sinh, std::sinh(x))
OPMUX_S1(Cosh, std::cosh(x))
OPMUX_S1(Tanh, std::tanh(x))
OPMUX_S1(Asinh, std::asinh(x))
OPMUX_S1(Acosh, std::acosh(x))
OPMUX_S1(Atanh, std::atanh(x))
OPMUX_S1(Erf, std::erf(x))
OPMUX_S1(Erfc, std::erfc(x))
OPMUX_S1(Lgamma, log_gamma(x))
OPMUX_S1(Floor, std::floor(x))
OPMUX_S1(Ceil, std::ceil(x))
OPMUX_S1(Round, std::nearbyint(x))
OPMUX_S1(Trunc, std::trunc(x))
OPMUX_S1(Sigmoid, logistic(x))
OPMUX_S1(Relu, x < 0 ? T(0) : x)
OPMUX_S1(Gelu, gelu_of(x))
OPMUX_S1(GeluTanh, gelu_tanh_of(x))
OPMUX_S1(Silu, x* logistic(x))
OPMUX_S1(Softplus, (x > 0 ? x : 0) + std::log1p(std::exp(-std::fabs(x))))
OPMUX_S1(Softsign, x / (1 + std::fabs(x)))
OPMUX_S1(Mish, mish_of(x))
OPMUX_S2(Add, x + y)
OPMUX_S2(Sub, x - y)
OPMUX_S2(Mul, x* y)
OPMUX_S2(Div, x / y)
OPMUX_S2(Mod, python_mod(x, y))
OPMUX_S2(Fmod, std::fmod(x, y))
OPMUX_S2(Pow, std::pow(x, y))
OPMUX_S2(Min, x != x || y != y ? x + y : x < y ? x : y)
OPMUX_S2(Max, x != x || y != y ? x + y : x > y ? x : y)
OPMUX_S2(Atan2, std::atan2(x, y))
struct Fma {
  template <class T>
  static HWY_INLINE T f(T x, T y, T z) {
    return std::fma(x, y, z);
  }
};
struct Clamp {
  template <class T>
  static HWY_INLINE T f(T x, T y, T z) {
    return Min::f(Max::f(x, y), z);
  }
};

#define OPMUX_E1(T, FN, Name)           \
  {                                     \
    OPMUX_FN_##FN, { map1<T, T, Name> } \
  }
#define OPMUX_E2(T, FN, Name)           \
  {                                     \
    OPMUX_FN_##FN, { map2<T, T, Name> } \
  }
// What has no vector form for f32.
#define OPMUX_RARE(T)                                                                               \
  OPMUX_E1(T, TAN, Tan), OPMUX_E1(T, ASIN, Asin), OPMUX_E1(T, ACOS, Acos), OPMUX_E1(T, ATAN, Atan), \
      OPMUX_E1(T, SINH, Sinh), OPMUX_E1(T, COSH, Cosh), OPMUX_E1(T, ASINH, Asinh),                  \
      OPMUX_E1(T, ACOSH, Acosh), OPMUX_E1(T, ATANH, Atanh), OPMUX_E1(T, LGAMMA, Lgamma),            \
      OPMUX_E2(T, MOD, Mod), OPMUX_E2(T, FMOD, Fmod), OPMUX_E2(T, ATAN2, Atan2)

const TileEntry kRareF32[] = {OPMUX_RARE(float)};
const TileEntry kF64[] = {OPMUX_RARE(double),
                          OPMUX_E1(double, NEG, Neg),
                          OPMUX_E1(double, ABS, Abs),
                          OPMUX_E1(double, SIGN, Sign),
                          OPMUX_E1(double, RECIPROCAL, Reciprocal),
                          OPMUX_E1(double, SQRT, Sqrt),
                          OPMUX_E1(double, RSQRT, Rsqrt),
                          OPMUX_E1(double, EXP, Exp),
                          OPMUX_E1(double, EXPM1, Expm1),
                          OPMUX_E1(double, EXP2, Exp2),
                          OPMUX_E1(double, LOG, Log),
                          OPMUX_E1(double, LOG1P, Log1p),
                          OPMUX_E1(double, LOG2, Log2),
                          OPMUX_E1(double, SIN, Sin),
                          OPMUX_E1(double, COS, Cos),
                          OPMUX_E1(double, TANH, Tanh),
                          OPMUX_E1(double, ERF, Erf),
                          OPMUX_E1(double, ERFC, Erfc),
                          OPMUX_E1(double, FLOOR, Floor),
                          OPMUX_E1(double, CEIL, Ceil),
                          OPMUX_E1(double, ROUND, Round),
                          OPMUX_E1(double, TRUNC, Trunc),
                          OPMUX_E1(double, SIGMOID, Sigmoid),
                          OPMUX_E1(double, RELU, Relu),
                          OPMUX_E1(double, GELU, Gelu),
                          OPMUX_E1(double, GELU_TANH, GeluTanh),
                          OPMUX_E1(double, SILU, Silu),
                          OPMUX_E1(double, SOFTPLUS, Softplus),
                          OPMUX_E1(double, SOFTSIGN, Softsign),
                          OPMUX_E1(double, MISH, Mish),
                          OPMUX_E2(double, ADD, Add),
                          OPMUX_E2(double, SUB, Sub),
                          OPMUX_E2(double, MUL, Mul),
                          OPMUX_E2(double, DIV, Div),
                          OPMUX_E2(double, POW, Pow),
                          OPMUX_E2(double, MIN, Min),
                          OPMUX_E2(double, MAX, Max),
                          {OPMUX_FN_FMA, {map3<double, Fma>}},
                          {OPMUX_FN_CLAMP, {map3<double, Clamp>}}};

}  // namespace

TileTable float_tiles(Lane lane) {
  if (lane == Lane::kF32) return {kRareF32, sizeof kRareF32 / sizeof kRareF32[0]};
  return {kF64, sizeof kF64 / sizeof kF64[0]};
}

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
HWY_EXPORT(float_tiles);
TileTable float_tiles(Lane lane) { return HWY_DYNAMIC_DISPATCH(float_tiles)(lane); }
}  // namespace opmux::cpu
#endif
