// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/gpu/recorded_plan.hpp"

namespace opmux::gpu {
namespace {

TEST(DetPlan, AGroupAMatrixWithACopyOfItInTheWorkspace) {
  kit::Desc<opmux_op_det> d(OPMUX_OP_DET);
  d.in(kit::tensor(OPMUX_F16, {2, 3, 5, 5})).out(kit::tensor(OPMUX_F16, {2, 3}));
  const Recorded r(plan_det, d);
  EXPECT_EQ(r.groups(0), 6u);
  EXPECT_EQ(r.plan.workspace, 150u * 4);
  opmux_devinfo info = described_device();
  info.max_binding_bytes = 512 + 256;
  Recorded(plan_det, d, info).expect_no(OPMUX_WHY_MEMORY, OPMUX_NO_ARG, 600, 512);
}

TEST(DetPlan, AnEmptyMatrixHasNoCopy) {
  kit::Desc<opmux_op_det> d(OPMUX_OP_DET);
  d.in(kit::tensor(OPMUX_F32, {3, 0, 0})).out(kit::tensor(OPMUX_F32, {3}));
  const Recorded r(plan_det, d);
  EXPECT_EQ(r.groups(0), 3u);
  EXPECT_EQ(r.plan.workspace, 0u);
}

}  // namespace
}  // namespace opmux::gpu
