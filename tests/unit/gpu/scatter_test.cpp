// SPDX-License-Identifier: Apache-2.0
// Which kernels a scatter takes, and how it fares where all updates meet.
#include <gtest/gtest.h>

#include "gpu/ops/ops.hpp"
#include "kit/desc.hpp"

namespace opmux::gpu {
namespace {

opmux_devinfo device() {
  opmux_devinfo i{};
  i.h.size = sizeof i;
  i.kind = OPMUX_DEV_GPU;
  i.compute_units = 10;
  i.max_binding_bytes = 128 << 20;
  i.max_groups[0] = i.max_groups[1] = i.max_groups[2] = 65535;
  i.features = OPMUX_FEAT_F64 | OPMUX_FEAT_I64;
  return i;
}

KernelPlan plan_of(const opmux_devinfo& info, int64_t updates, opmux_cap& cap) {
  kit::Desc<opmux_op_scatter_elements> d(OPMUX_OP_SCATTER_ELEMENTS);
  d->axis = 0;
  d->reduction = OPMUX_SCATTER_ADD;
  d.in(kit::tensor(OPMUX_F32, {100, 3})).in(kit::tensor(OPMUX_I64, {updates, 2}));
  d.in(kit::tensor(OPMUX_F32, {updates, 2})).out(kit::tensor(OPMUX_F32, {100, 3}));
  KernelPlan plan;
  EXPECT_TRUE(plan_scatter_elements(info, *d.opd(), cap, &plan)) << "why " << cap.why;
  return plan;
}

uint32_t word_of(const Step& s, const std::string& name, uint32_t at = 0) {
  for (const KernelFile::Param& p : s.source.params()) {
    if (p.name == name) return s.words.at(at);
    at += p.words;
  }
  ADD_FAILURE() << "no word " << name;
  return 0;
}

TEST(ScatterPlan, AFewUpdatesOfALineAreLookedThrough) {
  opmux_cap cap{};
  const KernelPlan plan = plan_of(device(), 31, cap);
  ASSERT_EQ(plan.steps.size(), 1u);
  EXPECT_EQ(plan.workspace, 0u);
  EXPECT_EQ(word_of(plan.steps[0], "linked"), 0u);
}

TEST(ScatterPlan, ManyAreLinkedToTheirPlacesFirst) {
  opmux_cap cap{};
  const KernelPlan plan = plan_of(device(), 32, cap);
  ASSERT_EQ(plan.steps.size(), 3u);
  EXPECT_EQ(plan.workspace, (300u + 64u) * 4) << "a head for each element, a link for each update";
  EXPECT_EQ(cap.ws_min, plan.workspace);
  EXPECT_EQ(word_of(plan.steps[0], "count"), 300u);
  EXPECT_EQ(word_of(plan.steps[1], "entries"), 64u);
  EXPECT_EQ(word_of(plan.steps[1], "chs"), 3u) << "rows of the result are three lists apart";
  EXPECT_EQ(word_of(plan.steps[2], "linked"), 1u);
  EXPECT_EQ(word_of(plan.steps[2], "odiv"), 2u) << "two updates lie in a row";
}

TEST(ScatterPlan, ListsBeyondABindingAreNotMade) {
  opmux_devinfo info = device();
  info.max_binding_bytes = 64 * 2 * 8 + 255;
  kit::Desc<opmux_op_scatter_nd> d(OPMUX_OP_SCATTER_ND);
  d->reduction = OPMUX_SCATTER_SET;
  d.in(kit::tensor(OPMUX_U8, {400})).in(kit::tensor(OPMUX_I32, {64, 1})).in(kit::tensor(OPMUX_U8, {64}));
  d.out(kit::tensor(OPMUX_U8, {400}));
  opmux_cap cap{};
  KernelPlan plan;
  ASSERT_TRUE(plan_scatter_nd(info, *d.opd(), cap, &plan));
  EXPECT_EQ(plan.steps.size(), 1u) << "400 heads are 1600 bytes, a binding has 1279";
  EXPECT_EQ(cap.ws_min, 0u);
}

}  // namespace
}  // namespace opmux::gpu
