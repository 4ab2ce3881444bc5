// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/rotary.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/rotary.cpp"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

template <class D>
struct Pair {
  hn::Vec<D> a, b;
};
template <class D>
HWY_INLINE Pair<D> turned(hn::Vec<D> a, hn::Vec<D> b, hn::Vec<D> c, hn::Vec<D> s) {
  return {hn::NegMulAdd(s, b, hn::Mul(c, a)), hn::MulAdd(s, a, hn::Mul(c, b))};
}

// D has one lane for the elements that do not fill a vector.
template <class D, class T>
HWY_INLINE int64_t halves(D d, T* y, const T* x, const T* c, const T* s, int64_t i, int64_t pairs) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (; i + lanes <= pairs; i += lanes) {
    const Pair<D> p =
        turned<D>(hn::LoadU(d, x + i), hn::LoadU(d, x + pairs + i), hn::LoadU(d, c + i), hn::LoadU(d, s + i));
    hn::StoreU(p.a, d, y + i);
    hn::StoreU(p.b, d, y + pairs + i);
  }
  return i;
}

template <class D, class T>
HWY_INLINE int64_t neighbours(D d, T* y, const T* x, const T* c, const T* s, int64_t i, int64_t pairs) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (; i + lanes <= pairs; i += lanes) {
    const auto angle_c = hn::LoadU(d, c + i), angle_s = hn::LoadU(d, s + i);
    // g++ 12 for 64-bit Arm does not end on interleaved access to one lane.
    if constexpr (hn::MaxLanes(D()) == 1) {
      const Pair<D> p = turned<D>(hn::LoadU(d, x + 2 * i), hn::LoadU(d, x + 2 * i + 1), angle_c, angle_s);
      hn::StoreU(p.a, d, y + 2 * i);
      hn::StoreU(p.b, d, y + 2 * i + 1);
    } else {
      hn::Vec<D> a, b;
      hn::LoadInterleaved2(d, x + 2 * i, a, b);
      const Pair<D> p = turned<D>(a, b, angle_c, angle_s);
      hn::StoreInterleaved2(p.a, p.b, d, y + 2 * i);
    }
  }
  return i;
}

template <class T, bool Interleaved>
void rotary(void* y, const void* x, const void* cosine, const void* sine, int64_t pairs) {
  auto* to = static_cast<T*>(y);
  const auto *from = static_cast<const T*>(x), *c = static_cast<const T*>(cosine),
             *s = static_cast<const T*>(sine);
  const hn::ScalableTag<T> many;
  const hn::CappedTag<T, 1> one;
  if constexpr (Interleaved)
    neighbours(one, to, from, c, s, neighbours(many, to, from, c, s, 0, pairs), pairs);
  else
    halves(one, to, from, c, s, halves(many, to, from, c, s, 0, pairs), pairs);
}

}  // namespace

RotaryFn rotary_fn(bool is_f64, bool interleaved) {
  if (is_f64) return interleaved ? rotary<double, true> : rotary<double, false>;
  return interleaved ? rotary<float, true> : rotary<float, false>;
}

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
namespace {
HWY_EXPORT(rotary_fn);
}  // namespace
RotaryFn find_rotary(Lane lane, bool interleaved) {
  return HWY_DYNAMIC_DISPATCH(rotary_fn)(lane == Lane::kF64, interleaved);
}
}  // namespace opmux::cpu
#endif
