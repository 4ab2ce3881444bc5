// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "tests/unit/gpu/recorded_plan.hpp"

namespace opmux::gpu {
namespace {

kit::Desc<opmux_op_dft> dft(uint32_t dtype, int64_t rows, uint32_t length) {
  kit::Desc<opmux_op_dft> d(OPMUX_OP_DFT);
  d->axis = 1;
  d->length = length;
  d.in(kit::tensor(dtype, {rows, int64_t{length}, 2})).out(kit::tensor(dtype, {rows, int64_t{length}, 2}));
  return d;
}

size_t stages(const Recorded& r) {
  const auto names = r.kernels();
  return static_cast<size_t>(std::ranges::count(names, "dft_stage"));
}

TEST(DftPlan, SmallFactorsAreStagesFoursFirst) {
  auto d = dft(OPMUX_F32, 3, 2 * 4 * 4 * 15);
  const Recorded r(plan_dft, d);
  EXPECT_EQ(stages(r), 5u);
  EXPECT_EQ(r.word(2, "radix"), 4u);
  EXPECT_EQ(r.word(2, "done"), 1u);
  EXPECT_EQ(r.word(3, "done"), 4u);
  EXPECT_EQ(r.word(6, "radix"), 5u);
  r.expect_workspace_holds();
}

TEST(DftPlan, AGreatPrimeIsAConvolutionOverAPowerOfTwoOfWhichTheChirpIsARow) {
  auto d = dft(OPMUX_F32, 3, 37);
  const Recorded r(plan_dft, d);
  const auto names = r.kernels();
  EXPECT_EQ(std::ranges::count(names, "dft_join"), 1);
  EXPECT_EQ(stages(r), 2u * 4) << "128 = 4 * 4 * 4 * 2";
  EXPECT_EQ(r.word(1, "count"), 4u * 128);
  EXPECT_EQ(r.word(7, "count"), 3u * 128) << "the chirp does not go back";
  r.expect_workspace_holds();
}

TEST(DftPlan, ShortTransformsComputeInF64WhereThereIsOne) {
  auto d = dft(OPMUX_F32, 1, 1024);
  EXPECT_EQ(Recorded(plan_dft, d).plan.steps[0].source.types.at("work"), uint32_t{OPMUX_F64});
  opmux_devinfo info = described_device();
  info.features = 0;
  EXPECT_EQ(Recorded(plan_dft, d, info).plan.steps[0].source.types.at("work"), uint32_t{OPMUX_F32});
  auto longer = dft(OPMUX_F32, 1, 1025);
  EXPECT_EQ(Recorded(plan_dft, longer).plan.steps[0].source.types.at("work"), uint32_t{OPMUX_F32});
}

TEST(DftPlan, LengthsBeyondTheTurnsAreARefusal) {
  kit::Desc<opmux_op_dft> d(OPMUX_OP_DFT);
  d->axis = 0;
  d->length = (1u << 26) + 1;
  d.in(kit::tensor(OPMUX_F32, {1, 1})).out(kit::tensor(OPMUX_F32, {1, 2}));
  Recorded(plan_dft, d).expect_no(OPMUX_WHY_ATTR, offsetof(opmux_op_dft, length), (1 << 26) + 1, 1 << 26);
}

TEST(DftPlan, NothingToTransformIsNoWork) {
  auto d = dft(OPMUX_F32, 0, 8);
  const Recorded r(plan_dft, d);
  EXPECT_TRUE(r.yes);
  EXPECT_TRUE(r.plan.steps.empty());
}

}  // namespace
}  // namespace opmux::gpu
