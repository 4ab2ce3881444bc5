// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/gpu/recorded_plan.hpp"

namespace opmux::gpu {
namespace {

TEST(DeformConvPlan, IsOneProductWithItsSamplesAndAsksForF64) {
  kit::Desc<opmux_op_deform_conv> d(OPMUX_OP_DEFORM_CONV);
  d->group = 2;
  d->offset_group = 2;
  d->acc_dtype = OPMUX_F32;
  d->stride = d.list({2, 2});
  d->dilation = d.list({1, 1});
  d->pad = d.list({0, 0, 1, 1});
  d.in(kit::tensor(OPMUX_F32, {2, 4, 9, 11})).in(kit::tensor(OPMUX_F32, {66, 2, 3, 3}));
  d.in(kit::tensor(OPMUX_F32, {2, 36, 4, 5})).in(kit::absent()).out(kit::tensor(OPMUX_F32, {2, 66, 4, 5}));
  const Recorded r(plan_deform_conv, d);
  ASSERT_EQ(r.kernels(), std::vector<std::string>{"deform_conv"});
  EXPECT_EQ(r.word(0, "depth"), 18u);
  EXPECT_EQ(r.word(0, "per_offset"), 2u);
  EXPECT_EQ(r.word(0, "has_mask"), 0u);
  const Dispatch& g = r.plan.steps[0].dispatches.at(0);
  EXPECT_EQ(g.groups[1], 2u) << "33 outputs a group";
  EXPECT_EQ(g.groups[2], 4u);
  expect_doubles_asked_for(plan_deform_conv, d);
}

}  // namespace
}  // namespace opmux::gpu
