// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/gemm.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/gemm.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>  // NOLINT: before highway.h
#include <hwy/highway.h>

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

template <class T>
HWY_INLINE Vec<T> mul_add(Vec<T> a, Vec<T> b, Vec<T> c) {
  if constexpr (hwy::IsFloat<T>()) {
    return hn::MulAdd(a, b, c);
  } else {
    return hn::Add(hn::Mul(a, b), c);
  }
}

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
  HWY_INLINE void fma(Vec<T> x, const Cols& b) {
    v = mul_add<T>(x, b.v, v);
    rest.fma(x, b.rest);
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
  HWY_INLINE void fma(Vec<T>, const Cols&) {}
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
  HWY_INLINE void fma(const T* a, const Cols<T, NV>& b) {
    rest.fma(a, b);
    row.fma(hn::Set(Tag<T>(), a[R - 1]), b);
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
  HWY_INLINE void fma(const T*, const Cols<T, NV>&) {}
  template <class F>
  HWY_INLINE void each(const F&) {}
  HWY_INLINE void store(T*, int64_t) const {}
};

template <class T, int R, int NV>
HWY_INLINE void apply(Rows<T, R, NV>& acc, const GemmStep<T>& s, int64_t col) {
  const Tag<T> d;
  if (s.fn == GemmFn::kAdd) {
    if (s.cs != 0) {
      acc.each([&](Vec<T> v, int64_t r, int64_t c)
                   HWY_ATTR { return hn::Add(v, hn::LoadU(d, s.p + r * s.rs + col + c)); });
    } else {
      acc.each([&](Vec<T> v, int64_t r, int64_t) HWY_ATTR { return hn::Add(v, hn::Set(d, s.p[r * s.rs])); });
    }
  } else if (s.fn == GemmFn::kMul) {
    if (s.cs != 0) {
      acc.each([&](Vec<T> v, int64_t r, int64_t c)
                   HWY_ATTR { return hn::Mul(v, hn::LoadU(d, s.p + r * s.rs + col + c)); });
    } else {
      acc.each([&](Vec<T> v, int64_t r, int64_t) HWY_ATTR { return hn::Mul(v, hn::Set(d, s.p[r * s.rs])); });
    }
  } else if (s.fn == GemmFn::kRelu) {
    const Vec<T> zero = hn::Zero(d);  // by comparison, so that NaN stays NaN
    acc.each([&](Vec<T> v, int64_t, int64_t) HWY_ATTR { return hn::IfThenElse(hn::Lt(v, zero), zero, v); });
  } else {
    const Vec<T> lo = hn::Set(d, s.lo), hi = hn::Set(d, s.hi);
    acc.each([&](Vec<T> v, int64_t, int64_t) HWY_ATTR {
      v = hn::IfThenElse(hn::Lt(v, lo), lo, v);
      return hn::IfThenElse(hn::Gt(v, hi), hi, v);
    });
  }
}

template <class T>
HWY_INLINE T apply_one(T v, const GemmStep<T>& s, int64_t r, int64_t c) {
  switch (s.fn) {
    case GemmFn::kAdd:
      return v + s.p[r * s.rs + c * s.cs];
    case GemmFn::kMul:
      return v * s.p[r * s.rs + c * s.cs];
    case GemmFn::kRelu:
      return v < T{0} ? T{0} : v;
    case GemmFn::kClamp:
      v = v < s.lo ? s.lo : v;
      return v > s.hi ? s.hi : v;
  }
  return v;
}

// The last columns, fewer than a panel: through a buffer, since not every target has stores that stop short.
template <class T>
HWY_NOINLINE void finish_narrow(const GemmStrip<T>& s, const T* tile, int64_t ld, int64_t col, int64_t cols) {
  for (int64_t r = 0; r < s.rows; ++r) {
    T* c = s.c + r * s.ldc + col;
    const T* t = tile + r * ld;
    for (int64_t j = 0; j < cols; ++j) {
      T v = s.accumulate ? c[j] + t[j] : t[j];
      if constexpr (hwy::IsFloat<T>()) {
        for (uint32_t i = 0; i < s.n_step; ++i) v = apply_one(v, s.step[i], r, col + j);
      }
      c[j] = v;
    }
  }
}

template <class T, int R, int NV>
HWY_NOINLINE void tile(const GemmStrip<T>& s, int64_t col, const T* b) {
  const Tag<T> d;
  constexpr int64_t kWidth = NV * static_cast<int64_t>(hn::MaxLanes(Tag<T>()));
  const T* a = s.a;
  const int64_t lda = s.lda, ldb = s.ldb;
  T* c = s.c + col;
  const bool full = s.cols - col >= kWidth;
  if (s.accumulate && full) {
    for (int r = 0; r < R; ++r) hwy::Prefetch(c + r * s.ldc);
  }
  Rows<T, R, NV> acc;
  acc.zero();
  // 16 rows ahead: B comes from the second-level cache or, with few rows of A, from memory.
  for (int64_t i = 0; i < s.k; ++i) {
    Cols<T, NV> row;
    row.load(b);
    hwy::Prefetch(b + 16 * ldb);
    acc.fma(a, row);
    a += lda;
    b += ldb;
  }
  if (full) {
    if (s.accumulate) {
      acc.each([&](Vec<T> v, int64_t r, int64_t at)
                   HWY_ATTR { return hn::Add(hn::LoadU(d, c + r * s.ldc + at), v); });
    }
    if constexpr (hwy::IsFloat<T>()) {
      for (uint32_t i = 0; i < s.n_step; ++i) apply<T, R, NV>(acc, s.step[i], col);
    }
    acc.store(c, s.ldc);
  } else {
    HWY_ALIGN T buffer[R * kWidth];
    acc.store(buffer, kWidth);
    finish_narrow(s, buffer, kWidth, col, s.cols - col);
  }
}

template <class T, int R, int NV>
HWY_INLINE void narrow_tile(const GemmStrip<T>& s, int64_t col, const T* b) {
  constexpr int64_t kLanes = static_cast<int64_t>(hn::MaxLanes(Tag<T>()));
  if constexpr (NV > 1) {
    if (s.cols - col <= (NV - 1) * kLanes) return narrow_tile<T, R, NV - 1>(s, col, b);
  }
  tile<T, R, NV>(s, col, b);
}

template <class T, int R>
HWY_NOINLINE void strip_of(const GemmStrip<T>& s) {
  constexpr int64_t kWidth = kNv * static_cast<int64_t>(hn::MaxLanes(Tag<T>()));
  const T* b = s.b;
  int64_t col = 0;
  for (; col + kWidth <= s.cols; col += kWidth, b += s.b_panel) tile<T, R, kNv>(s, col, b);
  if (col < s.cols) narrow_tile<T, R, kNv>(s, col, b);
}

template <class T, int R = kMr>
HWY_INLINE void strip(const GemmStrip<T>& s) {
  if (s.rows == R) return strip_of<T, R>(s);
  if constexpr (R > 1) strip<T, R - 1>(s);
}

template <class T>
GemmKernels<T> kernels() {
  return {{kMr, kNv * static_cast<int64_t>(hn::Lanes(Tag<T>()))},
          [](const GemmStrip<T>& s) HWY_ATTR { strip<T>(s); }};
}
GemmKernels<float> kernels_f32() { return kernels<float>(); }
GemmKernels<double> kernels_f64() { return kernels<double>(); }
GemmKernels<int32_t> kernels_i32() { return kernels<int32_t>(); }

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
namespace {
HWY_EXPORT(kernels_f32);
HWY_EXPORT(kernels_f64);
HWY_EXPORT(kernels_i32);
}  // namespace

template <>
GemmKernels<float> gemm_kernels<float>() {
  return HWY_DYNAMIC_DISPATCH(kernels_f32)();
}
template <>
GemmKernels<double> gemm_kernels<double>() {
  return HWY_DYNAMIC_DISPATCH(kernels_f64)();
}
template <>
GemmKernels<int32_t> gemm_kernels<int32_t>() {
  return HWY_DYNAMIC_DISPATCH(kernels_i32)();
}

}  // namespace opmux::cpu
#endif
