// SPDX-License-Identifier: Apache-2.0
// Which kernels a scatter takes, and how it fares where all updates meet.
#include "tests/unit/gpu/recorded_plan.hpp"

namespace opmux::gpu {
namespace {

Recorded plan_of(int64_t updates) {
  kit::Desc<opmux_op_scatter_elements> d(OPMUX_OP_SCATTER_ELEMENTS);
  d->axis = 0;
  d->reduction = OPMUX_SCATTER_ADD;
  d.in(kit::tensor(OPMUX_F32, {100, 3})).in(kit::tensor(OPMUX_I64, {updates, 2}));
  d.in(kit::tensor(OPMUX_F32, {updates, 2})).out(kit::tensor(OPMUX_F32, {100, 3}));
  const Recorded plan(plan_scatter_elements, d);
  EXPECT_TRUE(plan.yes) << "why " << plan.cap.why;
  return plan;
}

TEST(ScatterPlan, AFewUpdatesOfALineAreLookedThrough) {
  const Recorded plan = plan_of(31);
  ASSERT_EQ(plan.steps(), 1u);
  EXPECT_EQ(plan.plan.workspace, 0u);
  EXPECT_EQ(plan.word(0, "linked"), 0u);
}

TEST(ScatterPlan, ManyAreLinkedToTheirPlacesFirst) {
  const Recorded plan = plan_of(32);
  ASSERT_EQ(plan.steps(), 3u);
  EXPECT_EQ(plan.plan.workspace, (300u + 64u) * 4) << "a head for each element, a link for each update";
  EXPECT_EQ(plan.cap.ws_min, plan.plan.workspace);
  EXPECT_EQ(plan.word(0, "count"), 300u);
  EXPECT_EQ(plan.word(1, "entries"), 64u);
  EXPECT_EQ(plan.word(1, "chs"), 3u) << "rows of the result are three lists apart";
  EXPECT_EQ(plan.word(2, "linked"), 1u);
  EXPECT_EQ(plan.word(2, "odiv"), 2u) << "two updates lie in a row";
}

TEST(ScatterPlan, ListsBeyondABindingAreNotMade) {
  opmux_devinfo info = described_device();
  info.max_binding_bytes = 64 * 2 * 8 + 255;
  kit::Desc<opmux_op_scatter_nd> d(OPMUX_OP_SCATTER_ND);
  d->reduction = OPMUX_SCATTER_SET;
  d.in(kit::tensor(OPMUX_U8, {400})).in(kit::tensor(OPMUX_I32, {64, 1})).in(kit::tensor(OPMUX_U8, {64}));
  d.out(kit::tensor(OPMUX_U8, {400}));
  const Recorded plan(plan_scatter_nd, d, info);
  ASSERT_TRUE(plan.yes);
  EXPECT_EQ(plan.steps(), 1u) << "400 heads are 1600 bytes, a binding has 1279";
  EXPECT_EQ(plan.cap.ws_min, 0u);
}

}  // namespace
}  // namespace opmux::gpu
