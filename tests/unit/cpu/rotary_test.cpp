// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "every_instruction_set.hpp"
#include "opmux/ops/position.gen.h"
#include "oracle.hpp"
#include "run_fault.hpp"

namespace opmux::test {
namespace {

struct Case {
  int64_t batch, heads, tokens, width, pairs;
  int64_t places = 0;  // rows of the caches; 0: one for each token
};

const Case kCases[] = {{1, 1, 1, 2, 1, 3},    {2, 3, 5, 8, 4, 7},     {2, 3, 5, 8, 4},
                       {1, 2, 3, 127, 31},    {1, 2, 3, 127, 63, 4},  {1, 8, 40, 128, 64, 200},
                       {1, 2, 4, 64, 17, 9},  {2, 5, 3, 33, 16},      {1, 1, 2, 1, 0},
                       {3, 1, 60, 80, 20, 5}, {1, 32, 1, 128, 64, 7}, {0, 2, 3, 8, 4, 7},
                       {2, 2, 0, 8, 4, 7},    {2, 0, 3, 8, 4, 7}};

struct Operands {
  Operands(const Case& c, uint32_t type, uint32_t cache, uint32_t index, bool odd, std::mt19937& rng) {
    const auto make = [&](uint32_t t, const Index& dims) { return test::make(t, dims, odd, rng); };
    const Index rows = c.places > 0 ? Index{c.places, c.pairs} : Index{c.batch, c.tokens, c.pairs};
    x.emplace(make(type, {c.batch, c.heads, c.tokens, c.width})).random(rng);
    y.emplace(make(type, {c.batch, c.heads, c.tokens, c.width}));
    cosine.emplace(make(cache, rows)).random(rng);
    sine.emplace(make(cache, rows)).random(rng);
    d.in(x->t).in(cosine->t).in(sine->t);
    args = {x->data(), cosine->data(), sine->data()};
    if (c.places > 0) {
      positions.emplace(make(index, {c.batch, c.tokens}));
      positions->each([&](const Index& i) {
        positions->set(i, static_cast<double>(rng() % static_cast<uint32_t>(c.places)));
      });
      d.in(positions->t);
      args.push_back(positions->data());
    }
    d.out(y->t);
    args.push_back(y->data());
  }
  std::optional<Tensor> x, y, cosine, sine, positions;
  kit::Desc<opmux_op_rotary> d{OPMUX_OP_ROTARY};
  std::vector<void*> args;
};

// Runs and compares: y is the result.
void check(Host& host, kit::Desc<opmux_op_rotary>& d, const std::vector<void*>& args, const Tensor& y,
           const std::string& what) {
  const uint32_t type = y.t.dtype;
  const bool narrow = type != OPMUX_F64 && type != OPMUX_F32;
  run_and_compare(host, d, args, {&y}, what, [&](size_t, size_t i, double want, const Truth& truth) {
    return 3 * wide_roundoff(type) * truth.magnitude[i] + (narrow ? spacing(type, want) : 0.0);
  });
}

void check(const Case& c, uint32_t type, uint32_t cache, bool odd, Host& host, std::mt19937& rng) {
  for (uint32_t interleaved : {0u, 1u}) {
    Operands o(c, type, cache, odd ? OPMUX_I32 : OPMUX_I64, odd, rng);
    o.d->interleaved = interleaved;
    const std::string what = text({c.batch, c.heads, c.tokens, c.width, c.pairs, c.places}) +
                             (odd ? " odd" : "") + (interleaved ? " interleaved" : "");
    check(host, o.d, o.args, *o.y, what);
  }
}

TEST(Rotary, AgreesWithTheReferenceForAllTypesAndStrides) {
  std::mt19937 rng(1);
  Host host(3);
  for (const Case& c : kCases)
    for (bool odd : {false, true}) {
      for (uint32_t type : {OPMUX_F64, OPMUX_F32, OPMUX_F16, OPMUX_BF16})
        check(c, type, type, odd, host, rng);
      check(c, OPMUX_F16, OPMUX_F32, odd, host, rng);
    }
}

TEST(Rotary, AgreesWithTheReferenceOnEveryInstructionSet) {
  std::mt19937 rng(2);
  Host host(1);
  on_every_instruction_set([&] {
    for (const Case& c : kCases)
      for (uint32_t type : {OPMUX_F64, OPMUX_F32}) check(c, type, type, false, host, rng);
  });
}

TEST(Rotary, TurnsInPlace) {
  std::mt19937 rng(3);
  Host host(2);
  for (const Case& c : {Case{2, 3, 5, 64, 20, 7}, Case{1, 2, 3, 31, 15}})
    for (bool odd : {false, true})
      for (uint32_t interleaved : {0u, 1u}) {
        Operands o(c, OPMUX_F32, OPMUX_F32, OPMUX_I64, odd, rng);
        o.d->interleaved = interleaved;
        kit::Desc<opmux_op_rotary> d{OPMUX_OP_ROTARY};
        for (const opmux_tdesc& t : o.d.inputs()) d.in(t);
        d.out(o.x->t).alias({1});
        d->interleaved = interleaved;
        o.args.back() = o.x->data();
        check(host, d, o.args, *o.x, "in place");
      }
}

TEST(Rotary, KeepsTheBitsOfElementsThatAreNotTurned) {
  std::mt19937 rng(4);
  Host host(1);
  Operands o({1, 1, 2, 8, 2, 3}, OPMUX_F16, OPMUX_F16, OPMUX_I32, false, rng);
  o.x->set({0, 0, 1, 6}, NAN);
  o.x->set({0, 0, 1, 7}, -0.0);
  ASSERT_TRUE(run_op(host, o.d, o.args));
  for (int64_t s : {0, 1})
    EXPECT_EQ(std::memcmp(static_cast<char*>(o.x->data()) + s * 16 + 8,
                          static_cast<char*>(o.y->data()) + s * 16 + 8, 8),
              0);
}

TEST(Rotary, SaysWhichPositionIsOutOfRangeAndWritesNothing) {
  std::mt19937 rng(5);
  for (double bad : {7.0, -1.0}) {
    Host host(2);
    Operands o({2, 3, 5, 8, 4, 7}, OPMUX_F32, OPMUX_F32, OPMUX_I64, false, rng);
    o.positions->set({1, 2}, bad);
    const std::vector<std::byte> before = o.y->memory();
    expect_fault(
        host, o.d, o.args, 3,
        "rotary: position " + std::to_string(static_cast<int>(bad)) + " of token 7 is outside [0, 6]");
    EXPECT_EQ(o.y->memory(), before);
  }
}

}  // namespace
}  // namespace opmux::test
