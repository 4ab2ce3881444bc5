// SPDX-License-Identifier: Apache-2.0
#include "opmux/ops/reduce.gen.h"
#include "tests/unit/gpu/recorded_plan.hpp"

namespace opmux::gpu {
namespace {

kit::Desc<opmux_op_scan> scan(uint32_t kind, uint32_t dtype, std::vector<int64_t> dims, uint32_t axis) {
  kit::Desc<opmux_op_scan> d(OPMUX_OP_SCAN);
  d->kind = kind;
  d->axis = axis;
  d.in(kit::tensor(dtype, dims)).out(kit::tensor(dtype, dims));
  return d;
}

TEST(ScanPlan, ShortRowsAreOneStepWithLanesByLength) {
  auto d = scan(OPMUX_SCAN_SUM, OPMUX_F32, {31, 33}, 1);
  const Recorded p = planned(plan_scan, d.opd());
  ASSERT_EQ(p.steps(), 1u);
  EXPECT_EQ(p.plan.workspace, 0u);
  EXPECT_EQ(p.word(0, "width"), 8u);
  EXPECT_EQ(p.word(0, "piece"), 5u);
  EXPECT_EQ(p.word(0, "parts"), 1u);
  EXPECT_EQ(p.groups(0), 2u) << "31 rows of 8 lanes in groups of 128";
}

TEST(ScanPlan, ALongRowIsFoldedInPartsJoinedAndScanned) {
  auto d = scan(OPMUX_SCAN_SUM, OPMUX_F32, {1000000}, 0);
  const Recorded p = planned(plan_scan, d.opd());
  ASSERT_EQ(p.steps(), 3u);
  EXPECT_EQ(p.plan.workspace, 977u * 4);
  EXPECT_EQ(p.word(0, "fold"), 1u);
  EXPECT_EQ(p.groups(0), 977u);
  EXPECT_EQ(p.word(1, "len"), 977u);
  EXPECT_EQ(p.word(1, "exclusive"), 1u);
  EXPECT_EQ(p.groups(1), 1u);
  EXPECT_EQ(p.word(2, "fold"), 0u);
  EXPECT_EQ(p.groups(2), 977u);
  for (const BindingUse& use : p.plan.steps[0].uses) EXPECT_NE(use.arg, 1u) << "a fold does not touch y";
}

TEST(ScanPlan, ManyRowsBesideEachOtherTakeALaneEach) {
  auto d = scan(OPMUX_SCAN_MAX, OPMUX_F32, {3000, 5000}, 0);
  const Recorded p = planned(plan_scan, d.opd());
  ASSERT_EQ(p.steps(), 1u);
  EXPECT_EQ(p.word(0, "width"), 1u);
  EXPECT_EQ(p.groups(0), 40u);
}

TEST(ScanPlan, ReverseStartsAtTheLastElementAndStepsBack) {
  auto d = scan(OPMUX_SCAN_SUM, OPMUX_I32, {4, 9}, 1);
  d->reverse = 1;
  const Recorded p = planned(plan_scan, d.opd());
  EXPECT_EQ(p.word(0, "first"), 8u);
  EXPECT_EQ(p.word(0, "step"), 0xffffffffu);
}

TEST(ScanPlan, SignedAndUnsignedIntegersAndAllKindsHaveOneText) {
  auto a = scan(OPMUX_SCAN_MAX, OPMUX_I16, {9}, 0), b = scan(OPMUX_SCAN_PROD, OPMUX_U16, {9}, 0);
  const Recorded p = planned(plan_scan, a.opd()), q = planned(plan_scan, b.opd());
  EXPECT_EQ(p.text(0), q.text(0));
  EXPECT_EQ(p.word(0, "sign"), 0x8000u);
  EXPECT_EQ(p.word(0, "neutral"), 0xffff8000u);
  EXPECT_EQ(q.word(0, "neutral"), 1u);
}

TEST(ScanPlan, ProductsOfFloatsNeedDoublesAndKeepTheirOrder) {
  auto d = scan(OPMUX_SCAN_PROD, OPMUX_F32, {10000}, 0);
  opmux_devinfo info = roomy_device();
  const Recorded p = planned(plan_scan, d.opd(), info);
  ASSERT_EQ(p.steps(), 3u);
  EXPECT_EQ(p.word(0, "width"), 1u);
  EXPECT_EQ(p.word(0, "part"), 4096u);
  EXPECT_EQ(p.plan.workspace, 3u * 8);
  info.features = OPMUX_FEAT_I64;
  planned(plan_scan, d.opd(), info).expect_no(OPMUX_WHY_FEATURE, 0, OPMUX_FEAT_F64, 0);
}

TEST(ScanPlan, InPlaceNeedsTheStridesOfX) {
  auto d = scan(OPMUX_SCAN_SUM, OPMUX_F32, {4, 5}, 1);
  d.alias({1});
  const Recorded p = planned(plan_scan, d.opd());
  EXPECT_TRUE(p.yes);
  EXPECT_EQ(p.cap.inplace_mask, 1u);
  d.outputs()[0].stride[0] = 1;
  d.outputs()[0].stride[1] = 4;
  planned(plan_scan, d.opd()).expect_no(OPMUX_WHY_ALIAS, 1, 1, 0);
}

TEST(ScanPlan, MoreGroupsThanTheDeviceTakesAreSeveralDispatches) {
  opmux_devinfo info = roomy_device();
  info.max_groups[0] = 400;
  auto d = scan(OPMUX_SCAN_SUM, OPMUX_F32, {1000000}, 0);
  const Recorded p = planned(plan_scan, d.opd(), info);
  ASSERT_EQ(p.plan.steps[2].dispatches.size(), 3u);
  EXPECT_EQ(p.plan.steps[2].dispatches[2].first, 800u);
  EXPECT_EQ(p.plan.steps[2].dispatches[2].groups[0], 177u);
}

}  // namespace
}  // namespace opmux::gpu
