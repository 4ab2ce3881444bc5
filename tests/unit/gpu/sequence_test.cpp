// SPDX-License-Identifier: Apache-2.0
// Plans of rotary, recurrent, linear_attention, selective_scan and lrn.
#include "tests/unit/gpu/recorded_plan.hpp"

namespace opmux::gpu {
namespace {

kit::Desc<opmux_op_rotary> rotary(bool located) {
  kit::Desc<opmux_op_rotary> d(OPMUX_OP_ROTARY);
  const std::vector<int64_t> cache = located ? std::vector<int64_t>{7, 3} : std::vector<int64_t>{2, 5, 3};
  d.in(kit::tensor(OPMUX_F16, {2, 3, 5, 8}));
  d.in(kit::tensor(OPMUX_F32, cache)).in(kit::tensor(OPMUX_F32, cache));
  if (located) d.in(kit::tensor(OPMUX_I64, {2, 5}));
  d.out(kit::tensor(OPMUX_F16, {2, 3, 5, 8}));
  return d;
}

TEST(RotaryPlan, ALaneMakesAPairOrMovesAnElementBehindThem) {
  auto d = rotary(true);
  const Recorded p = planned(plan_rotary, d.opd());
  EXPECT_EQ(p.word(0, "items"), 5u) << "3 pairs and 2 elements";
  EXPECT_EQ(p.word(0, "count"), 2u * 3 * 5 * 5);
  EXPECT_EQ(p.groups(0), 2u);
  EXPECT_EQ(p.word(0, "limit"), 7u);
  EXPECT_EQ(p.word(0, "words"), 2u);
}

TEST(RotaryPlan, TheResultMayLieInPlaceOfTheInputOnly) {
  auto d = rotary(false), other = rotary(false);
  d.alias({1});
  EXPECT_TRUE(planned(plan_rotary, d.opd()).yes);
  other.alias({2});
  planned(plan_rotary, other.opd()).expect_no(OPMUX_WHY_ALIAS, 3, 2, 0);
}

kit::Desc<opmux_op_recurrent> recurrent(uint32_t kind, int64_t hidden, int64_t steps = 5) {
  kit::Desc<opmux_op_recurrent> d(OPMUX_OP_RECURRENT);
  const int64_t gates = kind == OPMUX_RECURRENT_LSTM ? 4 : kind == OPMUX_RECURRENT_GRU ? 3 : 1;
  d->kind = kind;
  d->direction = OPMUX_DIRECTION_BOTH;
  d.in(kit::tensor(OPMUX_F32, {steps, 3, 4})).in(kit::tensor(OPMUX_F32, {2, gates * hidden, 4}));
  d.in(kit::tensor(OPMUX_F32, {2, gates * hidden, hidden}))
      .out(kit::tensor(OPMUX_F32, {steps, 2, 3, hidden}));
  return d;
}

TEST(RecurrentPlan, AStageTakesTheStateInOneEachStepAndOneGivesItOut) {
  auto d = recurrent(OPMUX_RECURRENT_LSTM, 7);
  const Recorded p = planned(plan_recurrent, d.opd());
  EXPECT_EQ(p.kernel_line(), "recurrent");
  const auto& dispatches = p.plan.steps[0].dispatches;
  ASSERT_EQ(dispatches.size(), 7u);
  for (uint32_t i = 0; i < 7; ++i) EXPECT_EQ(dispatches[i].first, i);
  EXPECT_EQ(p.plan.workspace, 4u * 2 * 3 * 7 * sizeof(float));
}

TEST(RecurrentPlan, AGruThatResetsBeforeItsProductHasTwoStagesAStep) {
  auto d = recurrent(OPMUX_RECURRENT_GRU, 7), linear = recurrent(OPMUX_RECURRENT_GRU, 7);
  linear->linear_before_reset = 1;
  EXPECT_EQ(planned(plan_recurrent, d.opd()).plan.steps[0].dispatches.size(), 12u);
  EXPECT_EQ(planned(plan_recurrent, linear.opd()).plan.steps[0].dispatches.size(), 7u);
}

TEST(RecurrentPlan, LongSumsAreSharedByLanes) {
  auto d = recurrent(OPMUX_RECURRENT_RNN, 300);
  const Recorded p = planned(plan_recurrent, d.opd());
  EXPECT_EQ(p.word(0, "width"), 64u);
  EXPECT_EQ(p.groups(0), 7u * (2 * 3 * 300 * 64 / 128));
}

TEST(RecurrentPlan, StatesBeyondABindingOrTheGroupsOfADispatchAreRefused) {
  auto d = recurrent(OPMUX_RECURRENT_RNN, 128);
  opmux_devinfo few = roomy_device();
  few.max_groups[0] = 95;  // 2 directions, 3 entries, 128 units of 16 lanes: 96 groups
  planned(plan_recurrent, d.opd(), few).expect_no(OPMUX_WHY_DIM, 2, 96, 95);
  opmux_devinfo small = roomy_device();
  auto tall = recurrent(OPMUX_RECURRENT_RNN, 8, 1);
  small.max_binding_bytes = 512 + 256;
  planned(plan_recurrent, tall.opd(), small)
      .expect_no(OPMUX_WHY_MEMORY, OPMUX_NO_ARG, 4 * 2 * 3 * 8 * 4, 512);
}

TEST(LinearAttentionPlan, LanesShareAColumnOfTheStateInTheWorkspace) {
  kit::Desc<opmux_op_linear_attention> d(OPMUX_OP_LINEAR_ATTENTION);
  d.in(kit::tensor(OPMUX_F32, {2, 4, 5, 64})).in(kit::tensor(OPMUX_F32, {2, 2, 5, 64}));
  d.in(kit::tensor(OPMUX_F32, {2, 2, 5, 17})).in(kit::tensor(OPMUX_F16, {2, 2, 64, 17}));
  d.out(kit::tensor(OPMUX_F32, {2, 4, 5, 17})).out(kit::tensor(OPMUX_F16, {2, 2, 64, 17}));
  const Recorded p = planned(plan_linear_attention, d.opd());
  EXPECT_EQ(p.word(0, "width"), 8u);
  EXPECT_EQ(p.word(0, "count"), 68u);
  EXPECT_EQ(p.word(0, "group"), 2u);
  EXPECT_EQ(p.plan.workspace, 68u * 64 * sizeof(float));
  EXPECT_EQ(p.groups(0), 5u);
  opmux_devinfo small = roomy_device();
  small.max_binding_bytes = 17000 + 256;  // of all operands q is the longest, with 10240 bytes
  planned(plan_linear_attention, d.opd(), small).expect_no(OPMUX_WHY_MEMORY, OPMUX_NO_ARG, 17408, 17000);
}

TEST(SelectiveScanPlan, LanesShareTheStateOfAChannel) {
  kit::Desc<opmux_op_selective_scan> d(OPMUX_OP_SELECTIVE_SCAN);
  d.in(kit::tensor(OPMUX_F64, {2, 7, 33})).in(kit::tensor(OPMUX_F64, {2, 7, 33}));
  d.in(kit::tensor(OPMUX_F64, {33, 16})).in(kit::tensor(OPMUX_F64, {2, 7, 3, 16}));
  d.in(kit::tensor(OPMUX_F64, {2, 7, 3, 16})).out(kit::tensor(OPMUX_F64, {2, 7, 33}));
  const Recorded p = planned(plan_selective_scan, d.opd());
  EXPECT_EQ(p.word(0, "width"), 2u);
  EXPECT_EQ(p.word(0, "per_group"), 11u);
  EXPECT_EQ(p.plan.workspace, 66u * 16 * sizeof(double));
  opmux_devinfo plain = roomy_device();
  plain.features = OPMUX_FEAT_I64;
  planned(plan_selective_scan, d.opd(), plain).expect_no(OPMUX_WHY_FEATURE, 0, OPMUX_FEAT_F64, 0);
}

TEST(LrnPlan, AnEvenWindowReachesFurtherBehind) {
  kit::Desc<opmux_op_lrn> d(OPMUX_OP_LRN);
  d->size = 4;
  d->beta = 3;
  d.in(kit::tensor(OPMUX_F32, {2, 5, 129})).out(kit::tensor(OPMUX_F32, {2, 5, 129}));
  const Recorded p = planned(plan_lrn, d.opd());
  EXPECT_EQ(p.word(0, "below"), 1u);
  EXPECT_EQ(p.word(0, "above"), 2u);
  EXPECT_EQ(p.word(0, "whole"), 1u);
  EXPECT_EQ(p.word(0, "odd"), 1u);
  EXPECT_EQ(p.groups(0), 11u);
}

}  // namespace
}  // namespace opmux::gpu
