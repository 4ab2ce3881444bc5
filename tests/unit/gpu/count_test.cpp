// SPDX-License-Identifier: Apache-2.0
// Plans of non_zero, histogram and embedding_bag.
#include "opmux/ops/index.gen.h"
#include "opmux/ops/reduce.gen.h"
#include "opmux/ops/sort.gen.h"
#include "tests/unit/gpu/recorded_plan.hpp"

namespace opmux::gpu {
namespace {

kit::Desc<opmux_op_non_zero> non_zero(uint32_t dtype, std::vector<int64_t> dims) {
  kit::Desc<opmux_op_non_zero> d(OPMUX_OP_NON_ZERO);
  int64_t n = 1;
  for (int64_t x : dims) n *= x;
  d.in(kit::tensor(dtype, dims)).out(kit::tensor(OPMUX_I64, {static_cast<int64_t>(dims.size()), n}));
  d.out(kit::tensor(OPMUX_I64, {}));
  return d;
}

TEST(NonZeroPlan, FlagsAreScannedAndPlaced) {
  auto few = non_zero(OPMUX_F32, {17, 33}), many = non_zero(OPMUX_F32, {100, 3000});
  EXPECT_EQ(planned(plan_non_zero, few.opd()).kernel_line(), "non_zero_flags scan non_zero");
  const Recorded p = planned(plan_non_zero, many.opd());
  EXPECT_EQ(p.kernel_line(), "non_zero_flags scan scan scan non_zero");
  EXPECT_EQ(p.plan.workspace, 300000u / 64 * 64 * 4 + 256 + 293 * 4) << "flags, rounded, and a sum a part";
}

TEST(NonZeroPlan, TheSignOfAFloatDoesNotCount) {
  auto f = non_zero(OPMUX_F16, {9}), i = non_zero(OPMUX_I16, {9});
  const Recorded p = planned(plan_non_zero, f.opd()), q = planned(plan_non_zero, i.opd());
  EXPECT_EQ(p.word(0, "mask"), 0x7fffu);
  EXPECT_EQ(q.word(0, "mask"), 0xffffffffu);
  EXPECT_EQ(p.text(0), q.text(0));
}

TEST(NonZeroPlan, NoElementsLeaveTheCount) {
  auto d = non_zero(OPMUX_F32, {3, 0});
  const Recorded p = planned(plan_non_zero, d.opd());
  EXPECT_EQ(p.kernel_line(), "non_zero");
  EXPECT_EQ(p.groups(0), 1u);
  EXPECT_EQ(p.cap.ws_min, 0u);
}

kit::Desc<opmux_op_histogram> histogram(uint32_t dtype, int64_t n, uint32_t bins) {
  kit::Desc<opmux_op_histogram> d(OPMUX_OP_HISTOGRAM);
  d->bins = bins;
  d.in(kit::tensor(dtype, {n})).in(kit::tensor(dtype, {})).in(kit::tensor(dtype, {}));
  d.out(kit::tensor(OPMUX_I64, {bins}));
  return d;
}

TEST(HistogramPlan, CountsAreClearedAndALaneTakesSeveralElements) {
  auto d = histogram(OPMUX_F32, 10000, 300);
  const Recorded p = planned(plan_histogram, d.opd());
  EXPECT_EQ(p.kernel_line(), "histogram_clear histogram");
  EXPECT_EQ(p.groups(0), 3u);
  EXPECT_EQ(p.groups(1), 5u) << "of 2048 elements";
}

TEST(HistogramPlan, BoundsAreJudgedWithoutElementsToo) {
  auto d = histogram(OPMUX_F32, 0, 3);
  EXPECT_EQ(planned(plan_histogram, d.opd()).groups(1), 1u);
}

TEST(HistogramPlan, BinsNeedDoubles) {
  auto d = histogram(OPMUX_I32, 10, 3);
  opmux_devinfo info = roomy_device();
  info.features = OPMUX_FEAT_I64;
  planned(plan_histogram, d.opd(), info).expect_no(OPMUX_WHY_FEATURE, 0, OPMUX_FEAT_F64, 0);
}

kit::Desc<opmux_op_embedding_bag> bags(int64_t columns, int64_t n, int64_t count, uint32_t index) {
  kit::Desc<opmux_op_embedding_bag> d(OPMUX_OP_EMBEDDING_BAG);
  d->kind = OPMUX_BAG_MEAN;
  d.in(kit::tensor(OPMUX_F16, {100, columns})).in(kit::tensor(index, {n}));
  d.in(kit::tensor(OPMUX_I64, {count + 1})).in(opmux_tdesc{});
  d.out(kit::tensor(OPMUX_F16, {count, columns}));
  return d;
}

TEST(EmbeddingBagPlan, OffsetsAreJudgedInAStepOfTheirOwn) {
  auto d = bags(64, 100, 0, OPMUX_I32);
  const Recorded p = planned(plan_embedding_bag, d.opd());
  EXPECT_EQ(p.kernel_line(), "bag_offsets embedding_bag");
  EXPECT_EQ(p.plan.steps[0].faulty_arg, 2u);
  EXPECT_EQ(p.plan.faulty_arg, 1u);
  EXPECT_EQ(p.groups(0), 1u);
  EXPECT_TRUE(p.plan.steps[1].dispatches.empty());
}

TEST(EmbeddingBagPlan, IndicesOfBothSizesHaveOneTextAndFewColumnsShareTheirRows) {
  auto a = bags(64, 100, 4000, OPMUX_I32), b = bags(2, 4000, 3, OPMUX_I64);
  const Recorded p = planned(plan_embedding_bag, a.opd()), q = planned(plan_embedding_bag, b.opd());
  EXPECT_EQ(p.text(1), q.text(1));
  EXPECT_EQ(p.word(1, "iwords"), 1u);
  EXPECT_EQ(q.word(1, "iwords"), 2u);
  EXPECT_EQ(p.word(1, "width"), 1u);
  EXPECT_EQ(q.word(1, "width"), 128u);
}

}  // namespace
}  // namespace opmux::gpu
