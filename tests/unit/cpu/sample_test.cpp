// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "op_case.hpp"
#include "opmux/ops/sampling.gen.h"

namespace opmux::test {
namespace {

struct Settings {
  double temperature = 1, top_p = 1, min_p = 0, penalty = 1;
  int64_t top_k = 0;
};
using Sample = OpCase<opmux_op_sample>;

void number(Sample& c, uint64_t v) { *static_cast<uint64_t*>(c.in(OPMUX_U64, {}).data()) = v; }

void settings(Sample& c, const Settings& s, uint64_t seed) {
  c.scalar(OPMUX_F32, s.temperature);
  c.in(OPMUX_I64, {}).set({}, static_cast<double>(s.top_k));
  c.scalar(OPMUX_F32, s.top_p);
  c.scalar(OPMUX_F32, s.min_p);
  c.scalar(OPMUX_F32, s.penalty);
  number(c, seed);
  number(c, 7);
}

const Settings kSettings[] = {
    {},
    {.temperature = 0},
    {.temperature = 0.3, .top_p = 0.9},
    {.temperature = 1.7, .top_k = 5},
    {.temperature = 2, .top_p = 0.5, .min_p = 0.1, .penalty = 1.3, .top_k = 100},
    {.min_p = 0.4},
    {.temperature = 30, .top_p = 0.97, .penalty = 0.7},
    {.top_p = 1e-6},
};

TEST(Sample, DrawsTheTokensOfTheReferenceForAllTypesAndStrides) {
  std::mt19937 rng(1);
  Host host(3);
  for (const Settings& s : kSettings)
    for (uint32_t dtype : {OPMUX_F32, OPMUX_F64, OPMUX_F16, OPMUX_BF16})
      for (const Index& dims : {Index{3, 17}, Index{5, 1}, Index{0, 4}, Index{2, 3000}, Index{4, 129}})
        for (bool odd : {false, true}) {
          Sample c(OPMUX_OP_SAMPLE, odd, rng);
          Tensor& logits = c.in(dtype, dims);
          logits.each([&](const Index& i) { logits.set(i, 4 * logits.get(i)); });
          settings(c, s, rng());
          Tensor& history = c.in(odd ? OPMUX_I32 : OPMUX_I64, {dims[0], 6});
          history.each([&](const Index& i) { history.set(i, static_cast<double>(rng() % 20) - 2); });
          c.out(OPMUX_I64, {dims[0]});
          c.out(OPMUX_F32, {dims[0]});
          c.check(host, text(dims), [&](size_t o, size_t, const Truth&) { return o == 0 ? 0 : 1e-6; });
        }
}

TEST(Sample, LeavesOutNaNAndTakesAnInfinity) {
  std::mt19937 rng(2);
  Host host(1);
  for (double temperature : {0.0, 1.0}) {
    Sample c(OPMUX_OP_SAMPLE, false, rng);
    Tensor& logits = c.in(OPMUX_F32, {2, 4});
    for (int64_t i = 0; i < 4; ++i) logits.set({0, i}, i == 2 ? -1 : NAN);
    for (int64_t i = 0; i < 4; ++i) logits.set({1, i}, i == 1 ? INFINITY : 80);
    settings(c, {.temperature = temperature}, 3);
    Tensor& y = c.out(OPMUX_I64, {2});
    ASSERT_TRUE(run_op(host, c.desc, c.args));
    EXPECT_EQ(y.get({0}), 2);
    EXPECT_EQ(y.get({1}), 1);
  }
}

TEST(Sample, ReportsSettingsThatMakeNoSense) {
  std::mt19937 rng(3);
  Host host(1);
  const std::pair<Settings, std::string> bad[] = {
      {{.temperature = -1}, "sample: temperature is -1, must be 0 or more, and finite"},
      {{.temperature = NAN}, "sample: temperature is nan, must be 0 or more, and finite"},
      {{.top_p = 0}, "sample: top_p is 0, must be above 0 and at most 1"},
      {{.min_p = 1.5}, "sample: min_p is 1.5, must be 0 to 1"},
      {{.penalty = 0}, "sample: penalty is 0, must be above 0, and finite"},
      {{.top_k = -2}, "sample: top_k is -2, must be 0 or more"},
  };
  for (const auto& [s, sentence] : bad) {
    Sample c(OPMUX_OP_SAMPLE, false, rng);
    c.in(OPMUX_F32, {1, 4});
    settings(c, s, 1);
    c.out(OPMUX_I64, {1});
    EXPECT_THAT(c.fault(host), testing::EndsWith(sentence));
  }
}

TEST(Sample, ReportsTheFirstRowWithoutAToken) {
  std::mt19937 rng(4);
  Host host(2);
  Sample c(OPMUX_OP_SAMPLE, false, rng);
  Tensor& logits = c.in(OPMUX_F32, {3, 4});
  for (int64_t r : {1, 2})
    for (int64_t i = 0; i < 4; ++i) logits.set({r, i}, -INFINITY);
  settings(c, {}, 1);
  c.out(OPMUX_I64, {3});
  EXPECT_THAT(c.fault(host), testing::EndsWith("sample: row 1 has no logit above -infinity"));
}

using Speculative = OpCase<opmux_op_speculative>;

void fill(Speculative& c, int64_t rows, int64_t drafted, int64_t n, uint32_t dtype, bool wide,
          std::mt19937& rng) {
  Tensor& draft = c.in(wide ? OPMUX_I64 : OPMUX_I32, {rows, drafted});
  draft.each([&](const Index& i) { draft.set(i, static_cast<double>(rng() % static_cast<uint64_t>(n))); });
  for (int64_t more : {0, 1}) {
    Tensor& p = c.in(dtype, {rows, drafted + more, n});
    p.each([&](const Index& i) { p.set(i, std::max(0.0, p.get(i) + 0.5)); });
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t g = 0; g < drafted + more; ++g) p.set({r, g, 0}, 0.5);
  }
  for (uint64_t v : {uint64_t{rng()}, uint64_t{3}}) *static_cast<uint64_t*>(c.in(OPMUX_U64, {}).data()) = v;
  c.out(OPMUX_I64, {rows, drafted + 1});
  c.out(OPMUX_I64, {rows});
}

TEST(Speculative, TakesTheTokensOfTheReferenceForAllTypesAndStrides) {
  std::mt19937 rng(5);
  Host host(3);
  for (uint32_t dtype : {OPMUX_F32, OPMUX_F64, OPMUX_F16, OPMUX_BF16})
    for (bool odd : {false, true})
      for (const Index& s :
           {Index{3, 4, 17}, Index{2, 0, 5}, Index{40, 3, 2}, Index{0, 2, 3}, Index{2, 5, 700}}) {
        Speculative c(OPMUX_OP_SPECULATIVE, odd, rng);
        fill(c, s[0], s[1], s[2], dtype, odd, rng);
        c.check(host, text(s), [](size_t, size_t, const Truth&) { return 0.0; });
      }
}

TEST(Speculative, ReportsADraftOutOfRangeAndWeightsOfNothing) {
  std::mt19937 rng(6);
  Host host(2);
  Speculative c(OPMUX_OP_SPECULATIVE, false, rng);
  fill(c, 3, 2, 5, OPMUX_F32, true, rng);
  static_cast<int64_t*>(c.args[0])[2] = 5;
  EXPECT_THAT(c.fault(host), testing::EndsWith("draft token 5 of row 1 is outside [0, 4]"));
  static_cast<int64_t*>(c.args[0])[2] = 0;
  auto* p = static_cast<float*>(c.args[2]);
  std::fill(p + 2 * 15, p + 3 * 15, 0.0f);
  EXPECT_THAT(c.fault(host), testing::EndsWith("the probabilities of position 0 of row 2 have none above 0"));
}

}  // namespace
}  // namespace opmux::test
