// SPDX-License-Identifier: Apache-2.0
#include "opmux/ops/recurrent.gen.h"

#include <gmock/gmock.h>

#include "op_case.hpp"

namespace opmux::test {
namespace {

struct Layer {
  uint32_t kind, direction;
  int64_t steps, batch, width, hidden;
  bool bias = true, lengths = false, initial = true, peepholes = false;
  uint32_t linear_before_reset = 0, input_forget = 0;
  float clip = 0;
  uint32_t activation[3] = {OPMUX_ACT_SIGMOID, OPMUX_ACT_TANH, OPMUX_ACT_TANH};
};

using Case = OpCase<opmux_op_recurrent>;

void fill(Case& c, const Layer& l, uint32_t dtype, std::mt19937& rng) {
  const int64_t d = l.direction == OPMUX_DIRECTION_BOTH ? 2 : 1,
                rows = (l.kind == 1 ? 1 : l.kind + 1) * l.hidden;
  const bool lstm = l.kind == OPMUX_RECURRENT_LSTM;
  c.in(dtype, {l.steps, l.batch, l.width});
  c.in(dtype, {d, rows, l.width});
  c.in(dtype, {d, rows, l.hidden});
  l.bias ? (void)c.in(dtype, {d, 2 * rows}) : c.no_in();
  if (l.lengths) {
    Tensor& t = c.in(rng() % 2 ? OPMUX_I32 : OPMUX_I64, {l.batch});
    t.each(
        [&](const Index& i) { t.set(i, static_cast<double>(rng() % static_cast<uint64_t>(l.steps + 1))); });
  } else {
    c.no_in();
  }
  l.initial ? (void)c.in(dtype, {d, l.batch, l.hidden}) : c.no_in();
  l.initial&& lstm ? (void)c.in(dtype, {d, l.batch, l.hidden}) : c.no_in();
  l.peepholes ? (void)c.in(dtype, {d, 3 * l.hidden}) : c.no_in();
  c.out(dtype, {l.steps, d, l.batch, l.hidden});
  c.out(dtype, {d, l.batch, l.hidden});
  if (lstm) c.out(dtype, {d, l.batch, l.hidden});
  c->kind = l.kind;
  c->direction = l.direction;
  c->linear_before_reset = l.linear_before_reset;
  c->input_forget = l.input_forget;
  c->clip = l.clip;
  for (uint32_t i = 0; i < 6; ++i) {
    if (static_cast<int64_t>(i) / 3 >= d || i % 3 >= l.kind) continue;
    (&c->activation0)[i] = l.activation[i % 3];
    (&c->alpha0)[i] = 0.7f;
    (&c->beta0)[i] = 0.3f;
  }
}

void check(const Layer& l, uint32_t dtype, bool odd, bool constant, Host& host, std::mt19937& rng) {
  Case c(OPMUX_OP_RECURRENT, odd, rng);
  fill(c, l, dtype, rng);
  if (constant) c.desc.inputs()[1].flags |= OPMUX_T_CONST, c.desc.inputs()[2].flags |= OPMUX_T_CONST;
  const std::string what = "kind " + std::to_string(l.kind) + " direction " + std::to_string(l.direction) +
                           " " + text({l.steps, l.batch, l.width, l.hidden}) + (odd ? " odd" : "") +
                           " type " + std::to_string(dtype & 31u);
  c.check(host, what, [&](size_t, size_t i, const Truth& t) {
    return dot_bound(dtype, 8, static_cast<double>(l.width + l.hidden), t.magnitude[i]);
  });
}

constexpr uint32_t kRnn = OPMUX_RECURRENT_RNN, kGru = OPMUX_RECURRENT_GRU, kLstm = OPMUX_RECURRENT_LSTM;
constexpr uint32_t kForward = OPMUX_DIRECTION_FORWARD, kReverse = OPMUX_DIRECTION_REVERSE,
                   kBoth = OPMUX_DIRECTION_BOTH;

const Layer kLayers[] = {
    {kRnn, kForward, 5, 3, 4, 7},
    {kRnn, kBoth, 4, 1, 33, 65, false, true, false},
    {.kind = kRnn, .direction = kReverse, .steps = 3, .batch = 2, .width = 0, .hidden = 3},
    {kGru, kBoth, 6, 5, 9, 17, true, true},
    {.kind = kGru,
     .direction = kForward,
     .steps = 4,
     .batch = 17,
     .width = 5,
     .hidden = 130,
     .linear_before_reset = 1},
    {.kind = kGru,
     .direction = kReverse,
     .steps = 4,
     .batch = 2,
     .width = 3,
     .hidden = 5,
     .bias = false,
     .lengths = true,
     .linear_before_reset = 1,
     .clip = 0.5f},
    {kLstm, kForward, 7, 3, 17, 33, true, true, true, true},
    {kLstm, kBoth, 3, 40, 65, 70},
    {.kind = kLstm,
     .direction = kReverse,
     .steps = 5,
     .batch = 2,
     .width = 3,
     .hidden = 4,
     .initial = false,
     .peepholes = true,
     .input_forget = 1,
     .clip = 0.4f},
    {kLstm, kForward, 1, 1, 1, 1},
    {kLstm, kForward, 0, 2, 3, 4},
    {kGru, kForward, 3, 0, 3, 4},
    {kLstm, kForward, 2, 1, 500, 129},
};

TEST(Recurrent, AgreesWithTheReferenceForAllTypesAndStrides) {
  std::mt19937 rng(1);
  Host host(3);
  for (const Layer& l : kLayers)
    for (uint32_t dtype : {OPMUX_F32, OPMUX_F64, OPMUX_F16, OPMUX_BF16})
      for (bool odd : {false, true}) check(l, dtype, odd, odd, host, rng);
}

TEST(Recurrent, AgreesWithTheReferenceOnEveryInstructionSet) {
  std::mt19937 rng(2);
  Host host(1);
  on_every_instruction_set([&] {
    for (const Layer& l : kLayers) check(l, OPMUX_F32, false, true, host, rng);
  });
}

TEST(Recurrent, KnowsEveryActivation) {
  std::mt19937 rng(3);
  Host host(1);
  for (uint32_t f = OPMUX_ACT_TANH; f <= OPMUX_ACT_SOFTPLUS; ++f)
    for (uint32_t dtype : {OPMUX_F32, OPMUX_F64}) {
      // A jump may be taken on the other side.
      const uint32_t g = f == OPMUX_ACT_THRESHOLDED_RELU ? uint32_t{OPMUX_ACT_RELU} : f;
      check({.kind = kLstm,
             .direction = kBoth,
             .steps = 2,
             .batch = 2,
             .width = 3,
             .hidden = 37,
             .activation = {g, g, g}},
            dtype, false, false, host, rng);
    }
}

TEST(Recurrent, ThresholdedReluIsZeroUpToItsThreshold) {
  std::mt19937 rng(4);
  Host host(1);
  Case c(OPMUX_OP_RECURRENT, false, rng);
  fill(c,
       {.kind = kRnn,
        .direction = kForward,
        .steps = 1,
        .batch = 1,
        .width = 1,
        .hidden = 1,
        .bias = false,
        .initial = false,
        .activation = {OPMUX_ACT_THRESHOLDED_RELU}},
       OPMUX_F32, rng);
  for (const auto& [x, y] : {std::pair{0.699f, 0.0f}, {0.7f, 0.0f}, {0.71f, 0.71f}, {-1.0f, 0.0f}}) {
    *static_cast<float*>(c.args[0]) = x;
    *static_cast<float*>(c.args[1]) = 1;
    ASSERT_TRUE(run_op(host, c.desc, c.args));
    EXPECT_EQ(*static_cast<float*>(c.args[8]), y) << x;
  }
}

TEST(Recurrent, GivesTheSameBitsForAnyNumberOfThreads) {
  std::mt19937 rng(5);
  for (const Layer& l : {Layer{kLstm, kBoth, 9, 3, 65, 257}, Layer{kGru, kForward, 5, 33, 200, 129}}) {
    Case c(OPMUX_OP_RECURRENT, false, rng);
    fill(c, l, OPMUX_F32, rng);
    Host one(1);
    const auto first = c.bytes(one);
    for (uint32_t threads : {2u, 7u}) {
      Host host(threads);
      EXPECT_EQ(c.bytes(host), first) << threads << " threads";
    }
  }
}

TEST(Recurrent, UpdatesItsStateInPlace) {
  std::mt19937 rng(6);
  Host host(2);
  const int64_t hidden = 9;
  Case c(OPMUX_OP_RECURRENT, false, rng);
  c.in(OPMUX_F32, {2, 3, 4});
  c.in(OPMUX_F32, {1, 4 * hidden, 4});
  c.in(OPMUX_F32, {1, 4 * hidden, hidden});
  c.no_in();
  c.no_in();
  Tensor& h = c.in(OPMUX_F32, {1, 3, hidden});
  Tensor& cell = c.in(OPMUX_F32, {1, 3, hidden});
  c.no_in();
  c.out(OPMUX_F32, {2, 1, 3, hidden});
  c->kind = kLstm;
  c->direction = kForward;
  c->activation0 = OPMUX_ACT_SIGMOID;
  c->activation1 = c->activation2 = OPMUX_ACT_TANH;
  c.desc.out(h.t).out(cell.t).alias({0, 6, 7});
  c.args.push_back(h.data());
  c.args.push_back(cell.data());
  const Truth truth_h = Oracle::get().evaluate(c.desc, c.args, 1),
              truth_c = Oracle::get().evaluate(c.desc, c.args, 2);
  const Answer a = ask(c.desc.opd());
  ASSERT_TRUE(a.op);
  void* state = nullptr;
  ASSERT_EQ(a.op->prepare(host.api(), c.desc.opd(), &state, nullptr), OPMUX_OK);
  std::vector<std::byte> ws(a.cap.ws_min);
  const kit_call call{c.desc.opd(), c.args.data(), ws.data(), nullptr, state, host.api(), 0};
  EXPECT_EQ(a.op->run(&call, nullptr), OPMUX_OK);
  a.op->release(host.api(), state);
  expect_close(h, truth_h, "h", [](size_t, double) { return 1e-5; });
  expect_close(cell, truth_c, "c", [](size_t, double) { return 1e-5; });
}

TEST(Recurrent, ReportsALengthOutOfRange) {
  std::mt19937 rng(7);
  Host host(1);
  Case c(OPMUX_OP_RECURRENT, false, rng);
  fill(c,
       {.kind = kRnn,
        .direction = kForward,
        .steps = 4,
        .batch = 2,
        .width = 1,
        .hidden = 1,
        .lengths = true,
        .activation = {OPMUX_ACT_TANH}},
       OPMUX_F32, rng);
  for (int64_t bad : {5, -1}) {
    if (c.desc.inputs()[4].dtype == OPMUX_I32)
      static_cast<int32_t*>(c.args[4])[1] = static_cast<int32_t>(bad);
    else
      static_cast<int64_t*>(c.args[4])[1] = bad;
    EXPECT_THAT(c.fault(host),
                testing::EndsWith("length " + std::to_string(bad) + " at position 1 is outside [0, 4]"));
  }
}

}  // namespace
}  // namespace opmux::test
