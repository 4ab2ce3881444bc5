// SPDX-License-Identifier: Apache-2.0
// Plans of what works row by row: when several groups share a row, and what each step does.
#include "opmux/ops/normalise.gen.h"
#include "opmux/ops/reduce.gen.h"
#include "tests/unit/gpu/recorded_plan.hpp"

namespace opmux::gpu {
namespace {

kit::Desc<opmux_op_reduce> reduce(uint32_t kind, int64_t rows, int64_t len) {
  kit::Desc<opmux_op_reduce> d(OPMUX_OP_REDUCE);
  d->kind = kind;
  d->axes = {0, 1};
  const bool arg = kind == OPMUX_REDUCE_ARGMAX;
  d.in(kit::tensor(OPMUX_F32, {rows, len})).out(kit::tensor(arg ? OPMUX_I64 : OPMUX_F32, {rows, 1}));
  return d;
}

// Rows along axis 1.
Recorded planned_reduce(uint32_t kind, int64_t rows, int64_t len) {
  auto d = reduce(kind, rows, len);
  opmux_opd* o = d.opd();
  const int64_t axis = 1;
  o->list = &axis;
  o->n_list = 1;
  return planned(plan_reduce, o);
}

TEST(ReducePlan, RowsOfUsualLengthAreOneStepWithoutWorkspace) {
  const Recorded p = planned_reduce(OPMUX_REDUCE_SUM, 40, 16383);
  ASSERT_EQ(p.steps(), 1u);
  EXPECT_EQ(p.cap.ws_min, 0u);
  EXPECT_EQ(p.word(0, "stage"), 0u);
  EXPECT_EQ(p.groups(0), 40u);
}

TEST(ReducePlan, OneVeryLongRowFillsTheDeviceAndAGroupJoinsItsParts) {
  const Recorded p = planned_reduce(OPMUX_REDUCE_SUM, 1, 10000000);
  ASSERT_EQ(p.steps(), 2u);
  EXPECT_EQ(p.word(0, "stage"), 2u);
  EXPECT_EQ(p.groups(0), 1024u);
  EXPECT_EQ(p.word(0, "part"), 9766u);
  EXPECT_EQ(p.word(1, "stage"), 3u);
  EXPECT_EQ(p.word(1, "parts"), 1024u);
  EXPECT_EQ(p.groups(1), 1u);
  EXPECT_EQ(p.plan.workspace, 2u * 1024 * 4);
  EXPECT_EQ(p.cap.ws_min, p.plan.workspace);
  EXPECT_EQ(p.text(0), p.text(1));
}

TEST(ReducePlan, AVarianceHasAPassForTheMean) {
  const Recorded p = planned_reduce(OPMUX_REDUCE_VARIANCE, 4, 65537);
  ASSERT_EQ(p.steps(), 3u);
  EXPECT_EQ(p.word(0, "stage"), 1u);
  EXPECT_EQ(p.groups(0), 32u);
  EXPECT_EQ(p.groups(2), 4u);
}

TEST(ReducePlan, PositionsOfPartsAre32BitsWide) {
  const Recorded p = planned_reduce(OPMUX_REDUCE_ARGMAX, 1, 100000);
  ASSERT_EQ(p.steps(), 2u);
  EXPECT_EQ(p.plan.workspace, 2u * 12 * 4);
}

TEST(SoftmaxPlan, AVeryLongRowTakesItsMaximumItsSumAndItsElementsInSteps) {
  kit::Desc<opmux_op_softmax> d(OPMUX_OP_SOFTMAX);
  d->kind = OPMUX_SOFTMAX_LOG;
  d->axis = 1;
  d.in(kit::tensor(OPMUX_F16, {2, 150000})).out(kit::tensor(OPMUX_F16, {2, 150000}));
  const Recorded p = planned(plan_softmax, d.opd());
  ASSERT_EQ(p.steps(), 3u);
  for (size_t k = 0; k < 3; ++k) {
    EXPECT_EQ(p.word(k, "stage"), k + 1);
    EXPECT_EQ(p.groups(k), 36u);
  }
}

TEST(LayerNormPlan, WithoutAMeanThePassForItIsLeftOut) {
  kit::Desc<opmux_op_layer_norm> d(OPMUX_OP_LAYER_NORM);
  d->kind = OPMUX_NORM_RMS;
  d->axis = 1;
  d->epsilon = 1e-5f;
  d.in(kit::tensor(OPMUX_F32, {1, 50000})).out(kit::tensor(OPMUX_F32, {1, 50000}));
  const Recorded p = planned(plan_layer_norm, d.opd());
  ASSERT_EQ(p.steps(), 2u);
  EXPECT_EQ(p.word(0, "stage"), 2u);
  EXPECT_EQ(p.word(1, "split"), 6u);
}

}  // namespace
}  // namespace opmux::gpu
