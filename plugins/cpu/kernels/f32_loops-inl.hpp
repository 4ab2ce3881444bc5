// SPDX-License-Identifier: Apache-2.0
// Loops over f32 tiles and the macros that list functions for them.
#if defined(OPMUX_CPU_F32_LOOPS_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef OPMUX_CPU_F32_LOOPS_INL_HPP
#undef OPMUX_CPU_F32_LOOPS_INL_HPP
#else
#define OPMUX_CPU_F32_LOOPS_INL_HPP
#endif

#include <hwy/highway.h>

#include <cstring>

#include "cpu/kernels/math-inl.hpp"
#include "cpu/kernels/tile_tables.hpp"

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A vector's worth of elements at p: n of them when fewer are left, the rest 1 (any value that no function
// minds).
template <class D>
HWY_INLINE VF<D> load_part(D d, const float* p, size_t n) {
  HWY_ALIGN float b[hn::MaxLanes(D())];
  hn::Store(hn::Set(d, 1.0f), d, b);
  std::memcpy(b, p, n * sizeof(float));
  return hn::Load(d, b);
}
template <class D>
HWY_INLINE void store_part(D d, VF<D> v, float* p, size_t n) {
  HWY_ALIGN float b[hn::MaxLanes(D())];
  hn::Store(v, d, b);
  std::memcpy(p, b, n * sizeof(float));
}

// One copy of F, or the compiler would build each function several times over for every target.
template <class F>
void unary(void* out, const void* a, const void*, const void*, size_t n) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  const auto* x = static_cast<const float*>(a);
  auto* y = static_cast<float*>(out);
  for (size_t i = 0; i < n; i += lanes) {
    const bool whole = n - i >= lanes;
    const auto v = F()(d, whole ? hn::LoadU(d, x + i) : load_part(d, x + i, n - i));
    if (HWY_LIKELY(whole)) {
      hn::StoreU(v, d, y + i);
    } else {
      store_part(d, v, y + i, n - i);
    }
  }
}

template <class F, unsigned kMask>
void binary(void* out, const void* a, const void* b, const void*, size_t n) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  const auto *x = static_cast<const float*>(a), *w = static_cast<const float*>(b);
  auto* y = static_cast<float*>(out);
  const auto x0 = hn::Set(d, *x), w0 = hn::Set(d, *w);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto u = kMask & kUniformA ? x0 : hn::LoadU(d, x + i);
    const auto v = kMask & kUniformB ? w0 : hn::LoadU(d, w + i);
    hn::StoreU(F()(d, u, v), d, y + i);
  }
  if (i == n) return;
  const auto u = kMask & kUniformA ? x0 : load_part(d, x + i, n - i);
  const auto v = kMask & kUniformB ? w0 : load_part(d, w + i, n - i);
  store_part(d, F()(d, u, v), y + i, n - i);
}

template <class F, unsigned kMask>
void ternary(void* out, const void* a, const void* b, const void* c, size_t n) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  const auto *x = static_cast<const float*>(a), *w = static_cast<const float*>(b),
             *t = static_cast<const float*>(c);
  auto* y = static_cast<float*>(out);
  const auto x0 = hn::Set(d, *x), w0 = hn::Set(d, *w), t0 = hn::Set(d, *t);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto u = kMask & kUniformA ? x0 : hn::LoadU(d, x + i);
    const auto v = kMask & kUniformB ? w0 : hn::LoadU(d, w + i);
    const auto s = kMask & kUniformC ? t0 : hn::LoadU(d, t + i);
    hn::StoreU(F()(d, u, v, s), d, y + i);
  }
  if (i == n) return;
  const auto u = kMask & kUniformA ? x0 : load_part(d, x + i, n - i);
  const auto v = kMask & kUniformB ? w0 : load_part(d, w + i, n - i);
  const auto s = kMask & kUniformC ? t0 : load_part(d, t + i, n - i);
  store_part(d, F()(d, u, v, s), y + i, n - i);
}

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#ifndef OPMUX_F32_1
#define OPMUX_F32_1(Name, expression)                 \
  struct Name {                                       \
    template <class D>                                \
    HWY_INLINE VF<D> operator()(D d, VF<D> x) const { \
      (void)d;                                        \
      return expression;                              \
    }                                                 \
  };
#define OPMUX_F32_2(Name, expression)                          \
  struct Name {                                                \
    template <class D>                                         \
    HWY_INLINE VF<D> operator()(D d, VF<D> x, VF<D> y) const { \
      (void)d;                                                 \
      return expression;                                       \
    }                                                          \
  };

#define OPMUX_UNARY(FN, Name) \
  {                           \
    FN, { unary<Name> }       \
  }
#define OPMUX_BINARY(FN, Name)                                \
  {                                                           \
    FN, { binary<Name, 0>, binary<Name, 1>, binary<Name, 2> } \
  }
#define OPMUX_TERNARY(FN, Name)                                                                 \
  {                                                                                             \
    FN, {                                                                                       \
      ternary<Name, 0>, ternary<Name, 1>, ternary<Name, 2>, ternary<Name, 3>, ternary<Name, 4>, \
          ternary<Name, 5>, ternary<Name, 6>                                                    \
    }                                                                                           \
  }
#endif
#endif
