// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/depthwise.hpp"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/depthwise.cpp"
#include <hwy/foreach_target.h>  // NOLINT: before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr int64_t kLanes = static_cast<int64_t>(hn::MaxLanes(D()));

HWY_INLINE V apply(const GemmStep<float>& s, V v, int64_t at) {
  const D d;
  switch (s.fn) {
    case GemmFn::kAdd:
      return hn::Add(v, s.cs != 0 ? hn::LoadU(d, s.p + at) : hn::Set(d, *s.p));
    case GemmFn::kMul:
      return hn::Mul(v, s.cs != 0 ? hn::LoadU(d, s.p + at) : hn::Set(d, *s.p));
    case GemmFn::kRelu:
      return hn::IfThenElse(hn::Lt(v, hn::Zero(d)), hn::Zero(d), v);
    case GemmFn::kClamp:
      break;
  }
  const V lo = hn::Set(d, s.lo), hi = hn::Set(d, s.hi);
  v = hn::IfThenElse(hn::Lt(v, lo), lo, v);
  return hn::IfThenElse(hn::Gt(v, hi), hi, v);
}

// cols >= kLanes, so that a whole vector ends where the row does.
HWY_INLINE void finish(const DepthwisePlane& p, V v, int64_t row, int64_t col) {
  for (uint32_t i = 0; i < p.n_step; ++i) v = apply(p.step[i], v, row * p.cols + col);
  hn::StoreU(v, D(), p.out + row * p.ldo + col);
}

// Columns kw, kw + 1, ... of one input row for the outputs at x; K taps without dilation.
template <int K, int SW>
HWY_INLINE void load_taps(const float* x, V* v) {
  const D d;
  if constexpr (SW == 1) {
    for (int k = 0; k < K; ++k) v[k] = hn::LoadU(d, x + k);
  } else {
    for (int k = 0; k < K; k += 2) {
      V odd;
      hn::LoadInterleaved2(d, x + k, v[k], odd);
      if (k + 1 < K) v[k + 1] = odd;
    }
  }
}

// R output rows at once, so that an input row is loaded once for all of them.
template <int K, int S, int R>
HWY_INLINE void block(const DepthwisePlane& p, int64_t row, int64_t col) {
  const D d;
  V acc[R];
  for (int r = 0; r < R; ++r) acc[r] = hn::Zero(d);
  const float* x = p.x + row * S * p.ldx + col * S;
  HWY_UNROLL(16)
  for (int i = 0; i < (R - 1) * S + K; ++i) {
    V v[K];
    load_taps<K, S>(x + i * p.ldx, v);
    HWY_UNROLL(16)
    for (int r = 0; r < R; ++r) {
      const int kh = i - r * S;
      if (kh < 0 || kh >= K) continue;
      HWY_UNROLL(16)
      for (int kw = 0; kw < K; ++kw) acc[r] = hn::MulAdd(v[kw], hn::Set(d, p.w[kh * K + kw]), acc[r]);
    }
  }
  for (int r = 0; r < R; ++r) finish(p, acc[r], row + r, col);
}

template <int K, int S, int R>
HWY_INLINE void rows_of(const DepthwisePlane& p, int64_t row) {
  int64_t col = 0;
  for (; col + kLanes <= p.cols; col += kLanes) block<K, S, R>(p, row, col);
  if (col < p.cols) block<K, S, R>(p, row, p.cols - kLanes);  // again some of the columns before
}

template <int K, int S>
HWY_NOINLINE void fixed(const DepthwisePlane& p) {
  int64_t row = 0;
  for (; row + 4 <= p.rows; row += 4) rows_of<K, S, 4>(p, row);
  for (; row < p.rows; ++row) rows_of<K, S, 1>(p, row);
}

HWY_INLINE V general_at(const DepthwisePlane& p, int64_t row, int64_t col) {
  const D d;
  V acc = hn::Zero(d);
  const float* x = p.x + row * p.stride_h * p.ldx + col * p.stride_w;
  for (int64_t kh = 0; kh < p.kernel_h; ++kh) {
    for (int64_t kw = 0; kw < p.kernel_w; ++kw) {
      const float* from = x + kh * p.dilation_h * p.ldx + kw * p.dilation_w;
      V v = hn::Zero(d);
      if (p.stride_w == 1) {
        v = hn::LoadU(d, from);
      } else if (p.stride_w == 2) {
        V odd;
        hn::LoadInterleaved2(d, from, v, odd);
      } else {
        HWY_ALIGN float lane[hn::MaxLanes(D())];
        const int64_t n = std::min(kLanes, p.cols - col);
        for (int64_t i = 0; i < kLanes; ++i) lane[i] = i < n ? from[i * p.stride_w] : 0.0f;
        v = hn::Load(d, lane);
      }
      acc = hn::MulAdd(v, hn::Set(d, p.w[kh * p.kernel_w + kw]), acc);
    }
  }
  return acc;
}

HWY_NOINLINE void general(const DepthwisePlane& p) {
  for (int64_t row = 0; row < p.rows; ++row) {
    int64_t col = 0;
    for (; col + kLanes <= p.cols; col += kLanes) finish(p, general_at(p, row, col), row, col);
    if (col < p.cols) finish(p, general_at(p, row, p.cols - kLanes), row, p.cols - kLanes);
  }
}

// Rows shorter than a vector: the steps one by one.
HWY_NOINLINE void narrow(const DepthwisePlane& p) {
  for (int64_t row = 0; row < p.rows; ++row) {
    HWY_ALIGN float lane[hn::MaxLanes(D())];
    hn::Store(general_at(p, row, 0), D(), lane);
    for (int64_t o = 0; o < p.cols; ++o) {
      float v = lane[o];
      for (uint32_t i = 0; i < p.n_step; ++i) {
        const GemmStep<float>& s = p.step[i];
        switch (s.fn) {
          case GemmFn::kAdd:
            v += s.p[(row * p.cols + o) * s.cs];
            break;
          case GemmFn::kMul:
            v *= s.p[(row * p.cols + o) * s.cs];
            break;
          case GemmFn::kRelu:
            v = v < 0 ? 0 : v;
            break;
          case GemmFn::kClamp:
            v = v < s.lo ? s.lo : v;
            v = v > s.hi ? s.hi : v;
            break;
        }
      }
      p.out[row * p.ldo + o] = v;
    }
  }
}

void run(const DepthwisePlane& p) {
  if (p.cols < kLanes) return narrow(p);
  const bool square =
      p.kernel_h == p.kernel_w && p.stride_h == p.stride_w && p.dilation_h == 1 && p.dilation_w == 1;
  if (square && p.kernel_h == 3 && p.stride_h == 1) return fixed<3, 1>(p);
  if (square && p.kernel_h == 3 && p.stride_h == 2) return fixed<3, 2>(p);
  if (square && p.kernel_h == 5 && p.stride_h == 1) return fixed<5, 1>(p);
  if (square && p.kernel_h == 5 && p.stride_h == 2) return fixed<5, 2>(p);
  general(p);
}

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
namespace {
HWY_EXPORT(run);
}
void depthwise(const DepthwisePlane& p) { HWY_DYNAMIC_DISPATCH(run)(p); }
}  // namespace opmux::cpu
#endif
