// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/attention.hpp"

#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/attention.cpp"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "cpu/kernels/f32_loops-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr int64_t kLanes = static_cast<int64_t>(hn::MaxLanes(D()));
static_assert(kAttentionKeys % kLanes == 0 && kAttentionPad % kLanes == 0);

// c[r, j] (+)= sum over i < k of a[r, i] b[i, j].
struct Product {
  const float* a;
  int64_t lda;
  const float* b;
  int64_t ldb, k;
  float* c;
  int64_t ldc;
  bool add;
};

// MR rows and NV vectors of c stay in registers.
template <int MR, int NV>
HWY_INLINE void multiply(const Product& p, int64_t col) {
  const D d;
  V acc[MR][NV];
  for (int r = 0; r < MR; ++r)
    for (int v = 0; v < NV; ++v)
      acc[r][v] = p.add ? hn::LoadU(d, p.c + r * p.ldc + col + v * kLanes) : hn::Zero(d);
  const float* b = p.b + col;
  for (int64_t i = 0; i < p.k; ++i, b += p.ldb) {
    V row[NV];
    for (int v = 0; v < NV; ++v) row[v] = hn::LoadU(d, b + v * kLanes);
    for (int r = 0; r < MR; ++r) {
      const V a = hn::Set(d, p.a[r * p.lda + i]);
      for (int v = 0; v < NV; ++v) acc[r][v] = hn::MulAdd(a, row[v], acc[r][v]);
    }
  }
  for (int r = 0; r < MR; ++r)
    for (int v = 0; v < NV; ++v) hn::StoreU(acc[r][v], d, p.c + r * p.ldc + col + v * kLanes);
}

template <int MR, int NV>
HWY_NOINLINE void multiply_rows(const Product& p, int64_t cols) {
  int64_t col = 0;
  for (; col + NV * kLanes <= cols; col += NV * kLanes) multiply<MR, NV>(p, col);
  for (; col < cols; col += kLanes) multiply<MR, 1>(p, col);
}

void product(Product p, int64_t rows, int64_t cols) {
  for (; rows >= 6; rows -= 6, p.a += 6 * p.lda, p.c += 6 * p.ldc) multiply_rows<6, 2>(p, cols);
  switch (rows) {
    case 5:
      return multiply_rows<5, 2>(p, cols);
    case 4:
      return multiply_rows<4, 2>(p, cols);
    case 3:
      return multiply_rows<3, 3>(p, cols);
    case 2:
      return multiply_rows<2, 4>(p, cols);
    case 1:
      return multiply_rows<1, 8>(p, cols);
    default:
      return;
  }
}

// N scores of one query, which share its loads.
template <int N>
HWY_INLINE void dots(const float* q, const float* k, int64_t ldk, int64_t n, float* s) {
  const D d;
  V acc[N];
  for (int i = 0; i < N; ++i) acc[i] = hn::Zero(d);
  int64_t e = 0;
  for (; e + kLanes <= n; e += kLanes) {
    const V x = hn::LoadU(d, q + e);
    for (int i = 0; i < N; ++i) acc[i] = hn::MulAdd(x, hn::LoadU(d, k + i * ldk + e), acc[i]);
  }
  for (int i = 0; i < N; ++i) s[i] = hn::GetLane(hn::SumOfLanes(d, acc[i]));
  for (; e < n; ++e)
    for (int i = 0; i < N; ++i) s[i] += q[e] * k[i * ldk + e];
}

HWY_INLINE int64_t whole_vectors(int64_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

void scores(const AttentionTile& t) {
  if (t.transposed)
    return product({t.q, t.ldq, t.k, t.ldk, t.d, t.s, kAttentionKeys, false}, t.rows, whole_vectors(t.keys));
  for (int64_t r = 0; r < t.rows; ++r) {
    const float* q = t.q + r * t.ldq;
    float* s = t.s + r * kAttentionKeys;
    int64_t j = 0;
    for (; j + 4 <= t.keys; j += 4) dots<4>(q, t.k + j * t.ldk, t.ldk, t.d, s + j);
    for (; j < t.keys; ++j) dots<1>(q, t.k + j * t.ldk, t.ldk, t.d, s + j);
  }
}

// Scores of a row from column j on: capped, masked, -infinity outside of what the row sees.
HWY_INLINE V adjust(const AttentionTile& t, int64_t r, int64_t j, V v) {
  const D d;
  if (t.soft_cap > 0) {
    const V cap = hn::Set(d, t.soft_cap);
    v = hn::Mul(cap, tanh(d, hn::Div(v, cap)));
  }
  if (t.mask) {  // a key that is masked out is not felt, whatever its score
    const V mask = hn::LoadU(d, t.mask + r * kAttentionKeys + j);
    const V unseen = hn::Set(d, -std::numeric_limits<float>::infinity());
    v = hn::IfThenElse(hn::Eq(mask, unseen), unseen, hn::Add(v, mask));
  }
  if (t.lo[r] <= j && j + kLanes <= t.hi[r]) return v;
  const V column = hn::Iota(d, static_cast<float>(j));
  const auto seen = hn::And(hn::Ge(column, hn::Set(d, static_cast<float>(t.lo[r]))),
                            hn::Lt(column, hn::Set(d, static_cast<float>(t.hi[r]))));
  return hn::IfThenElse(seen, v, hn::Set(d, -std::numeric_limits<float>::infinity()));
}

// Scores of a row to weights e^(s - maximum), and what the new maximum means for the sums so far. NaN never
// becomes the maximum but stays in the weights.
HWY_NOINLINE void soften(const AttentionTile& t, int64_t r) {
  const D d;
  float* s = t.s + r * kAttentionKeys;
  const float old = t.top[r];
  V most = hn::Set(d, old);
  const int64_t end = whole_vectors(t.keys);
  for (int64_t j = 0; j < end; j += kLanes) {
    const V v = adjust(t, r, j, hn::LoadU(d, s + j));
    hn::StoreU(v, d, s + j);
    most = hn::IfThenElse(hn::Gt(v, most), v, most);
  }
  const float top = hn::GetLane(hn::MaxOfLanes(d, most));
  const bool blind = top == -std::numeric_limits<float>::infinity();  // or nothing but NaN
  const V base = hn::Set(d, blind ? 0.0f : top);
  V sum = hn::Zero(d);
  for (int64_t j = 0; j < end; j += kLanes) {
    const V p = exp_flush(d, hn::Sub(hn::LoadU(d, s + j), base));
    hn::StoreU(p, d, s + j);
    sum = hn::Add(sum, p);
  }
  const float now = hn::GetLane(hn::SumOfLanes(d, sum));
  t.top[r] = top;
  if (top == old) return (void)(t.sum[r] += now);
  const float fade = hn::GetLane(exp_flush(d, hn::Sub(hn::Set(d, old), base)));
  t.sum[r] = t.sum[r] * fade + now;
  float* o = t.o + r * t.dv;
  const V factor = hn::Set(d, fade);
  for (int64_t e = 0; e < t.dv; e += kLanes) {
    const V v = fade == 0 ? hn::Zero(d) : hn::Mul(hn::LoadU(d, o + e), factor);
    hn::StoreU(v, d, o + e);
  }
}

void add_values(const AttentionTile& t) {
  if (!t.careful) return product({t.s, kAttentionKeys, t.v, t.ldv, t.keys, t.o, t.dv, true}, t.rows, t.dv);
  for (int64_t r = 0; r < t.rows; ++r)
    for (int64_t j = 0; j < t.keys; ++j)
      if (t.s[r * kAttentionKeys + j] != 0)
        product({t.s + r * kAttentionKeys + j, 1, t.v + j * t.ldv, t.ldv, 1, t.o + r * t.dv, t.dv, true}, 1,
                t.dv);
}

}  // namespace

void start(const AttentionTile& t) {
  for (int64_t i = 0; i < t.rows * t.dv; ++i) t.o[i] = 0;
  for (int64_t r = 0; r < t.rows; ++r) {
    t.top[r] = -std::numeric_limits<float>::infinity();
    t.sum[r] = 0;
  }
}

void tile(const AttentionTile& t) {
  scores(t);
  for (int64_t r = 0; r < t.rows; ++r) soften(t, r);
  add_values(t);
}

bool finish(const AttentionTile& t) {
  const D d;
  bool clean = true;
  for (int64_t r = 0; r < t.rows; ++r) {
    float* o = t.o + r * t.dv;
    const float sum = t.sum[r];
    auto odd = hn::IsNaN(hn::Zero(d));
    for (int64_t e = 0; e < t.dv; e += kLanes) {
      const V v = hn::LoadU(d, o + e);
      odd = hn::Or(odd, hn::IsNaN(v));
      hn::StoreU(sum == 0 ? hn::Zero(d) : hn::Div(v, hn::Set(d, sum)), d, o + e);
    }
    clean = clean && (sum != sum || hn::AllFalse(d, odd));
  }
  return clean;
}

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
namespace {
HWY_EXPORT(start);
HWY_EXPORT(tile);
HWY_EXPORT(finish);
}  // namespace
void attention_start(const AttentionTile& t) { HWY_DYNAMIC_DISPATCH(start)(t); }
void attention_tile(const AttentionTile& t) { HWY_DYNAMIC_DISPATCH(tile)(t); }
bool attention_finish(const AttentionTile& t) { return HWY_DYNAMIC_DISPATCH(finish)(t); }
}  // namespace opmux::cpu
#endif
