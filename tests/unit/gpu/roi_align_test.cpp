// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/gpu/recorded_plan.hpp"

namespace opmux::gpu {
namespace {

kit::Desc<opmux_op_roi_align> roi_align(int64_t regions, int64_t channels) {
  kit::Desc<opmux_op_roi_align> d(OPMUX_OP_ROI_ALIGN);
  d->kind = OPMUX_ROI_AVERAGE;
  d->height = 2;
  d->width = 3;
  d->spatial_scale = 0.5f;
  d.in(kit::tensor(OPMUX_F32, {2, channels, 9, 8})).in(kit::tensor(OPMUX_F32, {regions, 4}));
  d.in(kit::tensor(OPMUX_I64, {regions})).out(kit::tensor(OPMUX_F32, {regions, channels, 2, 3}));
  return d;
}

TEST(RoiAlignPlan, ALaneTakesABinOfFourChannels) {
  auto d = roi_align(5, 9);
  const Recorded r(plan_roi_align, d);
  EXPECT_EQ(r.word(0, "channels"), 3u);
  EXPECT_EQ(r.word(0, "count"), 5u * 3 * 6);
  EXPECT_EQ(r.word(0, "scale"), 0x3f000000u);
  EXPECT_EQ(r.plan.faulty_arg, 1u);
}

TEST(RoiAlignPlan, RegionsAreCheckedAlsoWhereNothingIsTaken) {
  auto d = roi_align(65, 0);
  const Recorded r(plan_roi_align, d);
  EXPECT_EQ(r.word(0, "count"), 0u);
  EXPECT_EQ(r.groups(0), 2u);
}

TEST(RoiAlignPlan, PositionsAskForF64) {
  auto d = roi_align(1, 1);
  expect_doubles_asked_for(plan_roi_align, d);
}

}  // namespace
}  // namespace opmux::gpu
