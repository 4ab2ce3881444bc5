// SPDX-License-Identifier: Apache-2.0
// Plans of quant_matmul, grouped_matmul and dynamic_quantise.
#include "gpu/ops/values.hpp"
#include "tests/unit/gpu/recorded_plan.hpp"

namespace opmux::gpu {
namespace {

kit::Desc<opmux_op_quant_matmul> quant(uint32_t a, uint32_t b, uint32_t acc = OPMUX_F32) {
  kit::Desc<opmux_op_quant_matmul> d(OPMUX_OP_QUANT_MATMUL);
  d->acc_dtype = acc;
  d->b_group = 32;
  d.in(kit::tensor(a, {3, 257})).in(kit::tensor(b, {257, 70})).out(kit::tensor(acc, {3, 70}));
  return d;
}

TEST(QuantMatmulPlan, CodesOfEveryFormatShareAText) {
  auto i4 = quant(OPMUX_F32, OPMUX_I4), e4m3 = quant(OPMUX_F32, OPMUX_E4M3FN);
  const Recorded p = planned(plan_quant_matmul, i4.opd()), q = planned(plan_quant_matmul, e4m3.opd());
  EXPECT_EQ(p.text(0), q.text(0));
  EXPECT_EQ(p.word(0, "b_format"), 1u | 4u << 4);
  EXPECT_EQ(q.word(0, "b_format"), code_format(OPMUX_E4M3FN));
  EXPECT_EQ(p.word(0, "bs_format"), 0u) << "no scale";
  EXPECT_EQ(p.word(0, "b_group"), 32u);
  EXPECT_EQ(p.word(0, "a_group"), UINT32_MAX) << "one group";
  EXPECT_EQ(p.plan.steps[0].dispatches.at(0).groups[0], 3u);
}

TEST(QuantMatmulPlan, IntegersAreSummedAsIntegers) {
  auto d = quant(OPMUX_U8, OPMUX_I8, OPMUX_I32);
  const Recorded p = planned(plan_quant_matmul, d.opd());
  EXPECT_EQ(p.plan.steps[0].source.types.at("sum"), OPMUX_I32);
  EXPECT_EQ(p.plan.steps[0].source.types.at("a"), OPMUX_U8);
}

TEST(QuantMatmulPlan, MoreTilesThanGroupsAreRefused) {
  opmux_devinfo info = roomy_device();
  info.max_groups[0] = 2;
  auto d = quant(OPMUX_F32, OPMUX_I4);
  planned(plan_quant_matmul, d.opd(), info).expect_no(OPMUX_WHY_DIM, 2, 70, 64);
}

TEST(QuantMatmulPlan, HalfABytePerElementReachesWholeBytes) {
  opmux_tdesc t = kit::tensor(OPMUX_I4, {3, 5});
  EXPECT_EQ(reach_of(t).high, 8);
  t.stride[0] = -5;
  EXPECT_EQ(reach_of(t).low, -5);
  EXPECT_EQ(reach_of(t).high, 3);
}

TEST(GroupedMatmulPlan, TilesAreCountedAsIfEveryGroupEndedInOne) {
  kit::Desc<opmux_op_grouped_matmul> d(OPMUX_OP_GROUPED_MATMUL);
  d->acc_dtype = OPMUX_F32;
  d.in(kit::tensor(OPMUX_F32, {129, 65})).in(kit::tensor(OPMUX_F32, {7, 65, 40}));
  d.in(kit::tensor(OPMUX_I32, {8})).out(kit::tensor(OPMUX_F32, {129, 40}));
  const Recorded p = planned(plan_grouped_matmul, d.opd());
  EXPECT_EQ(p.kernel_line(), "check_indices grouped_matmul");
  EXPECT_EQ(p.word(1, "parts"), 9u) << "groups, and the rows before and behind them";
  EXPECT_EQ(p.plan.steps[1].dispatches.at(0).groups[0], 2u);
  EXPECT_EQ(p.plan.steps[1].dispatches.at(0).groups[1], 129u / 32 + 9);
  opmux_devinfo few = roomy_device();
  few.max_groups[1] = 5;
  const Recorded split = planned(plan_grouped_matmul, d.opd(), few);
  ASSERT_EQ(split.plan.steps[1].dispatches.size(), 3u);
  EXPECT_EQ(split.plan.steps[1].dispatches[2].first, 10u);
  EXPECT_EQ(split.plan.steps[1].dispatches[2].groups[1], 3u);
}

kit::Desc<opmux_op_dynamic_quantise> quantise(uint32_t dtype, bool zero) {
  kit::Desc<opmux_op_dynamic_quantise> d(OPMUX_OP_DYNAMIC_QUANTISE);
  d->axis = 1;
  d->block = 16;
  d->dtype = dtype;
  d.in(kit::tensor(OPMUX_F32, {31, 33}))
      .out(kit::tensor(dtype, {31, 33}))
      .out(kit::tensor(OPMUX_F32, {31, 3}));
  if (zero) d.out(kit::tensor(dtype, {31, 3}));
  return d;
}

TEST(DynamicQuantisePlan, ALaneMakesAByteOfCodes) {
  auto d = quantise(OPMUX_U4, true);
  const Recorded p = planned(plan_dynamic_quantise, d.opd());
  EXPECT_EQ(p.kernel_line(), "quantise_scale quantise quantise");
  EXPECT_EQ(p.word(1, "per"), 2u);
  EXPECT_EQ(p.word(1, "bytes"), (31u * 33 + 1) / 2);
  EXPECT_EQ(p.word(2, "bytes"), (31u * 3 + 1) / 2);
  EXPECT_EQ(p.plan.workspace, 31u * 3 * 4);
  auto floats = quantise(OPMUX_E5M2, false);
  EXPECT_EQ(planned(plan_dynamic_quantise, floats.opd()).kernel_line(), "quantise_scale quantise");
}

TEST(DynamicQuantisePlan, RunningBackwardsTheFirstByteMayHoldElementsOfNobody) {
  auto d = quantise(OPMUX_I4, false);
  d.outputs()[0].stride[0] = -33;
  const Recorded p = planned(plan_dynamic_quantise, d.opd());
  EXPECT_EQ(p.word(1, "skip"), 495u) << "30 rows of 33, in bytes";
  EXPECT_EQ(p.word(1, "span"), 0u);
  d.outputs()[0].stride[0] = -35;
  d.outputs()[0].dim[0] = 30;
  d.inputs()[0].dim[0] = 30;
  d.outputs()[1].dim[0] = 30;
  const Recorded odd = planned(plan_dynamic_quantise, d.opd());
  EXPECT_EQ(odd.word(1, "skip"), 508u);
  EXPECT_EQ(odd.word(1, "span"), 1u) << "1016 places in bytes, 1015 elements before the first";
}

TEST(DynamicQuantisePlan, RowsThatLieWithinEachOtherAreRefused) {
  auto d = quantise(OPMUX_I8, false);
  d.outputs()[0].stride[0] = 3;
  d.outputs()[0].stride[1] = 2;
  planned(plan_dynamic_quantise, d.opd()).expect_no(OPMUX_WHY_STRIDE, 1, 3, 65);
}

}  // namespace
}  // namespace opmux::gpu
