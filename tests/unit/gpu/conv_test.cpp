// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/gpu/recorded_plan.hpp"

namespace opmux::gpu {
namespace {

kit::Desc<opmux_op_conv> conv(std::vector<int64_t> x, std::vector<int64_t> w, std::vector<int64_t> y,
                              int64_t pad) {
  kit::Desc<opmux_op_conv> d(OPMUX_OP_CONV);
  d->group = static_cast<uint32_t>(x[1] / w[1]);
  d->acc_dtype = OPMUX_F32;
  d->stride = d.list({1, 1});
  d->dilation = d.list({1, 1});
  d->pad = d.list({pad, pad, pad, pad});
  d.in(kit::tensor(OPMUX_F32, x)).in(kit::tensor(OPMUX_F32, w)).out(kit::tensor(OPMUX_F32, y));
  return d;
}

TEST(ConvPlan, OneTapIsAProductOfTheWeightsByTheImageAsItLies) {
  auto d = conv({2, 32, 7, 9}, {40, 16, 1, 1}, {2, 40, 7, 9}, 0);
  const Recorded r(plan_conv_product, d);
  ASSERT_EQ(r.kernels(), std::vector<std::string>{"matmul"});
  EXPECT_EQ(r.word(0, "rows"), 20u);
  EXPECT_EQ(r.word(0, "cols"), 63u);
  EXPECT_EQ(r.word(0, "depth"), 16u);
  EXPECT_EQ(r.word(0, "b_row"), 63u);
  EXPECT_EQ(r.plan.steps[0].dispatches.at(0).groups[2], 4u);
}

TEST(ConvPlan, APlaneThatHasNoOneStepIsNoProduct) {
  auto d = conv({1, 16, 7, 9}, {16, 16, 1, 1}, {1, 16, 7, 9}, 0);
  d.inputs()[0].stride[2] = 10;
  EXPECT_FALSE(Recorded(plan_conv_product, d).yes);
  EXPECT_TRUE(Recorded(plan_conv, d).yes);
}

TEST(ConvPlan, NineTapsOfManyChannelsAreTransformed) {
  auto d = conv({1, 32, 20, 20}, {48, 32, 3, 3}, {1, 48, 20, 20}, 1);
  const Recorded r(plan_conv_winograd, d);
  ASSERT_EQ(r.kernels(),
            (std::vector<std::string>{"winograd_weights", "winograd_input", "matmul", "winograd_output"}));
  EXPECT_EQ(r.cap.accuracy, OPMUX_ACC_ALGEBRAIC);
  EXPECT_EQ(r.word(2, "rows"), 48u);
  EXPECT_EQ(r.word(2, "cols"), 100u);
  EXPECT_EQ(r.plan.steps[2].dispatches.at(0).groups[2], 16u);
  EXPECT_EQ(r.plan.workspace, 16u * 4 * (48 * 32 + 32 * 100 + 48 * 100));
  r.expect_workspace_holds();
}

TEST(ConvPlan, TransformsAreNotTakenWhereTheyAreNotAllowedOrNotCheaper) {
  auto strict = conv({1, 32, 20, 20}, {48, 32, 3, 3}, {1, 48, 20, 20}, 1);
  strict.opd()->math = OPMUX_MATH_STRICT;
  Recorded(plan_conv_winograd, strict).expect_no(OPMUX_WHY_ACCURACY, OPMUX_NO_ARG, OPMUX_MATH_STRICT, 0);
  auto thin = conv({1, 15, 20, 20}, {48, 15, 3, 3}, {1, 48, 20, 20}, 1);
  Recorded(plan_conv_winograd, thin).expect_no(OPMUX_WHY_DIM, 1, 15, 16);
  auto narrow = conv({1, 32, 1, 40}, {48, 32, 3, 3}, {1, 48, 1, 40}, 1);
  Recorded(plan_conv_winograd, narrow).expect_no(OPMUX_WHY_DIM, 2, 40, 64);
}

}  // namespace
}  // namespace opmux::gpu
