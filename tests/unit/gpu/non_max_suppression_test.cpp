// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/gpu/recorded_plan.hpp"

namespace opmux::gpu {
namespace {

kit::Desc<opmux_op_non_max_suppression> suppression(int64_t images, int64_t classes, int64_t boxes,
                                                    int64_t rows) {
  kit::Desc<opmux_op_non_max_suppression> d(OPMUX_OP_NON_MAX_SUPPRESSION);
  d.in(kit::tensor(OPMUX_F32, {images, boxes, 4})).in(kit::tensor(OPMUX_F32, {images, classes, boxes}));
  d.in(kit::tensor(OPMUX_I64, {})).in(kit::tensor(OPMUX_F64, {})).in(kit::absent());
  d.out(kit::tensor(OPMUX_I64, {rows, 3})).out(kit::tensor(OPMUX_I64, {}));
  return d;
}

TEST(NonMaxSuppressionPlan, AGroupAClassThenOneThatCountsThenTheRows) {
  auto d = suppression(2, 3, 100, 50);
  const Recorded r(plan_non_max_suppression, d);
  ASSERT_EQ(r.kernels(), (std::vector<std::string>{"nms_pick", "nms_count", "nms_write"}));
  EXPECT_EQ(r.groups(0), 6u);
  EXPECT_EQ(r.groups(1), 1u);
  EXPECT_EQ(r.groups(2), (600u + 127) / 128);
  EXPECT_EQ(r.word(0, "iou_wide"), 1u);
  EXPECT_EQ(r.word(0, "has_score"), 0u);
  EXPECT_EQ(r.word(1, "room"), 50u);
  EXPECT_EQ(r.plan.workspace, (6u * 201 * 4 + 255) / 256 * 256 + 7 * 4);
  EXPECT_EQ(r.plan.faulty_arg, 5u) << "the rows that there is room for";
  r.expect_workspace_holds();
}

TEST(NonMaxSuppressionPlan, NoBoxesStillFillTheRowsAndTheCount) {
  auto d = suppression(1, 1, 0, 300);
  const Recorded r(plan_non_max_suppression, d);
  EXPECT_EQ(r.word(2, "lanes"), 300u);
  EXPECT_EQ(r.groups(1), 1u);
}

TEST(NonMaxSuppressionPlan, ListsBeyondABindingAreARefusalWithBothSizes) {
  auto d = suppression(1, 1, 200, 1);
  opmux_devinfo info = described_device();
  info.max_binding_bytes = 1600 + 256;
  Recorded(plan_non_max_suppression, d, info).expect_no(OPMUX_WHY_MEMORY, 0, 3200, 1600);
  auto many = suppression(1, 2, 100, 1);
  Recorded(plan_non_max_suppression, many, info).expect_no(OPMUX_WHY_MEMORY, OPMUX_NO_ARG, 1792, 1600);
}

}  // namespace
}  // namespace opmux::gpu
