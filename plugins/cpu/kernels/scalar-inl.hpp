// SPDX-License-Identifier: Apache-2.0
// Plain loops over one element type, which the compiler vectorises for each target.
#if defined(OPMUX_CPU_SCALAR_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef OPMUX_CPU_SCALAR_INL_HPP
#undef OPMUX_CPU_SCALAR_INL_HPP
#else
#define OPMUX_CPU_SCALAR_INL_HPP
#endif

#include <hwy/highway.h>

#include <cstddef>

// The result may be the very memory of an operand, so the compiler's own overlap check would choose the slow
// loop.
// Where the function does not vectorise, that is no news; interleaving would triple the code for little.
#undef OPMUX_NO_DEPENDENCE
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpass-failed"
#define OPMUX_NO_DEPENDENCE _Pragma("clang loop vectorize(assume_safety) interleave(disable) unroll(disable)")
#else
#define OPMUX_NO_DEPENDENCE _Pragma("GCC ivdep")
#endif

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {

template <class T, class R, class F>
void map1(void* out, const void* a, const void*, const void*, size_t n) {
  const T* x = static_cast<const T*>(a);
  R* y = static_cast<R*>(out);
  OPMUX_NO_DEPENDENCE
  for (size_t i = 0; i < n; ++i) y[i] = F::f(x[i]);
}

template <class T, class R, class F>
void map2(void* out, const void* a, const void* b, const void*, size_t n) {
  const T *x = static_cast<const T*>(a), *z = static_cast<const T*>(b);
  R* y = static_cast<R*>(out);
  OPMUX_NO_DEPENDENCE
  for (size_t i = 0; i < n; ++i) y[i] = F::f(x[i], z[i]);
}

template <class T, class F>
void map3(void* out, const void* a, const void* b, const void* c, size_t n) {
  const T *x = static_cast<const T*>(a), *z = static_cast<const T*>(b), *w = static_cast<const T*>(c);
  T* y = static_cast<T*>(out);
  OPMUX_NO_DEPENDENCE
  for (size_t i = 0; i < n; ++i) y[i] = F::f(x[i], z[i], w[i]);
}

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
