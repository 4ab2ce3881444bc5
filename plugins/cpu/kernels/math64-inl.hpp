// SPDX-License-Identifier: Apache-2.0
// f32 functions whose argument reduction needs more than f32: computed in f64 vectors, rounded once at the
// end.
#if defined(OPMUX_CPU_MATH64_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef OPMUX_CPU_MATH64_INL_HPP
#undef OPMUX_CPU_MATH64_INL_HPP
#else
#define OPMUX_CPU_MATH64_INL_HPP
#endif

#include <hwy/highway.h>

#include "cpu/kernels/math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// 2^t for |t| < 1000; 3e-12 relative.
template <class D>
HWY_INLINE VF<D> exp2_f64(D d, VF<D> t) {
  const hn::RebindToSigned<D> di;
  const auto n = hn::Round(t);
  const auto r = hn::Mul(hn::Sub(t, n), hn::Set(d, 0.69314718055994531));
  const auto p = poly(d, r, 1.0, 1.0, 0.5, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320,
                      1.0 / 362880);
  // The low bits of 1.5 * 2^52 + n are those of n: there is no 64-bit conversion before AVX-512.
  const auto k =
      hn::Add(hn::BitCast(di, hn::Add(n, hn::Set(d, 6755399441055744.0))), hn::Set(di, int64_t{1023}));
  return hn::Mul(p, hn::BitCast(d, hn::ShiftLeft<52>(k)));
}

// log2 of a positive normal x: x = 2^e m, log2 m = 2 / ln 2 atanh s with s = (m - 1) / (m + 1), |s| < 0.172.
template <class D>
HWY_INLINE VF<D> log2_f64(D d, VF<D> x) {
  const hn::RebindToSigned<D> di;
  const auto bits = hn::BitCast(di, x);
  const auto shifted = hn::Sub(bits, hn::Set(di, int64_t{0x3fe6a09e00000000}));  // sqrt(1/2)
  const auto high = hn::And(shifted, hn::Set(di, static_cast<int64_t>(0xfff0000000000000ull)));
  const auto m = hn::BitCast(d, hn::Sub(bits, high));
  // The exponent as a float by way of the bits of 2^52 + 1024 + e.
  const auto biased = hn::ShiftRight<52>(
      hn::BitCast(hn::RebindToUnsigned<D>(), hn::Add(high, hn::Set(di, int64_t{1} << 62))));
  const auto magic = hn::Or(biased, hn::Set(hn::RebindToUnsigned<D>(), 0x4330000000000000ull));
  const auto e = hn::Sub(hn::BitCast(d, magic), hn::Set(d, 4503599627370496.0 + 1024.0));
  const auto one = hn::Set(d, 1.0);
  const auto s = hn::Div(hn::Sub(m, one), hn::Add(m, one));
  const auto z = hn::Mul(s, s);
  const auto p = poly(d, z, 1.0, 1.0 / 3, 1.0 / 5, 1.0 / 7, 1.0 / 9, 1.0 / 11, 1.0 / 13);
  return hn::MulAdd(hn::Mul(s, hn::Set(d, 2.8853900817779268)), p, e);
}

// sin (quadrant 0) or cos (quadrant 1) for |x| <= 1e6: pi / 2 in three parts, the first two of 32 bits.
template <class D>
HWY_INLINE VF<D> sincos_f64(D d, VF<D> x, int quadrant) {
  const hn::RebindToSigned<D> di;
  const auto n = hn::Round(hn::Mul(x, hn::Set(d, 0.63661977236758134)));
  auto r = hn::NegMulAdd(n, hn::Set(d, 1.5707963267341256), x);
  r = hn::NegMulAdd(n, hn::Set(d, 6.077100506303966e-11), r);
  r = hn::NegMulAdd(n, hn::Set(d, 2.0222662487959506e-21), r);
  const auto z = hn::Mul(r, r);
  const auto s = hn::Mul(r, poly(d, z, 1.0, -1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800));
  const auto c = poly(d, z, 1.0, -0.5, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800, 1.0 / 479001600);
  const auto q =
      hn::Add(hn::BitCast(di, hn::Add(n, hn::Set(d, 6755399441055744.0))), hn::Set(di, int64_t{quadrant}));
  const auto odd = hn::RebindMask(d, hn::Ne(hn::And(q, hn::Set(di, int64_t{1})), hn::Zero(di)));
  const auto sign = hn::ShiftLeft<62>(hn::And(q, hn::Set(di, int64_t{2})));
  return hn::Xor(hn::IfThenElse(odd, c, s), hn::BitCast(d, sign));
}

// 1 - erf x for |x| <= 28: e^(-x^2) t P(t) with t = 1 / (1 + |x| / sqrt 8) , relative error of P 3e-10.
template <class D>
HWY_INLINE VF<D> erfc_f64(D d, VF<D> x) {
  const auto one = hn::Set(d, 1.0);
  const auto a = hn::Abs(x);
  const auto t = hn::Div(one, hn::MulAdd(a, hn::Set(d, 0.35355339059327379), one));
  const auto p =
      hn::Mul(t, poly(d, t, 0.199467841, 0.199554226, 0.186093035, 0.167764813, 0.104821936, 0.14118176,
                      -0.0325730836, 0.0570267277, 0.0568713323, -0.151928435, 0.0889747661, -0.0172549189));
  const auto e = exp2_f64(d, hn::Mul(hn::Mul(a, a), hn::Set(d, -1.4426950408889634)));
  const auto q = hn::Mul(p, e);
  return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Sub(hn::Set(d, 2.0), q), q);
}

// 2 sqrt(2 / pi) (x + 0.044715 x^3) as f64.
template <class D>
HWY_INLINE VF<D> gelu_tanh_argument(D d, VF<D> x) {
  const auto z = hn::Mul(x, x);
  return hn::Mul(x, hn::MulAdd(z, hn::Set(d, 0.07135481627260025), hn::Set(d, 1.5957691216057308)));
}

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
