// SPDX-License-Identifier: Apache-2.0
#include "opmux/ops/attention.gen.h"

#include <optional>

#include "every_instruction_set.hpp"
#include "oracle.hpp"
#include "run_fault.hpp"
#include "same_bits.hpp"

namespace opmux::test {
namespace {

enum class Mask { kNone, kBool, kFloat };

struct Case {
  int64_t batch, heads, kv_heads, queries, added, width, value_width;
  int64_t capacity = 0, past = 0;  // capacity 0: no state
  uint32_t causal = 0;
  int32_t window = -1;
  Mask mask = Mask::kNone;
  Index mask_dims = {};
  float scale = 0, soft_cap = 0;
};

std::string describe(const Case& c) {
  return "q " + text({c.batch, c.heads, c.queries, c.width}) + " kv heads " + std::to_string(c.kv_heads) +
         " keys " + std::to_string(c.added) + " past " + std::to_string(c.past) + "/" +
         std::to_string(c.capacity) + " causal " + std::to_string(c.causal) + " window " +
         std::to_string(c.window) + " mask " + text(c.mask_dims);
}

// All operands of one case.
struct Operands {
  Operands(const Case& c, uint32_t type, bool odd, std::mt19937& rng) : dtype(type) {
    const auto make = [&](uint32_t t, const Index& dims) { return test::make(t, dims, odd, rng); };
    q.emplace(make(type, {c.batch, c.heads, c.queries, c.width})).random(rng);
    k.emplace(make(type, {c.batch, c.kv_heads, c.added, c.width})).random(rng);
    v.emplace(make(type, {c.batch, c.kv_heads, c.added, c.value_width})).random(rng);
    y.emplace(make(type, {c.batch, c.heads, c.queries, c.value_width}));
    if (c.mask != Mask::kNone) {
      mask.emplace(make(c.mask == Mask::kBool ? OPMUX_BOOL : type, c.mask_dims));
      if (c.mask == Mask::kBool)
        mask->each([&](const Index& i) { mask->set(i, rng() % 3 != 0); });
      else
        mask->random(rng);
    }
    if (c.capacity > 0) {
      past_k.emplace(make(type, {c.batch, c.kv_heads, c.capacity, c.width})).random(rng);
      past_v.emplace(make(type, {c.batch, c.kv_heads, c.capacity, c.value_width})).random(rng);
      past_len.emplace(OPMUX_I64, Index{}).set({}, static_cast<double>(c.past));
    }
    d.in(q->t).in(k->t).in(v->t).in(mask ? mask->t : kit::absent());
    args = {q->data(), k->data(), v->data(), mask ? mask->data() : nullptr};
    if (past_k) {
      d.in(past_k->t).in(past_v->t).in(past_len->t);
      args.insert(args.end(), {past_k->data(), past_v->data(), past_len->data()});
    }
    d.out(y->t);
    args.push_back(y->data());
    d->causal = c.causal;
    d->window = c.window;
    d->scale = c.scale;
    d->soft_cap = c.soft_cap;
  }
  void store_state() {
    d.out(past_k->t).out(past_v->t).alias({0, 5, 6});
    args.insert(args.end(), {past_k->data(), past_v->data()});
  }

  uint32_t dtype;
  std::optional<Tensor> q, k, v, mask, past_k, past_v, past_len, y;
  kit::Desc<opmux_op_attention> d{OPMUX_OP_ATTENTION};
  std::vector<void*> args;
};

// Runs and compares y.
void check(Operands& o, const Case& c, Host& host, const std::string& what) {
  const double u = wide_roundoff(o.dtype);
  const auto n = static_cast<double>(c.added + c.past);
  run_and_compare(host, o.d, o.args, {&*o.y}, what, [&](size_t, size_t i, double want, const Truth& truth) {
    return (8 + n) * u * truth.magnitude[i] + (o.dtype == OPMUX_F32 ? 0.0 : spacing(o.dtype, want));
  });
}
void check(const Case& c, uint32_t dtype, bool odd, Host& host, std::mt19937& rng) {
  Operands o(c, dtype, odd, rng);
  check(o, c, host, describe(c) + (odd ? " odd" : ""));
}

const Case kCases[] = {
    {1, 2, 2, 5, 5, 8, 8, 0, 0, 1},
    {2, 4, 2, 7, 9, 16, 12},
    {1, 4, 1, 3, 3, 8, 8, 0, 0, 1, 2},
    {1, 4, 2, 1, 1, 8, 8, 16, 0, 1},
    {1, 3, 3, 150, 150, 64, 64, 0, 0, 1},
    {1, 2, 1, 97, 200, 33, 17},
    {1, 2, 2, 130, 130, 32, 32, 0, 0, 1, 10},
    {1, 2, 2, 70, 90, 16, 16, 0, 0, 0, 5},
    {2, 8, 2, 1, 1, 64, 64, 200, 131, 1},
    {1, 6, 1, 1, 1, 40, 24, 100, 99, 1, 30},
    {1, 4, 2, 20, 20, 32, 48, 300, 100, 1},
    {1, 2, 2, 3, 0, 8, 8, 40, 37},
    {2, 4, 2, 50, 70, 16, 16, 0, 0, 0, -1, Mask::kBool, {2, 1, 50, 70}},
    {2, 4, 2, 50, 70, 16, 16, 0, 0, 1, -1, Mask::kFloat, {4, 1, 70}},
    {2, 4, 2, 9, 70, 16, 16, 0, 0, 0, -1, Mask::kBool, {70}},
    {1, 4, 2, 9, 7, 16, 16, 0, 0, 0, -1, Mask::kFloat, {}},
    {1, 4, 2, 4, 4, 16, 16, 90, 70, 1, -1, Mask::kBool, {4, 90}},
    {1, 4, 2, 4, 4, 16, 16, 90, 70, 1, -1, Mask::kFloat, {4, 4, 1}},
    {1, 2, 2, 40, 90, 64, 64, 0, 0, 0, -1, Mask::kNone, {}, 0.5f, 3},
    {1, 1, 1, 3, 5, 1, 1},
    {1, 12, 1, 5, 80, 64, 64},
    {1, 1, 1, 2, 3, 300, 270, 0, 0, 1},
};

TEST(Attention, AgreesWithTheReferenceForAllTypesAndStrides) {
  std::mt19937 rng(1);
  Host host(3);
  for (const Case& c : kCases)
    for (uint32_t dtype : {OPMUX_F64, OPMUX_F32, OPMUX_F16, OPMUX_BF16})
      for (bool odd : {false, true}) check(c, dtype, odd, host, rng);
}

TEST(Attention, AgreesWithTheReferenceOnEveryInstructionSet) {
  std::mt19937 rng(2);
  Host host(1);
  on_every_instruction_set([&] {
    for (const Case& c : kCases) check(c, OPMUX_F32, false, host, rng);
  });
}

TEST(Attention, WritesNothingForEmptyTensors) {
  std::mt19937 rng(3);
  Host host(1);
  check({0, 2, 1, 3, 3, 8, 8}, OPMUX_F32, false, host, rng);
  check({1, 2, 1, 0, 3, 8, 8}, OPMUX_F32, false, host, rng);
  check({1, 2, 1, 3, 3, 8, 0}, OPMUX_F32, false, host, rng);
  check({1, 2, 1, 3, 0, 8, 8}, OPMUX_F32, false, host, rng);  // sees no key: 0
}

// The rows of the state after a run: the new ones at past, the others as before.
void expect_appended(const Tensor& now, const Tensor& before, const Tensor& fresh, int64_t past) {
  now.each([&](const Index& i) {
    const int64_t row = i[2] - past;
    const bool is_new = row >= 0 && row < fresh.t.dim[2];
    const double want = is_new ? fresh.get({i[0], i[1], row, i[3]}) : before.get(i);
    ASSERT_EQ(now.get(i), want) << text(i);
  });
  EXPECT_TRUE(now.gaps_untouched());
}

TEST(Attention, AppendsToItsStateInPlace) {
  std::mt19937 rng(4);
  Host host(2);
  for (const Case& c : {Case{2, 4, 2, 1, 1, 64, 64, 200, 131, 1}, Case{1, 4, 2, 20, 20, 32, 48, 300, 280, 1},
                        Case{1, 2, 2, 70, 70, 16, 8, 70, 0, 1}, Case{2, 2, 1, 3, 5, 16, 16, 90, 60, 1, 9}})
    for (uint32_t dtype : {OPMUX_F32, OPMUX_F16})
      for (bool odd : {false, true}) {
        SCOPED_TRACE(describe(c));
        Operands o(c, dtype, odd, rng);
        const Tensor k = *o.past_k, v = *o.past_v;
        o.store_state();
        check(o, c, host, describe(c));
        expect_appended(*o.past_k, k, *o.k, c.past);
        expect_appended(*o.past_v, v, *o.v, c.past);
      }
}

TEST(Attention, CopiesAStateThatIsBoundApart) {
  std::mt19937 rng(5);
  Host host(2);
  const Case c{2, 4, 2, 3, 3, 16, 16, 90, 60, 1};
  Operands o(c, OPMUX_F32, false, rng);
  const Tensor before_k = *o.past_k, before_v = *o.past_v;
  o.store_state();
  Tensor k(OPMUX_F32, {2, 2, 90, 16}), v(OPMUX_F32, {2, 2, 90, 16});
  o.args[8] = k.data();
  o.args[9] = v.data();
  check(o, c, host, describe(c));
  expect_appended(k, before_k, *o.k, c.past);
  expect_appended(v, before_v, *o.v, c.past);
  EXPECT_EQ(o.past_k->memory(), before_k.memory());
}

TEST(Attention, SaysWhenItsStateIsFull) {
  std::mt19937 rng(6);
  Host host(1);
  for (int64_t past : {int64_t{14}, int64_t{-1}, INT64_MAX}) {
    Operands o({1, 2, 1, 3, 3, 8, 8, 16, 0, 1}, OPMUX_F32, false, rng);
    std::memcpy(o.past_len->data(), &past, sizeof past);
    o.store_state();
    const Tensor before = *o.past_k;
    expect_fault(
        host, o.d, o.args, 6,
        "attention: past_len " + std::to_string(past) + " with 3 new keys is outside the state of 16 rows");
    EXPECT_EQ(o.past_k->memory(), before.memory());
  }
}

TEST(Attention, GivesZeroForAQueryThatSeesNothing) {
  std::mt19937 rng(7);
  Host host(1);
  for (int64_t queries : {1, 60}) {
    const Case c{1, 2, 1, queries, 70, 16, 16, 0, 0, 0, -1, Mask::kBool, {queries, 70}};
    Operands o(c, OPMUX_F32, false, rng);
    o.mask->each([&](const Index& i) { o.mask->set(i, i[0] % 2); });
    ASSERT_TRUE(run_op(host, o.d, o.args));
    o.y->each([&](const Index& i) { EXPECT_EQ(o.y->get(i) == 0, i[2] % 2 == 0) << text(i); });
  }
}

TEST(Attention, LeavesOutTheValuesOfKeysThatAreNotSeen) {
  std::mt19937 rng(8);
  Host host(1);
  for (int64_t queries : {2, 80}) {
    const Case c{1, 2, 1, queries, 90, 16, 16, 0, 0, 0, -1, Mask::kBool, {queries, 90}};
    Operands o(c, OPMUX_F32, false, rng);
    o.mask->each([&](const Index& i) { o.mask->set(i, i[1] % 7 != 3 || i[0] == 1); });
    o.v->each([&](const Index& i) {
      if (i[2] % 7 == 3) o.v->set(i, i[3] % 2 ? NAN : INFINITY);  // seen by query 1 alone
    });
    const Truth truth = Oracle::get().evaluate(o.d, o.args);
    ASSERT_TRUE(run_op(host, o.d, o.args));
    size_t at = 0;
    o.y->each([&](const Index& i) {
      const double want = truth[at++], y = o.y->get(i);
      if (i[2] == 1)
        EXPECT_FALSE(std::isfinite(y)) << text(i);
      else
        EXPECT_NEAR(y, want, 1e-5) << text(i);
    });
  }
}

TEST(Attention, KeepsNaNOfAKeyThatIsSeen) {
  std::mt19937 rng(9);
  Host host(1);
  const Case c{1, 1, 1, 60, 60, 16, 16, 0, 0, 1};
  Operands o(c, OPMUX_F32, false, rng);
  o.k->set({0, 0, 50, 3}, NAN);
  ASSERT_TRUE(run_op(host, o.d, o.args));
  o.y->each([&](const Index& i) { EXPECT_EQ(std::isnan(o.y->get(i)), i[2] >= 50) << text(i); });
}

TEST(Attention, SurvivesScoresThatAreFarApart) {
  std::mt19937 rng(10);
  Host host(1);
  Case c{1, 1, 1, 50, 300, 16, 16};
  c.scale = 40;
  check(c, OPMUX_F32, false, host, rng);
}

TEST(Attention, GivesTheSameBitsForAnyNumberOfThreads) {
  std::mt19937 rng(11);
  for (const Case& c :
       {Case{2, 8, 2, 130, 130, 64, 64, 0, 0, 1}, Case{2, 16, 4, 1, 1, 64, 64, 600, 555, 1}}) {
    Operands o(c, OPMUX_F32, false, rng);
    expect_same_bits({&*o.y}, describe(c), [&](Host& host) { ASSERT_TRUE(run_op(host, o.d, o.args)); });
  }
}

TEST(Attention, SaysWhyItRefuses) {
  std::mt19937 rng(12);
  Operands apart({1, 2, 1, 3, 3, 8, 8, 16, 0, 1}, OPMUX_F32, false, rng);
  apart.store_state();
  apart.d.alias({0, 0, 0});
  const Answer alias = ask(apart.d.opd());
  EXPECT_EQ(alias.cap.verdict, OPMUX_NO);
  EXPECT_EQ(alias.cap.why, OPMUX_WHY_ALIAS);
  Operands wide({1, 1, 1, 1, 1, 20000, 8}, OPMUX_F32, false, rng);
  const Answer no = ask(wide.d.opd());
  EXPECT_EQ(no.cap.verdict, OPMUX_NO);
  EXPECT_EQ(no.cap.why, OPMUX_WHY_DIM);
  EXPECT_EQ(no.cap.why_have, 20000);
  EXPECT_EQ(no.cap.why_limit, 1 << 14);
}

}  // namespace
}  // namespace opmux::test
