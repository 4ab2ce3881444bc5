// SPDX-License-Identifier: Apache-2.0
// f32 functions over vectors, at most 4 ulp from the exact value (most are below 2), subnormal results
// included. NaN in gives NaN out. Polynomials are minimax fits (Lawson's iteration over Chebyshev points,
// 40-digit target) made for this file; the fitted form and its error stand beside each. Reductions hold
// without FMA as well.
#if defined(OPMUX_CPU_MATH_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef OPMUX_CPU_MATH_INL_HPP
#undef OPMUX_CPU_MATH_INL_HPP
#else
#define OPMUX_CPU_MATH_INL_HPP
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D>
using VF = hn::Vec<D>;

// Polynomial by Horner, lowest coefficient first.
template <class D, class V>
HWY_INLINE V poly(D d, V, double c) {
  return hn::Set(d, static_cast<hn::TFromD<D>>(c));
}
template <class D, class V, class... C>
HWY_INLINE V poly(D d, V x, double c, C... rest) {
  return hn::MulAdd(poly(d, x, rest...), x, hn::Set(d, static_cast<hn::TFromD<D>>(c)));
}

// 2^n for integral n of [-126, 127] held as float.
template <class D>
HWY_INLINE VF<D> pow2(D d, VF<D> n) {
  const hn::RebindToSigned<D> di;
  const auto i = hn::ConvertTo(di, n);
  return hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(i, hn::Set(di, 127))));
}

// p * 2^n for integral n of [-252, 254]: in two steps, so that subnormal results round once.
template <class D>
HWY_INLINE VF<D> scale2(D d, VF<D> p, VF<D> n) {
  const auto half = hn::Floor(hn::Mul(n, hn::Set(d, 0.5f)));
  return hn::Mul(hn::Mul(p, pow2(d, half)), pow2(d, hn::Sub(n, half)));
}

// e^r - 1 for |r| <= ln2 / 2: r + r^2 P(r), error of P 3e-9 relative to e^r.
template <class D>
HWY_INLINE VF<D> expm1_reduced(D d, VF<D> r) {
  const auto p = poly(d, r, 0.50000001, 0.166665183, 0.0416662042, 0.00836895371, 0.00139506003);
  return hn::MulAdd(hn::Mul(r, r), p, r);
}

// x = n ln2 + r; Cody and Waite with an 11-bit head, so that n * head is exact.
template <class D>
HWY_INLINE VF<D> reduce_ln2(D d, VF<D> x, VF<D> n) {
  const auto r = hn::NegMulAdd(n, hn::Set(d, 0.693359375f), x);
  return hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4f), r);
}

// Keeps NaN.
template <class D>
HWY_INLINE VF<D> clamp_keep_nan(D d, VF<D> x, float lo, float hi) {
  const auto l = hn::Set(d, lo), h = hn::Set(d, hi);
  x = hn::IfThenElse(hn::Lt(x, l), l, x);
  return hn::IfThenElse(hn::Gt(x, h), h, x);
}

// q and n with e^(x + low) = (1 + q) 2^n, |low| small beside 1: callers that multiply do so before scale2,
// which may round to a subnormal number.
template <class D>
HWY_INLINE VF<D> exp_parts(D d, VF<D> x, VF<D> low, VF<D>& n) {
  x = clamp_keep_nan(d, x, -150.0f, 130.0f);
  n = hn::Round(hn::Mul(x, hn::Set(d, 1.44269504f)));
  const auto r = hn::NegMulAdd(n, hn::Set(d, 0.693359375f), x);
  return expm1_reduced(d, hn::Add(r, hn::MulAdd(n, hn::Set(d, 2.12194440e-4f), low)));
}

template <class D>
HWY_INLINE VF<D> exp(D d, VF<D> x) {
  x = clamp_keep_nan(d, x, -150.0f, 130.0f);
  const auto n = hn::Round(hn::Mul(x, hn::Set(d, 1.44269504f)));
  return scale2(d, hn::Add(expm1_reduced(d, reduce_ln2(d, x, n)), hn::Set(d, 1.0f)), n);
}

// exp for x <= 88 where results below the least normal number may be 0: softmax, attention.
template <class D>
HWY_INLINE VF<D> exp_flush(D d, VF<D> x) {
  const auto n = hn::Round(hn::Mul(x, hn::Set(d, 1.44269504f)));
  const auto p = hn::Add(expm1_reduced(d, reduce_ln2(d, x, n)), hn::Set(d, 1.0f));
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -87.0f)), hn::Mul(p, pow2(d, n)));
}

template <class D>
HWY_INLINE VF<D> exp2(D d, VF<D> x) {
  x = clamp_keep_nan(d, x, -200.0f, 200.0f);
  const auto n = hn::Round(x);
  const auto r = hn::Mul(hn::Sub(x, n), hn::Set(d, 0.693147182f));
  return scale2(d, hn::Add(expm1_reduced(d, r), hn::Set(d, 1.0f)), n);
}

template <class D>
HWY_INLINE VF<D> expm1(D d, VF<D> x) {
  const auto c = clamp_keep_nan(d, x, -30.0f, 89.0f);
  const auto n = hn::Round(hn::Mul(c, hn::Set(d, 1.44269504f)));
  const auto q = expm1_reduced(d, reduce_ln2(d, c, n));
  // Half of the result first: 2^128 is no float, but results with n = 128 are.
  const auto s = pow2(d, hn::Sub(n, hn::Set(d, 1.0f)));
  const auto y = hn::MulAdd(s, q, hn::Sub(s, hn::Set(d, 0.5f)));
  const auto small = hn::Lt(hn::Abs(x), hn::Set(d, 1e-5f));  // keeps -0 and subnormal numbers
  return hn::IfThenElse(small, hn::MulAdd(hn::Mul(x, x), hn::Set(d, 0.5f), x), hn::Add(y, y));
}

// log of x = 2^e (1 + f), sqrt(1/2) <= 1 + f < sqrt(2); f - f^2/2 + f^3 P(f), error 6e-9.
template <class D>
HWY_INLINE VF<D> log_parts(D d, VF<D> x, VF<D>& e) {
  const hn::RebindToSigned<D> di;
  const auto tiny = hn::Lt(x, hn::Set(d, 1.17549435e-38f));
  x = hn::IfThenElse(tiny, hn::Mul(x, hn::Set(d, 16777216.0f)), x);
  const auto bits = hn::BitCast(di, x);
  const auto k = hn::ShiftRight<23>(hn::Sub(bits, hn::Set(di, 0x3f3504f3)));
  const auto m = hn::BitCast(d, hn::Sub(bits, hn::ShiftLeft<23>(k)));
  e = hn::Add(hn::ConvertTo(d, k), hn::IfThenElseZero(tiny, hn::Set(d, -24.0f)));
  return hn::Sub(m, hn::Set(d, 1.0f));
}

template <class D>
HWY_INLINE VF<D> log_special(D d, VF<D> x, VF<D> y) {
  const auto inf = hn::Inf(d);
  y = hn::IfThenElse(hn::Eq(x, inf), inf, y);
  y = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Neg(inf), y);
  return hn::IfThenElse(hn::Or(hn::Lt(x, hn::Zero(d)), hn::IsNaN(x)), hn::NaN(d), y);
}

template <class D>
HWY_INLINE VF<D> log_tail(D d, VF<D> f) {  // log(1 + f) - f
  const auto z = hn::Mul(f, f);
  const auto p = poly(d, f, 0.333333126, -0.250000096, 0.200021187, -0.166679956, 0.142195506, -0.12405592,
                      0.118881776, -0.116756388, 0.0674659193);
  return hn::MulAdd(hn::Mul(z, f), p, hn::Mul(z, hn::Set(d, -0.5f)));
}

// log for finite positive x.
template <class D>
HWY_INLINE VF<D> log_finite(D d, VF<D> x) {
  VF<D> e;
  const auto f = log_parts(d, x, e);
  const auto y = hn::MulAdd(e, hn::Set(d, -2.12194440e-4f), log_tail(d, f));
  return hn::MulAdd(e, hn::Set(d, 0.693359375f), hn::Add(f, y));
}

template <class D>
HWY_INLINE VF<D> log(D d, VF<D> x) {
  return log_special(d, x, log_finite(d, x));
}

template <class D>
HWY_INLINE VF<D> log2(D d, VF<D> x) {
  VF<D> e;
  const auto f = log_parts(d, x, e);
  // log2(e) = 1.4375 + 5.19504e-3: the head has 6 bits, so that the product with a short f stays exact
  // enough.
  const auto t = log_tail(d, f);
  const auto low = hn::Mul(hn::Add(f, t), hn::Set(d, 5.19504089e-3f));
  const auto y = hn::MulAdd(t, hn::Set(d, 1.4375f), hn::MulAdd(f, hn::Set(d, 1.4375f), low));
  return log_special(d, x, hn::Add(e, y));
}

// log(1 + x): log(u) + (x - (u - 1)) / u for u = 1 + x rounded.
template <class D>
HWY_INLINE VF<D> log1p(D d, VF<D> x) {
  const auto one = hn::Set(d, 1.0f);
  const auto u = hn::Add(one, x);
  const auto big = hn::Gt(x, one);
  const auto lost = hn::IfThenElse(big, hn::Sub(one, hn::Sub(u, x)), hn::Sub(x, hn::Sub(u, one)));
  const auto y = hn::Add(log(d, u), hn::Div(lost, u));
  const auto plain = hn::Or(hn::Eq(u, hn::Zero(d)), hn::Eq(u, hn::Inf(d)));
  const auto z = hn::IfThenElse(plain, log(d, u), y);
  return hn::IfThenElse(hn::Lt(hn::Abs(x), hn::Set(d, 1e-6f)),
                        hn::NegMulAdd(hn::Mul(x, x), hn::Set(d, 0.5f), x), z);
}

template <class D>
HWY_INLINE VF<D> tanh(D d, VF<D> x) {
  const auto e = expm1(d, hn::Mul(hn::Abs(x), hn::Set(d, -2.0f)));
  const auto t = hn::Div(hn::Neg(e), hn::Add(e, hn::Set(d, 2.0f)));
  return hn::CopySign(t, x);
}

// 1 / (1 + e^-u) times x, for u of the sign of x, given as -|u| = high + low. On the side where 1 - p would
// lose the relative accuracy it is e^-|u| / (1 + e^-|u|). x = -infinity gives NaN, as the formula does.
template <class D>
HWY_INLINE VF<D> gated(D d, VF<D> x, VF<D> high, VF<D> low) {
  VF<D> n;
  const auto r = exp_parts(d, high, low, n);
  const auto one = hn::Set(d, 1.0f);
  const auto p = hn::Add(one, r);
  const auto q = hn::Div(one, hn::Add(one, scale2(d, p, n)));
  const auto below = scale2(d, hn::Mul(hn::Mul(hn::Max(x, hn::Set(d, -200.0f)), q), p), n);
  const auto y = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), below, hn::Mul(x, q));
  return hn::IfThenElse(hn::Eq(x, hn::Neg(hn::Inf(d))), hn::NaN(d), y);
}

template <class D>
HWY_INLINE VF<D> sigmoid(D d, VF<D> x) {
  const auto one = hn::Set(d, 1.0f);
  const auto e = exp(d, hn::Neg(hn::Abs(x)));
  const auto q = hn::Div(one, hn::Add(one, e));
  return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Mul(e, q), q);
}

template <class D>
HWY_INLINE VF<D> silu(D d, VF<D> x) {
  return gated(d, x, hn::Neg(hn::Abs(x)), hn::Zero(d));
}

// log(1 + e^x) = max(x, 0) + log1p(e^-|x|).
template <class D>
HWY_INLINE VF<D> softplus(D d, VF<D> x) {
  const auto e = exp(d, hn::Neg(hn::Abs(x)));
  return hn::Add(hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x), log1p(d, e));
}

// x tanh(log(1 + e^x)) = x n / (n + 2) with n = e^x (e^x + 2); e^x is held below e^40, and below -20 it is x
// e^x.
template <class D>
HWY_INLINE VF<D> mish(D d, VF<D> x) {
  const auto two = hn::Set(d, 2.0f);
  VF<D> k;
  const auto c = hn::IfThenElse(hn::Gt(x, hn::Set(d, 40.0f)), hn::Set(d, 40.0f), x);
  const auto p = hn::Add(exp_parts(d, c, hn::Zero(d), k), hn::Set(d, 1.0f));
  const auto e = scale2(d, p, k);
  const auto n = hn::Mul(e, hn::Add(e, two));
  const auto y = hn::Mul(x, hn::Div(n, hn::Add(n, two)));
  const auto far = scale2(d, hn::Mul(hn::Max(x, hn::Set(d, -200.0f)), p), k);
  const auto z = hn::IfThenElse(hn::Lt(x, hn::Set(d, -20.0f)), far, y);
  return hn::IfThenElse(hn::Eq(x, hn::Neg(hn::Inf(d))), hn::NaN(d), z);
}

// -x^2 scale as a sum of two floats, the first exact (12 bits squared).
template <class D>
HWY_INLINE VF<D> neg_square(D d, VF<D> x, float scale, VF<D>& low) {
  const hn::RebindToUnsigned<D> du;
  const auto head = hn::BitCast(d, hn::And(hn::BitCast(du, x), hn::Set(du, 0xfffff000u)));
  const auto k = hn::Set(d, -scale);
  low = hn::Mul(hn::Mul(hn::Sub(x, head), hn::Add(x, head)), k);
  return hn::Mul(hn::Mul(head, head), k);
}

// |x| Phi(-|x|) = (1 + q) f 2^n for a = |x| <= 14.5: phi(a) a / (a + K(a)), where a + K is the inverse of
// Mills' ratio and K a rational function, error 7e-9 for a > 0.7: its own rounding errors and those of D
// count only by the share of K in the sum.
template <class D>
HWY_INLINE VF<D> gelu_tail(D d, VF<D> a, VF<D>& q, VF<D>& n) {
  VF<D> low;
  const auto high = neg_square(d, a, 0.5f, low);
  n = hn::Round(hn::Mul(high, hn::Set(d, 1.44269504f)));
  const auto r = hn::NegMulAdd(n, hn::Set(d, 0.693359375f), high);
  q = expm1_reduced(d, hn::Add(r, hn::MulAdd(n, hn::Set(d, 2.12194440e-4f), low)));
  const auto m = hn::Mul(a, poly(d, a, 1.0, 1.00712073, 0.474483183, 0.12095999, 0.0154359991));
  const auto k = poly(d, a, 0.797849449, 0.440383528, 0.121139297, 0.015431805);
  return hn::Mul(hn::Div(m, hn::Add(m, k)), hn::Set(d, 0.398942280f));
}

// x Phi(x); NaN at -infinity, as x (1 + erf(x / sqrt 2)) / 2 is. |x| < 0.85: x (1/2 + x P(x^2)), error 5e-9.
template <class D>
HWY_INLINE VF<D> gelu(D d, VF<D> x) {
  const auto zero = hn::Zero(d);
  const auto size = hn::Abs(x);
  const auto z = hn::Mul(x, x);
  const auto e = poly(d, z, 0.398942255, -0.0664897574, 0.00996913067, -0.00117407168, 9.75206175e-05);
  const auto middle = hn::Mul(x, hn::MulAdd(x, e, hn::Set(d, 0.5f)));
  const auto near = hn::Lt(size, hn::Set(d, 0.85f));
  VF<D> q, n;
  if (HWY_LIKELY(
          hn::AllTrue(d, hn::Gt(x, hn::Set(d, -12.5f))))) {  // the tail is a normal number, and x no NaN
    const auto f = gelu_tail(d, hn::Min(size, hn::Set(d, 12.5f)), q, n);
    const auto y = hn::Mul(hn::MulAdd(f, q, f), pow2(d, n));
    return hn::IfThenElse(near, middle, hn::Sub(hn::Max(x, zero), y));
  }
  const auto f = gelu_tail(d, clamp_keep_nan(d, size, 0.0f, 14.5f), q, n);
  const auto y = scale2(d, hn::MulAdd(f, q, f), n);
  const auto far = hn::IfThenElse(hn::Lt(x, zero), hn::Neg(y), hn::Sub(x, y));
  return hn::IfThenElse(hn::Eq(x, hn::Neg(hn::Inf(d))), hn::NaN(d), hn::IfThenElse(near, middle, far));
}

// |x| < 0.9: x P(x^2), error 1.2e-9; beyond: 1 - e^P(|x|), error 7e-11, 1 from 4 on.
template <class D>
HWY_INLINE VF<D> erf(D d, VF<D> x) {
  const auto a = hn::Abs(x);
  const auto z = hn::Mul(x, x);
  const auto small = hn::Mul(x, poly(d, z, 1.12837917, -0.376126258, 0.112835851, -0.0268538118,
                                     0.00518832743, -0.00080101914, 7.85385401e-05));
  const auto c = hn::IfThenElse(hn::Gt(a, hn::Set(d, 4.0f)), hn::Set(d, 4.0f), a);
  const auto p = poly(d, c, 0.000151409994, -1.12940001, -0.633585039, -0.108011857, 0.0249421938,
                      -0.00410241464, 0.000420038055, -1.9827175e-05);
  const auto big = hn::CopySign(hn::Sub(hn::Set(d, 1.0f), exp_flush(d, p)), x);
  return hn::IfThenElse(hn::Gt(a, hn::Set(d, 0.9f)), big, small);
}

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
