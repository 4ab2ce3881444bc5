// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/gpu/recorded_plan.hpp"

namespace opmux::gpu {
namespace {

kit::Desc<opmux_op_resize> resize(uint32_t dtype, std::vector<int64_t> in, std::vector<int64_t> out,
                                  uint32_t mode, std::initializer_list<int64_t> axes = {2, 3}) {
  kit::Desc<opmux_op_resize> d(OPMUX_OP_RESIZE);
  d->mode = mode;
  d->coordinates = OPMUX_RESIZE_HALF_PIXEL;
  d->rounding = OPMUX_ROUND_PREFER_FLOOR;
  d->axes = d.list(axes);
  d.in(kit::tensor(dtype, in)).in(kit::absent()).in(kit::absent()).out(kit::tensor(dtype, out));
  return d;
}

TEST(ResizePlan, TablesOfBothAxesComeBeforeTheOutputs) {
  auto d = resize(OPMUX_F32, {1, 3, 10, 20}, {1, 3, 15, 40}, OPMUX_INTERPOLATE_LINEAR);
  const Recorded r(plan_resize, d);
  ASSERT_EQ(r.kernels(), (std::vector<std::string>{"resize_table", "resize"}));
  EXPECT_EQ(r.word(0, "count"), 55u);
  EXPECT_EQ(r.word(0, "entry", 1), 15u);
  EXPECT_EQ(r.word(0, "most", 0), 5u);
  EXPECT_EQ(r.word(0, "weights", 1), 15u * 5);
  EXPECT_EQ(r.word(1, "entry", 0), 0xffffffffu) << "the images are not resized";
  EXPECT_EQ(r.word(1, "entry", 3), 15u);
  EXPECT_EQ(r.groups(1), (3u * 15 * 40 + 127) / 128);
  r.expect_workspace_holds();
}

TEST(ResizePlan, NearestMovesBytesOfAnyTypeAndHasNoWeights) {
  auto d = resize(OPMUX_I64, {1, 1, 2, 2}, {1, 1, 4, 4}, OPMUX_INTERPOLATE_NEAREST);
  const Recorded r(plan_resize, d);
  ASSERT_EQ(r.kernels(), (std::vector<std::string>{"resize_table", "resize_nearest"}));
  EXPECT_EQ(r.plan.steps[1].source.types.at("x"), kRaw64);
  EXPECT_EQ(r.plan.workspace, 256u);
}

TEST(ResizePlan, AntialiasKeepsRoomForTheTapsOfTheSmallestScaleOfARun) {
  auto d = resize(OPMUX_F32, {1, 1, 100, 4}, {1, 1, 10, 4}, OPMUX_INTERPOLATE_LINEAR);
  d->antialias = 1;
  EXPECT_EQ(Recorded(plan_resize, d).word(0, "most", 0), 23u);
  d.inputs()[1] = kit::tensor(OPMUX_F32, {2});
  EXPECT_EQ(Recorded(plan_resize, d).word(0, "most", 0), 43u) << "half the scale that the extents say";
}

TEST(ResizePlan, PositionsAskForF64) {
  auto d = resize(OPMUX_F32, {1, 1, 2, 2}, {1, 1, 4, 4}, OPMUX_INTERPOLATE_LINEAR);
  expect_doubles_asked_for(plan_resize, d);
}

TEST(ResizePlan, TablesBeyondABindingAreARefusalWithBothSizes) {
  auto d = resize(OPMUX_F32, {1, 1, 400, 1}, {1, 1, 300, 1}, OPMUX_INTERPOLATE_CUBIC);
  opmux_devinfo info = described_device();
  info.max_binding_bytes = 4096;
  Recorded(plan_resize, d, info).expect_no(OPMUX_WHY_MEMORY, OPMUX_NO_ARG, (300 * 7 + 1) * 4, 4096 - 256);
}

}  // namespace
}  // namespace opmux::gpu
