// SPDX-License-Identifier: Apache-2.0
// Register tiles of the matrix kernels.
#if defined(OPMUX_CPU_GEMM_TILE_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef OPMUX_CPU_GEMM_TILE_INL_HPP
#undef OPMUX_CPU_GEMM_TILE_INL_HPP
#else
#define OPMUX_CPU_GEMM_TILE_INL_HPP
#endif

#include <hwy/highway.h>

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Accumulators fill the register file but for the operands: 28 of 32 zmm, 12 of 16 ymm or xmm, 24 of 32 on
// NEON.
#if HWY_TARGET <= HWY_AVX3
constexpr int kMr = 14, kNv = 2;
#elif HWY_TARGET == HWY_NEON
constexpr int kMr = 8, kNv = 3;
#else
constexpr int kMr = 6, kNv = 2;
#endif

template <class T>
using Tag = hn::ScalableTag<T>;
template <class T>
using Vec = hn::Vec<Tag<T>>;

// How an element of A meets one of B. Sum: acc + a b.
struct Product {
  template <class T>
  static HWY_INLINE Vec<T> add(Vec<T> a, Vec<T> b, Vec<T> acc) {
    if constexpr (hwy::IsFloat<T>()) {
      return hn::MulAdd(a, b, acc);
    } else {
      return hn::Add(hn::Mul(a, b), acc);
    }
  }
};
// Elements are pairs of i16, low half first: acc + a0 b0 + a1 b1.
struct PairProduct {
  template <class T>
  static HWY_INLINE Vec<T> add(Vec<T> a, Vec<T> b, Vec<T> acc) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128 && HWY_TARGET != HWY_SCALAR
    const hn::Repartition<int16_t, Tag<T>> d16;
    Vec<T> unused = hn::Zero(Tag<T>());
    return hn::ReorderWidenMulAccumulate(Tag<T>(), hn::BitCast(d16, a), hn::BitCast(d16, b), acc, unused);
#else
    const Vec<T> low =
        hn::Mul(hn::ShiftRight<16>(hn::ShiftLeft<16>(a)), hn::ShiftRight<16>(hn::ShiftLeft<16>(b)));
    return hn::Add(acc, hn::Add(low, hn::Mul(hn::ShiftRight<16>(a), hn::ShiftRight<16>(b))));
#endif
  }
};

// NV vectors side by side. Nested structures instead of arrays, because g++ keeps members in registers, not
// elements.
template <class T, int NV>
struct Cols {
  Vec<T> v;
  Cols<T, NV - 1> rest;

  HWY_INLINE Cols() {}  // an implicit one would lack the target's attribute
  HWY_INLINE void zero() {
    v = hn::Zero(Tag<T>());
    rest.zero();
  }
  HWY_INLINE void load(const T* p) {
    v = hn::LoadU(Tag<T>(), p);
    rest.load(p + hn::Lanes(Tag<T>()));
  }
  HWY_INLINE void store(T* p) const {
    hn::StoreU(v, Tag<T>(), p);
    rest.store(p + hn::Lanes(Tag<T>()));
  }
  template <class M = Product>
  HWY_INLINE void fma(Vec<T> x, const Cols& b) {
    v = M::template add<T>(x, b.v, v);
    rest.template fma<M>(x, b.rest);
  }
  HWY_INLINE void sub(const Cols& b) {
    v = hn::Sub(v, b.v);
    rest.sub(b.rest);
  }
  HWY_INLINE void add(const Cols& b) {
    v = hn::Add(v, b.v);
    rest.add(b.rest);
  }
  HWY_INLINE void mul(const Cols& b) {
    v = hn::Mul(v, b.v);
    rest.mul(b.rest);
  }
  // a b added
  HWY_INLINE void add_product(const Cols& a, const Cols& b) {
    v = hn::MulAdd(a.v, b.v, v);
    rest.add_product(a.rest, b.rest);
  }
  template <class F>
  HWY_INLINE void each(const F& f, int64_t at) {
    v = f(v, at);
    rest.each(f, at + static_cast<int64_t>(hn::Lanes(Tag<T>())));
  }
};
template <class T>
struct Cols<T, 0> {
  HWY_INLINE void zero() {}
  HWY_INLINE void load(const T*) {}
  HWY_INLINE void store(T*) const {}
  template <class M = Product>
  HWY_INLINE void fma(Vec<T>, const Cols&) {}
  HWY_INLINE void sub(const Cols&) {}
  HWY_INLINE void add(const Cols&) {}
  HWY_INLINE void mul(const Cols&) {}
  HWY_INLINE void add_product(const Cols&, const Cols&) {}
  template <class F>
  HWY_INLINE void each(const F&, int64_t) {}
};

// R rows of NV vectors; member `row` is row R - 1.
template <class T, int R, int NV>
struct Rows {
  Cols<T, NV> row;
  Rows<T, R - 1, NV> rest;

  HWY_INLINE Rows() {}
  HWY_INLINE void zero() {
    row.zero();
    rest.zero();
  }
  template <class M = Product>
  HWY_INLINE void fma(const T* a, const Cols<T, NV>& b) {
    rest.template fma<M>(a, b);
    row.template fma<M>(hn::Set(Tag<T>(), a[R - 1]), b);
  }
  HWY_INLINE void add(const Rows& o) {
    rest.add(o.rest);
    row.add(o.row);
  }
  // o times the same factor in each row added
  HWY_INLINE void add_product(const Rows& o, const Cols<T, NV>& factor) {
    rest.add_product(o.rest, factor);
    row.add_product(o.row, factor);
  }
  // f(vector, row, column of its first lane)
  template <class F>
  HWY_INLINE void each(const F& f) {
    rest.each(f);
    row.each([&](Vec<T> v, int64_t at) HWY_ATTR { return f(v, int64_t{R - 1}, at); }, 0);
  }
  HWY_INLINE void store(T* c, int64_t ldc) const {
    rest.store(c, ldc);
    row.store(c + (R - 1) * ldc);
  }
};
template <class T, int NV>
struct Rows<T, 0, NV> {
  HWY_INLINE void zero() {}
  template <class M = Product>
  HWY_INLINE void fma(const T*, const Cols<T, NV>&) {}
  HWY_INLINE void add(const Rows&) {}
  HWY_INLINE void add_product(const Rows&, const Cols<T, NV>&) {}
  template <class F>
  HWY_INLINE void each(const F&) {}
  HWY_INLINE void store(T*, int64_t) const {}
};

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
