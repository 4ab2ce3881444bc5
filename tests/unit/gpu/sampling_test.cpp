// SPDX-License-Identifier: Apache-2.0
// Plans of random, sample and speculative.
#include "tests/unit/gpu/recorded_plan.hpp"

namespace opmux::gpu {
namespace {

kit::Desc<opmux_op_random> random(uint32_t dtype) {
  kit::Desc<opmux_op_random> d(OPMUX_OP_RANDOM);
  d->kind = OPMUX_RANDOM_UNIFORM;
  d.in(kit::tensor(OPMUX_U64, {})).in(kit::tensor(OPMUX_U64, {}));
  d.in(kit::tensor(dtype, {})).in(kit::tensor(dtype, {})).out(kit::tensor(dtype, {3, 127}));
  return d;
}

TEST(RandomPlan, IntegersOfOneWidthShareAText) {
  auto i16 = random(OPMUX_I16), u16 = random(OPMUX_U16);
  const Recorded p = planned(plan_random, i16.opd()), q = planned(plan_random, u16.opd());
  EXPECT_EQ(p.text(0), q.text(0));
  EXPECT_EQ(p.word(0, "is_signed"), 1u);
  EXPECT_EQ(q.word(0, "is_signed"), 0u);
  EXPECT_EQ(p.groups(0), 3u);
}

TEST(RandomPlan, AFractionHasTheBitsOfItsType) {
  auto f32 = random(OPMUX_F32), f16 = random(OPMUX_F16), bf16 = random(OPMUX_BF16);
  EXPECT_EQ(planned(plan_random, f32.opd()).word(0, "bits"), 24u);
  EXPECT_EQ(planned(plan_random, f16.opd()).word(0, "bits"), 11u);
  EXPECT_EQ(planned(plan_random, bf16.opd()).word(0, "bits"), 8u);
}

kit::Desc<opmux_op_sample> sample(int64_t rows, bool history) {
  kit::Desc<opmux_op_sample> d(OPMUX_OP_SAMPLE);
  d.in(kit::tensor(OPMUX_F32, {rows, 129})).in(kit::tensor(OPMUX_F32, {})).in(kit::tensor(OPMUX_I64, {}));
  for (int i = 0; i < 3; ++i) d.in(kit::tensor(OPMUX_F32, {}));
  d.in(kit::tensor(OPMUX_U64, {})).in(kit::tensor(OPMUX_U64, {}));
  if (history) d.in(kit::tensor(OPMUX_I32, {rows, 5}));
  d.out(kit::tensor(OPMUX_I64, {rows}));
  return d;
}

TEST(SamplePlan, AHistoryIsMarkedFirst) {
  auto d = sample(2, true), plain = sample(2, false);
  const Recorded p = planned(plan_sample, d.opd());
  EXPECT_EQ(p.kernel_line(), "sample_marks sample_marks sample");
  EXPECT_EQ(p.word(0, "clear"), 1u);
  EXPECT_EQ(p.word(1, "count"), 10u);
  EXPECT_EQ(p.plan.workspace, 2u * 129 * 20);
  EXPECT_EQ(planned(plan_sample, plain.opd()).kernel_line(), "sample");
}

TEST(SamplePlan, SettingsAreCheckedEvenWithoutRows) {
  auto d = sample(0, false);
  EXPECT_EQ(planned(plan_sample, d.opd()).groups(0), 1u);
}

TEST(SamplePlan, DoublesAndRoomAreNeeded) {
  auto d = sample(2, false);
  opmux_devinfo plain = roomy_device(), small = roomy_device();
  plain.features = OPMUX_FEAT_I64;
  planned(plan_sample, d.opd(), plain).expect_no(OPMUX_WHY_FEATURE, 0, OPMUX_FEAT_F64, 0);
  small.max_binding_bytes = 4127 + 256;
  planned(plan_sample, d.opd(), small).expect_no(OPMUX_WHY_MEMORY, 0, 4128, 4127);
}

TEST(SpeculativePlan, AGroupDecidesARow) {
  kit::Desc<opmux_op_speculative> d(OPMUX_OP_SPECULATIVE);
  d.in(kit::tensor(OPMUX_I32, {3, 4}))
      .in(kit::tensor(OPMUX_F16, {3, 4, 17}))
      .in(kit::tensor(OPMUX_F16, {3, 5, 17}));
  d.in(kit::tensor(OPMUX_U64, {})).in(kit::tensor(OPMUX_U64, {}));
  d.out(kit::tensor(OPMUX_I64, {3, 5})).out(kit::tensor(OPMUX_I64, {3}));
  const Recorded p = planned(plan_speculative, d.opd());
  EXPECT_EQ(p.groups(0), 3u);
  EXPECT_EQ(p.word(0, "drafted"), 4u);
  opmux_devinfo plain = roomy_device();
  plain.features = OPMUX_FEAT_I64;
  planned(plan_speculative, d.opd(), plain).expect_no(OPMUX_WHY_FEATURE, 2, OPMUX_FEAT_F64, 0);
}

}  // namespace
}  // namespace opmux::gpu
