// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/gpu/recorded_plan.hpp"

namespace opmux::gpu {
namespace {

TEST(Col2imPlan, PatchesAreTheInputOfTheWindowAndPixelsTheLanes) {
  kit::Desc<opmux_op_col2im> d(OPMUX_OP_COL2IM);
  d->image = d.list({5, 6});
  d->kernel = d.list({2, 3});
  d->stride = d.list({2, 1});
  d->dilation = d.list({1, 2});
  d->pad = d.list({1, 0, 0, 1});
  d.in(kit::tensor(OPMUX_F16, {2, 3 * 6, 9})).out(kit::tensor(OPMUX_F16, {2, 3, 5, 6}));
  const Recorded r(plan_col2im, d);
  ASSERT_TRUE(r.yes);
  EXPECT_EQ(r.word(0, "in", 1), 3u);
  EXPECT_EQ(r.word(0, "in", 2), 3u);
  EXPECT_EQ(r.word(0, "out", 2), 6u);
  EXPECT_EQ(r.word(0, "jump", 1), 2u);
  EXPECT_EQ(r.word(0, "jump", 2), 1u);
  EXPECT_EQ(r.word(0, "count"), 180u);
}

}  // namespace
}  // namespace opmux::gpu
