// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/gpu/recorded_plan.hpp"

namespace opmux::gpu {
namespace {

kit::Desc<opmux_op_grid_sample> grid_sample(std::vector<int64_t> x, std::vector<int64_t> grid,
                                            std::vector<int64_t> y) {
  kit::Desc<opmux_op_grid_sample> d(OPMUX_OP_GRID_SAMPLE);
  d->mode = OPMUX_INTERPOLATE_LINEAR;
  d->outside = OPMUX_OUTSIDE_ZEROS;
  d.in(kit::tensor(OPMUX_F32, x)).in(kit::tensor(OPMUX_F32, grid)).out(kit::tensor(OPMUX_F32, y));
  return d;
}

TEST(GridSamplePlan, ALaneTakesAPointOfSomeChannels) {
  auto d = grid_sample({2, 7, 5, 6}, {2, 3, 4, 2}, {2, 7, 3, 4});
  const Recorded r(plan_grid_sample, d);
  EXPECT_EQ(r.word(0, "chunk"), 4u);
  EXPECT_EQ(r.word(0, "channels"), 2u);
  EXPECT_EQ(r.word(0, "count"), 2u * 2 * 12);
  EXPECT_EQ(r.word(0, "in", 0), 1u);
  EXPECT_EQ(r.word(0, "in", 1), 5u);
  EXPECT_EQ(r.word(0, "gs", 3), 8u) << "a row of points";
}

TEST(GridSamplePlan, ManyPointsShareMore) {
  auto d = grid_sample({1, 64, 8, 8}, {1, 256, 256, 2}, {1, 64, 256, 256});
  EXPECT_EQ(Recorded(plan_grid_sample, d).word(0, "chunk"), 64u);
}

TEST(GridSamplePlan, PositionsAskForF64) {
  auto d = grid_sample({1, 1, 2, 2}, {1, 1, 1, 2}, {1, 1, 1, 1});
  expect_doubles_asked_for(plan_grid_sample, d);
}

}  // namespace
}  // namespace opmux::gpu
