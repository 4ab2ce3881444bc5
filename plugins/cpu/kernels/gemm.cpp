// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/gemm.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/gemm.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>  // NOLINT: before highway.h
#include <hwy/highway.h>

#include "cpu/kernels/gemm_tile-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

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

template <class T, class M, int R, int NV>
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
    acc.template fma<M>(a, row);
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

template <class T, class M, int R, int NV>
HWY_INLINE void narrow_tile(const GemmStrip<T>& s, int64_t col, const T* b) {
  constexpr int64_t kLanes = static_cast<int64_t>(hn::MaxLanes(Tag<T>()));
  if constexpr (NV > 1) {
    if (s.cols - col <= (NV - 1) * kLanes) return narrow_tile<T, M, R, NV - 1>(s, col, b);
  }
  tile<T, M, R, NV>(s, col, b);
}

template <class T, class M, int R>
HWY_NOINLINE void strip_of(const GemmStrip<T>& s) {
  constexpr int64_t kWidth = kNv * static_cast<int64_t>(hn::MaxLanes(Tag<T>()));
  const T* b = s.b;
  int64_t col = 0;
  for (; col + kWidth <= s.cols; col += kWidth, b += s.b_panel) tile<T, M, R, kNv>(s, col, b);
  if (col < s.cols) narrow_tile<T, M, R, kNv>(s, col, b);
}

template <class T, class M, int R = kMr>
HWY_INLINE void strip(const GemmStrip<T>& s) {
  if (s.rows == R) return strip_of<T, M, R>(s);
  if constexpr (R > 1) strip<T, M, R - 1>(s);
}

template <class T, class M = Product>
GemmKernels<T> kernels() {
  return {{kMr, kNv * static_cast<int64_t>(hn::Lanes(Tag<T>()))},
          [](const GemmStrip<T>& s) HWY_ATTR { strip<T, M>(s); }};
}
GemmKernels<float> kernels_f32() { return kernels<float>(); }
GemmKernels<double> kernels_f64() { return kernels<double>(); }
GemmKernels<int32_t> kernels_i32() { return kernels<int32_t>(); }
GemmKernels<int32_t> kernels_pairs() { return kernels<int32_t, PairProduct>(); }

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
namespace {
HWY_EXPORT(kernels_f32);
HWY_EXPORT(kernels_f64);
HWY_EXPORT(kernels_i32);
HWY_EXPORT(kernels_pairs);
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
GemmKernels<int32_t> gemm_pair_kernels() { return HWY_DYNAMIC_DISPATCH(kernels_pairs)(); }

}  // namespace opmux::cpu
#endif
