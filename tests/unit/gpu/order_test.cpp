// SPDX-License-Identifier: Apache-2.0
// Plans of what is sorted: sort, top_k, unique, segment.
#include "opmux/ops/index.gen.h"
#include "opmux/ops/sort.gen.h"
#include "tests/unit/gpu/recorded_plan.hpp"

namespace opmux::gpu {
namespace {

kit::Desc<opmux_op_sort> sort(uint32_t dtype, std::vector<int64_t> dims, uint32_t axis) {
  kit::Desc<opmux_op_sort> d(OPMUX_OP_SORT);
  d->axis = axis;
  d.in(kit::tensor(dtype, dims)).out(kit::tensor(dtype, dims)).out(kit::tensor(OPMUX_I64, dims));
  return d;
}

kit::Desc<opmux_op_top_k> top_k(std::vector<int64_t> dims, uint32_t axis, uint32_t k) {
  kit::Desc<opmux_op_top_k> d(OPMUX_OP_TOP_K);
  d->axis = axis;
  d->k = k;
  d->largest = d->sorted = 1;
  std::vector<int64_t> some = dims;
  some[axis] = k;
  d.in(kit::tensor(OPMUX_F32, dims)).out(kit::tensor(OPMUX_F32, some)).out(kit::tensor(OPMUX_I64, some));
  return d;
}

TEST(SortPlan, RowsThatFitATileTakeNoMergeAndShareGroups) {
  auto d = sort(OPMUX_F32, {17, 33}, 1);
  const Recorded p = planned(plan_sort, d.opd());
  EXPECT_EQ(p.kernel_line(), "order_keys order_tile order_pick");
  EXPECT_EQ(p.word(1, "span"), 64u);
  EXPECT_EQ(p.groups(1), 2u) << "17 rows in spans of 64, 1024 items a group";
  EXPECT_EQ(p.word(1, "words"), 1u);
}

TEST(SortPlan, LongRowsAreMergedInPairsOfRuns) {
  auto d = sort(OPMUX_F32, {5000}, 0);
  const Recorded p = planned(plan_sort, d.opd());
  EXPECT_EQ(p.kernel_line(), "order_keys order_tile order_merge order_merge order_merge order_pick");
  EXPECT_EQ(p.word(1, "tiles"), 5u);
  EXPECT_EQ(p.word(2, "run"), 1024u);
  EXPECT_EQ(p.word(4, "run"), 4096u);
  EXPECT_EQ(p.word(4, "given"), 5000u);
}

TEST(SortPlan, TypesOfOneSizeShareTheirTextsAndDoublesHaveKeysOfTwoWords) {
  auto a = sort(OPMUX_F32, {9}, 0), b = sort(OPMUX_I32, {9}, 0), c = sort(OPMUX_F64, {9}, 0);
  opmux_devinfo plain = roomy_device();
  plain.features = 0;  // 64 bits are moved and compared as two words
  const Recorded p = planned(plan_sort, a.opd()), q = planned(plan_sort, b.opd()),
                 r = planned(plan_sort, c.opd(), plain);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(p.text(i), q.text(i));
  EXPECT_EQ(p.text(1), r.text(1));
  EXPECT_EQ(r.word(1, "words"), 2u);
}

TEST(SortPlan, AnAbsentOutputIsNotBound) {
  auto d = sort(OPMUX_F32, {9}, 0);
  d.outputs()[0] = opmux_tdesc{};
  const Recorded p = planned(plan_sort, d.opd());
  EXPECT_EQ(p.word(2, "has_y"), 0u);
  for (const BindingUse& use : p.plan.steps[2].uses) EXPECT_TRUE(use.arg == kWorkspace || use.arg == 2);
}

TEST(SortPlan, ItemsBeyondABindingAreRefusedWithBothSizes) {
  opmux_devinfo info = roomy_device();
  info.max_binding_bytes = 8000 + 256;
  auto fits = sort(OPMUX_U8, {1000}, 0), large = sort(OPMUX_U8, {1001}, 0);
  fits.outputs()[1] = large.outputs()[1] = opmux_tdesc{};
  EXPECT_TRUE(planned(plan_sort, fits.opd(), info).yes);
  planned(plan_sort, large.opd(), info).expect_no(OPMUX_WHY_MEMORY, OPMUX_NO_ARG, 8008, 8000);
}

TEST(TopKPlan, FewOfManyAreTakenFromEachTileAgainAndAgain) {
  auto d = top_k({1000000}, 0, 5);
  const Recorded p = planned(plan_top_k, d.opd());
  EXPECT_EQ(p.kernel_line(), "order_keys order_tile order_tile order_tile order_pick");
  EXPECT_EQ(p.word(1, "given"), 977u * 5);
  EXPECT_EQ(p.word(2, "n"), 4885u);
  EXPECT_EQ(p.word(2, "given"), 25u);
  EXPECT_EQ(p.word(3, "span"), 32u);
  EXPECT_EQ(p.word(3, "given"), 5u);
}

TEST(TopKPlan, ManyAreMergedAndCutToK) {
  auto d = top_k({5000}, 0, 1500);
  const Recorded p = planned(plan_top_k, d.opd());
  EXPECT_EQ(p.kernel_line(), "order_keys order_tile order_merge order_merge order_merge order_pick");
  EXPECT_EQ(p.word(2, "keep"), 1500u);
  EXPECT_EQ(p.word(2, "given"), 1500u * 2 + 904);
  EXPECT_EQ(p.word(3, "run"), 1500u);
  EXPECT_EQ(p.word(4, "given"), 1500u);
}

TEST(TopKPlan, UnsortedResultsAreSortedByPositionAtTheEnd) {
  auto d = top_k({3, 100}, 1, 7);
  d->sorted = 0;
  const Recorded p = planned(plan_top_k, d.opd());
  EXPECT_EQ(p.kernel_line(), "order_keys order_tile order_tile order_pick");
  EXPECT_EQ(p.word(1, "by_position"), 0u);
  EXPECT_EQ(p.word(2, "by_position"), 1u);
  EXPECT_EQ(p.word(2, "span"), 8u);
}

TEST(TopKPlan, NoneOfARowAreNoWork) {
  auto d = top_k({7}, 0, 0);
  const Recorded p = planned(plan_top_k, d.opd());
  EXPECT_TRUE(p.yes);
  EXPECT_EQ(p.steps(), 0u);
  EXPECT_EQ(p.cap.ws_min, 0u);
}

kit::Desc<opmux_op_unique> unique(std::vector<int64_t> dims, uint32_t axis, uint32_t sorted) {
  kit::Desc<opmux_op_unique> d(OPMUX_OP_UNIQUE);
  d->axis = axis;
  d->sorted = sorted;
  d.in(kit::tensor(OPMUX_I64, dims)).out(kit::tensor(OPMUX_I64, dims));
  for (int i = 0; i < 3; ++i) d.out(kit::tensor(OPMUX_I64, {dims[axis]}));
  d.out(kit::tensor(OPMUX_I64, {}));
  return d;
}

TEST(UniquePlan, TheOrderOfFirstMembersTakesOneScanMore) {
  auto a = unique({50}, 0, 1), b = unique({50}, 0, 0);
  EXPECT_EQ(planned(plan_unique, a.opd()).kernel_line(),
            "order_keys order_tile unique_heads scan unique_starts unique_lists unique_slices");
  EXPECT_EQ(planned(plan_unique, b.opd()).kernel_line(),
            "order_keys order_tile unique_heads scan unique_starts scan unique_lists unique_slices");
}

TEST(UniquePlan, SlicesHaveKeysOfAllTheirElements) {
  auto d = unique({2, 9, 3}, 1, 1);
  const Recorded p = planned(plan_unique, d.opd());
  EXPECT_EQ(p.word(0, "words"), 12u) << "six elements of two words";
  EXPECT_EQ(p.word(0, "each"), 6u);
  EXPECT_EQ(p.word(0, "dims"), 9u) << "the axis is walked first";
}

TEST(UniquePlan, NoSlicesLeaveTheCount) {
  auto d = unique({0, 3}, 0, 1);
  const Recorded p = planned(plan_unique, d.opd());
  EXPECT_EQ(p.kernel_line(), "unique_lists");
  EXPECT_EQ(p.groups(0), 1u);
}

kit::Desc<opmux_op_segment> segment(uint32_t kind, uint32_t dtype, int64_t rows, int64_t columns,
                                    uint32_t segments) {
  kit::Desc<opmux_op_segment> d(OPMUX_OP_SEGMENT);
  d->kind = kind;
  d->segments = segments;
  const bool softmax = kind == OPMUX_SEGMENT_SOFTMAX;
  d.in(kit::tensor(dtype, {rows, columns})).in(kit::tensor(OPMUX_I64, {rows}));
  d.out(kit::tensor(dtype, {softmax ? rows : int64_t{segments}, columns}));
  return d;
}

TEST(SegmentPlan, RowsAreSortedOnceAndLanesFillTheDevice) {
  auto few = segment(OPMUX_SEGMENT_SUM, OPMUX_F32, 4000, 2, 5),
       many = segment(OPMUX_SEGMENT_SUM, OPMUX_F32, 4000, 700, 100);
  const Recorded p = planned(plan_segment, few.opd()), q = planned(plan_segment, many.opd());
  EXPECT_EQ(p.kernel_line(), "segment_keys order_tile order_merge order_merge segment");
  EXPECT_EQ(p.word(4, "width"), 128u);
  EXPECT_EQ(q.word(4, "width"), 1u);
  EXPECT_EQ(p.text(4), q.text(4));
  EXPECT_EQ(p.word(0, "words"), 2u) << "of an i64 id";
}

TEST(SegmentPlan, NoRowsStillMakeTheEmptySegments) {
  auto d = segment(OPMUX_SEGMENT_MAX, OPMUX_I8, 0, 3, 5);
  const Recorded p = planned(plan_segment, d.opd());
  EXPECT_EQ(p.plan.workspace, 0u);
  EXPECT_TRUE(p.plan.steps[0].dispatches.empty());
  EXPECT_EQ(p.kernel_line(), "segment_keys segment");
  EXPECT_EQ(p.word(1, "neutral"), 0xffffff80u);
}

TEST(SegmentPlan, MeansOfIntegersNeedSumsOf64Bits) {
  auto d = segment(OPMUX_SEGMENT_MEAN, OPMUX_I8, 9, 3, 5);
  d.inputs()[1] = kit::tensor(OPMUX_I32, {9});
  opmux_devinfo info = roomy_device();
  info.features = OPMUX_FEAT_F64;
  planned(plan_segment, d.opd(), info).expect_no(OPMUX_WHY_FEATURE, 0, OPMUX_FEAT_I64, 0);
  EXPECT_TRUE(planned(plan_segment, d.opd()).yes);
}

TEST(SegmentPlan, MoreColumnsOfSegmentsThanIndicesAreRefused) {
  auto d = segment(OPMUX_SEGMENT_SOFTMAX, OPMUX_F32, 2, 1 << 10, 1u << 30);
  planned(plan_segment, d.opd()).expect_no(OPMUX_WHY_DIM, 0, int64_t{1} << 40, (int64_t{1} << 31) - 1);
}

}  // namespace
}  // namespace opmux::gpu
