// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/gpu/recorded_plan.hpp"

namespace opmux::gpu {
namespace {

kit::Desc<opmux_op_conv_transpose> transpose(std::vector<int64_t> x, std::vector<int64_t> w,
                                             std::vector<int64_t> y, int64_t stride, int64_t dilation) {
  kit::Desc<opmux_op_conv_transpose> d(OPMUX_OP_CONV_TRANSPOSE);
  d->group = 1;
  d->acc_dtype = OPMUX_F32;
  d->stride = d.list({stride});
  d->dilation = d.list({dilation});
  d->pad = d.list({0, 0});
  d.in(kit::tensor(OPMUX_F32, x)).in(kit::tensor(OPMUX_F32, w)).out(kit::tensor(OPMUX_F32, y));
  return d;
}

TEST(ConvTransposePlan, EachPhaseOfTheStrideIsAProductOfItsOwn) {
  auto d = transpose({2, 4, 10}, {4, 40, 5}, {2, 40, 32}, 3, 1);
  const Recorded r(plan_conv_transpose, d);
  ASSERT_EQ(r.kernels(), std::vector<std::string>{"conv_transpose"});
  EXPECT_EQ(r.word(0, "phases", 2), 3u);
  EXPECT_EQ(r.word(0, "phases", 0), 1u);
  EXPECT_EQ(r.word(0, "jump", 2), 3u);
  const Dispatch& g = r.plan.steps[0].dispatches.at(0);
  EXPECT_EQ(g.groups[0], 1u) << "11 outputs a phase";
  EXPECT_EQ(g.groups[1], 2u);
  EXPECT_EQ(g.groups[2], 2u * 3);
}

TEST(ConvTransposePlan, TapsThatMeetAPhaseAreApartByWhatStrideAndDilationShare) {
  auto d = transpose({1, 4, 10}, {4, 40, 5}, {1, 40, 45}, 4, 2);
  EXPECT_EQ(Recorded(plan_conv_transpose, d).word(0, "jump", 2), 2u);
}

TEST(ConvTransposePlan, FewChannelsGoOutputByOutput) {
  auto d = transpose({1, 4, 10}, {4, 7, 5}, {1, 7, 14}, 1, 1);
  Recorded(plan_conv_transpose, d).expect_no(OPMUX_WHY_DIM, 2, 7, 8);
  const Recorded r(plan_conv_transpose_direct, d);
  ASSERT_TRUE(r.yes);
  EXPECT_EQ(r.word(0, "count"), 7u * 14);
}

TEST(ConvTransposePlan, MoreTilesThanGroupsIsARefusalWithTheLargestExtent) {
  auto d = transpose({1, 1, 65}, {1, 8, 1}, {1, 8, 65}, 1, 1);
  opmux_devinfo info = described_device();
  info.max_groups[0] = 2;
  Recorded(plan_conv_transpose, d, info).expect_no(OPMUX_WHY_DIM, 2, 65, 64);
}

TEST(ConvTransposePlan, StepsBeyond31BitsAreARefusal) {
  auto d = transpose({1, 1, 3}, {1, 8, 1}, {1, 8, 3}, int64_t{1} << 30, 1);
  Recorded(plan_conv_transpose_direct, d)
      .expect_no(OPMUX_WHY_DIM, 2, 3 * (int64_t{1} << 30) + 1, (int64_t{1} << 31) - 1);
}

}  // namespace
}  // namespace opmux::gpu
