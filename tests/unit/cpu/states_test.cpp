// SPDX-License-Identifier: Apache-2.0
// Layers with a state, and Fourier transforms.
#include "op_case.hpp"
#include "opmux/ops/signal.gen.h"
#include "opmux/ops/state.gen.h"

namespace opmux::test {
namespace {

constexpr uint32_t kFloats[] = {OPMUX_F32, OPMUX_F64, OPMUX_F16, OPMUX_BF16};

// Numbers of a range instead of [-1, 1).
void within(Tensor& t, double low, double high) {
  t.each([&](const Index& i) { t.set(i, low + (t.get(i) + 1) / 2 * (high - low)); });
}

struct Attention {
  int64_t batch, heads, kv_heads, steps, width, values;
  bool past = false;
  int decay = 0, beta = 0;  // 0: absent, 1: one for all, 2: whole
};
using AttentionCase = OpCase<opmux_op_linear_attention>;

void fill(AttentionCase& c, const Attention& a, uint32_t dtype, uint32_t state_type) {
  c.in(dtype, {a.batch, a.heads, a.steps, a.width});
  within(c.in(dtype, {a.batch, a.kv_heads, a.steps, a.width}), -0.5, 0.5);
  c.in(dtype, {a.batch, a.kv_heads, a.steps, a.values});
  a.past ? (void)c.in(state_type, {a.batch, a.kv_heads, a.width, a.values}) : c.no_in();
  if (a.decay > 0)
    within(c.in(dtype, {a.batch, a.kv_heads, a.steps, a.decay == 1 ? 1 : a.width}), -2, 0);
  else
    c.no_in();
  if (a.beta > 0)
    within(c.in(dtype, {a.batch, a.beta == 1 ? 1 : a.kv_heads, a.steps, 1}), 0, 1);
  else
    c.no_in();
  c.out(dtype, {a.batch, a.heads, a.steps, a.values});
  c.out(a.past ? state_type : dtype, {a.batch, a.kv_heads, a.width, a.values});
}

const Attention kAttentions[] = {
    {1, 1, 1, 1, 1, 1},
    {2, 4, 2, 5, 8, 17, true},
    {1, 2, 2, 7, 9, 65, false, 2},
    {1, 3, 3, 4, 5, 6, true, 0, 1},
    {1, 4, 2, 6, 33, 130, true, 1, 2},
    {2, 2, 1, 3, 16, 64, false, 2, 2},
    {1, 2, 2, 0, 3, 4, true},
    {0, 2, 2, 3, 3, 4},
};

void check(const Attention& a, uint32_t dtype, uint32_t state, bool odd, Host& host, std::mt19937& rng) {
  AttentionCase c(OPMUX_OP_LINEAR_ATTENTION, odd, rng);
  fill(c, a, dtype, state);
  c.check(host, text({a.batch, a.heads, a.kv_heads, a.steps, a.width, a.values}) + (odd ? " odd" : ""),
          [&](size_t, size_t i, const Truth& t) {
            return dot_bound(dtype, 8, static_cast<double>(a.steps + a.width), t.magnitude[i]);
          });
}

TEST(LinearAttention, AgreesWithTheReferenceForAllTypesAndStrides) {
  std::mt19937 rng(1);
  Host host(3);
  for (const Attention& a : kAttentions)
    for (uint32_t dtype : kFloats)
      for (bool odd : {false, true})
        check(a, dtype, odd && dtype == OPMUX_F16 ? OPMUX_F32 : dtype, odd, host, rng);
  check(kAttentions[1], OPMUX_F32, OPMUX_F64, true, host, rng);
}

TEST(LinearAttention, AgreesWithTheReferenceOnEveryInstructionSet) {
  std::mt19937 rng(2);
  Host host(1);
  on_every_instruction_set([&] {
    for (const Attention& a : kAttentions) check(a, OPMUX_F32, OPMUX_F32, false, host, rng);
  });
}

TEST(LinearAttention, GivesTheSameBitsForAnyNumberOfThreads) {
  std::mt19937 rng(3);
  AttentionCase c(OPMUX_OP_LINEAR_ATTENTION, false, rng);
  fill(c, {2, 4, 2, 40, 32, 200, true, 1, 2}, OPMUX_F32, OPMUX_F32);
  Host one(1);
  const auto first = c.bytes(one);
  for (uint32_t threads : {2u, 7u}) {
    Host host(threads);
    EXPECT_EQ(c.bytes(host), first) << threads << " threads";
  }
}

struct Scan {
  int64_t batch, steps, channels, n_state, groups;
  bool skip = true, past = true;
};

void check(const Scan& s, uint32_t dtype, bool odd, Host& host, std::mt19937& rng) {
  OpCase<opmux_op_selective_scan> c(OPMUX_OP_SELECTIVE_SCAN, odd, rng);
  c.in(dtype, {s.batch, s.steps, s.channels});
  within(c.in(dtype, {s.batch, s.steps, s.channels}), 0, 1);
  within(c.in(dtype, {s.channels, s.n_state}), -4, 0);
  for (int i = 0; i < 2; ++i) c.in(dtype, {s.batch, s.steps, s.groups, s.n_state});
  s.skip ? (void)c.in(dtype, {s.channels}) : c.no_in();
  s.past ? (void)c.in(dtype, {s.batch, s.channels, s.n_state}) : c.no_in();
  c.out(dtype, {s.batch, s.steps, s.channels});
  c.out(dtype, {s.batch, s.channels, s.n_state});
  c.check(host, text({s.batch, s.steps, s.channels, s.n_state, s.groups}) + (odd ? " odd" : ""),
          [&](size_t, size_t i, const Truth& t) {
            return dot_bound(dtype, 8, static_cast<double>(s.steps + s.n_state), t.magnitude[i]);
          });
}

const Scan kScans[] = {
    {1, 1, 1, 1, 1}, {2, 7, 33, 16, 1}, {1, 5, 6, 3, 2, false}, {1, 9, 260, 5, 2, true, false},
    {2, 0, 3, 2, 1}, {1, 3, 4, 0, 1},   {0, 3, 4, 2, 1}};

TEST(SelectiveScan, AgreesWithTheReferenceForAllTypesAndStrides) {
  std::mt19937 rng(4);
  Host host(3);
  for (const Scan& s : kScans)
    for (uint32_t dtype : kFloats)
      for (bool odd : {false, true}) check(s, dtype, odd, host, rng);
}

TEST(SelectiveScan, AgreesWithTheReferenceOnEveryInstructionSet) {
  std::mt19937 rng(5);
  Host host(1);
  on_every_instruction_set([&] {
    for (const Scan& s : kScans) check(s, OPMUX_F32, false, host, rng);
  });
}

struct Transform {
  Index x;
  uint32_t axis, length, inverse = 0, onesided = 0;
};

void check(const Transform& f, uint32_t dtype, bool odd, Host& host, std::mt19937& rng) {
  OpCase<opmux_op_dft> c(OPMUX_OP_DFT, odd, rng);
  c.in(dtype, f.x);
  Index y = f.x;
  y[f.axis] = f.onesided && !f.inverse ? f.length / 2 + 1 : f.length;
  y.back() = f.onesided && f.inverse ? 1 : 2;
  c.out(dtype, y);
  c->axis = f.axis;
  c->length = f.length;
  c->inverse = f.inverse;
  c->onesided = f.onesided;
  c.check(host, text(f.x) + " of length " + std::to_string(f.length) + (odd ? " odd" : ""),
          [&](size_t, size_t i, const Truth& t) { return dot_bound(dtype, 4, f.length, t.magnitude[i]); });
}

const Transform kTransforms[] = {
    {{1, 1}, 0, 1},          {{1, 2}, 0, 5, 1},         {{3, 16, 2}, 1, 16},      {{30, 5, 1}, 0, 30, 0, 1},
    {{30, 5, 1}, 0, 37},     {{2, 9, 2}, 1, 16, 1, 1},  {{2, 9, 2}, 1, 17, 1, 1}, {{2, 3, 2}, 1, 12, 1, 1},
    {{19, 128, 2}, 1, 127},  {{19, 128, 2}, 1, 129},    {{0, 8, 2}, 1, 8},        {{2, 0, 2}, 1, 3},
    {{1, 1001, 2}, 1, 1001}, {{4, 2, 60, 2}, 2, 60, 1}, {{2, 1031, 1}, 1, 1031},  {{1024, 2}, 0, 1024},
    {{5, 5, 2, 2}, 0, 5},    {{7, 34, 2}, 1, 34, 1},    {{2, 9, 2}, 1, 2, 1, 1},  {{2, 9, 2}, 1, 1, 1, 1},
};

TEST(Dft, AgreesWithTheReferenceForAllTypesAndStrides) {
  std::mt19937 rng(6);
  Host host(3);
  for (const Transform& f : kTransforms)
    for (uint32_t dtype : kFloats)
      for (bool odd : {false, true}) check(f, dtype, odd, host, rng);
}

TEST(Dft, AgreesWithTheReferenceOnEveryInstructionSet) {
  std::mt19937 rng(7);
  Host host(1);
  on_every_instruction_set([&] {
    for (const Transform& f : kTransforms)
      for (uint32_t dtype : {OPMUX_F32, OPMUX_F64}) check(f, dtype, false, host, rng);
  });
}

// Far below the bound, which no transform of this kind comes near.
TEST(Dft, IsAsExactAsItsTypeAllows) {
  std::mt19937 rng(8);
  Host host(1);
  for (uint32_t length : {1024u, 2048u, 1000u, 1031u}) {
    OpCase<opmux_op_dft> c(OPMUX_OP_DFT, false, rng);
    c.in(OPMUX_F32, {length, 2});
    c.out(OPMUX_F32, {length, 2});
    c->length = length;
    double norm = 0;
    c.check(host, std::to_string(length), [&](size_t, size_t, const Truth&) {
      norm = std::sqrt(static_cast<double>(length) * 2 / 3);
      return 4 * std::ldexp(1, -24) * std::log2(length) * norm;
    });
  }
}

}  // namespace
}  // namespace opmux::test
