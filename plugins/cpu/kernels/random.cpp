// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/random.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/random.cpp"
#include <hwy/foreach_target.h>  // NOLINT: before highway.h
#include <hwy/highway.h>

#include "cpu/kernels/math64-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

using DU = hn::ScalableTag<uint32_t>;
using VU = hn::Vec<DU>;

// Both halves of the 64-bit products.
HWY_INLINE void multiply(VU x, uint32_t factor, VU& high, VU& low) {
  const DU d;
#if HWY_TARGET == HWY_SCALAR  // which has no wider lanes
  const uint64_t p = uint64_t{factor} * hn::GetLane(x);
  high = hn::Set(d, static_cast<uint32_t>(p >> 32));
  low = hn::Set(d, static_cast<uint32_t>(p));
#else
  const hn::RepartitionToWide<DU> dw;
  const auto f = hn::Set(d, factor);
  const auto even = hn::MulEven(x, f);
  const auto odd = hn::MulEven(hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(dw, x))), f);
  low = hn::OddEven(hn::BitCast(d, hn::ShiftLeft<32>(odd)), hn::BitCast(d, even));
  high = hn::OddEven(hn::BitCast(d, odd), hn::BitCast(d, hn::ShiftRight<32>(even)));
#endif
}

}  // namespace

void philox_blocks(uint64_t seed, uint64_t block, int64_t blocks, uint32_t* words) {
  const DU d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < blocks; i += lanes, block += static_cast<uint64_t>(lanes)) {
    const auto start = static_cast<uint32_t>(block), top = static_cast<uint32_t>(block >> 32);
    auto c0 = hn::Add(hn::Set(d, start), hn::Iota(d, 0u));
    auto c1 = hn::IfThenElse(hn::Lt(c0, hn::Set(d, start)), hn::Set(d, top + 1), hn::Set(d, top));
    auto c2 = hn::Zero(d), c3 = hn::Zero(d);
    auto key0 = static_cast<uint32_t>(seed), key1 = static_cast<uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round) {
      VU p1, p0, q1, q0;
      multiply(c0, 0xD2511F53u, p1, p0);
      multiply(c2, 0xCD9E8D57u, q1, q0);
      c0 = hn::Xor(hn::Xor(q1, c1), hn::Set(d, key0));
      c2 = hn::Xor(hn::Xor(p1, c3), hn::Set(d, key1));
      c1 = q0;
      c3 = p0;
      key0 += 0x9E3779B9u;
      key1 += 0xBB67AE85u;
    }
    hn::StoreInterleaved4(c0, c1, c2, c3, d, words + 4 * i);
  }
}

void normal_pairs_f64(const uint32_t* words, int64_t pairs, double* z) {
  const hn::ScalableTag<double> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < pairs; i += lanes) {
    HWY_ALIGN double v[hn::MaxLanes(hn::ScalableTag<double>())], w[hn::MaxLanes(hn::ScalableTag<double>())];
    for (int64_t j = 0; j < lanes; ++j) {
      v[j] = words[2 * (i + j)];
      w[j] = words[2 * (i + j) + 1];
    }
    const auto unit = hn::Set(d, 0x1p-32);
    const auto u = hn::Mul(hn::Add(hn::Load(d, v), hn::Set(d, 1.0)), unit);
    const auto m = hn::Sqrt(hn::Mul(hn::Set(d, -1.3862943611198906), log2_f64(d, u)));  // -2 ln 2
    // Within an eighth of a turn; the difference is exact.
    const auto turn = hn::Mul(hn::Load(d, w), unit);
    const auto quarter = hn::Round(hn::Mul(turn, hn::Set(d, 4.0)));
    const auto angle =
        hn::Mul(hn::Sub(turn, hn::Mul(quarter, hn::Set(d, 0.25))), hn::Set(d, 6.283185307179586));
    const auto s = sincos_f64(d, angle, 0), c = sincos_f64(d, angle, 1);
    const auto q1 = hn::Eq(quarter, hn::Set(d, 1.0)), q2 = hn::Eq(quarter, hn::Set(d, 2.0));
    const auto q3 = hn::Eq(quarter, hn::Set(d, 3.0)), odd = hn::Or(q1, q3);
    auto cosine = hn::IfThenElse(odd, s, c), sine = hn::IfThenElse(odd, c, s);
    cosine = hn::IfThenElse(hn::Or(q1, q2), hn::Neg(cosine), cosine);
    sine = hn::IfThenElse(hn::Or(q2, q3), hn::Neg(sine), sine);
    hn::StoreInterleaved2(hn::Mul(m, cosine), hn::Mul(m, sine), d, z + 2 * i);
  }
}

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
namespace {
HWY_EXPORT(philox_blocks);
HWY_EXPORT(normal_pairs_f64);
}  // namespace

void philox(uint64_t seed, uint64_t block, int64_t blocks, uint32_t* words) {
  HWY_DYNAMIC_DISPATCH(philox_blocks)(seed, block, blocks, words);
}
void normal_pairs(const uint32_t* words, int64_t pairs, double* z) {
  HWY_DYNAMIC_DISPATCH(normal_pairs_f64)(words, pairs, z);
}

}  // namespace opmux::cpu
#endif
