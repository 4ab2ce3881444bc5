// SPDX-License-Identifier: Apache-2.0
// Plans of attention, paged_attention and kv_append.
#include "kit/operands/attention.gen.hpp"
#include "tests/unit/gpu/recorded_plan.hpp"

namespace opmux::gpu {
namespace {

const opmux_tdesc kAbsent{};

kit::Desc<opmux_op_attention> attention(uint32_t dtype, std::vector<int64_t> q, std::vector<int64_t> kv) {
  kit::Desc<opmux_op_attention> d(OPMUX_OP_ATTENTION);
  d->window = -1;
  std::vector<int64_t> y = q;
  y[3] = kv[3];
  d.in(kit::tensor(dtype, q))
      .in(kit::tensor(dtype, kv))
      .in(kit::tensor(dtype, kv))
      .out(kit::tensor(dtype, y));
  return d;
}

TEST(AttentionPlan, AGroupMakesAQueryOfAHead) {
  auto d = attention(OPMUX_F32, {2, 4, 5, 8}, {2, 2, 7, 8});
  const Recorded p = planned(plan_attention, d.opd());
  EXPECT_EQ(p.kernel_line(), "attention");
  EXPECT_EQ(p.groups(0), 2u * 4 * 5);
  EXPECT_EQ(p.word(0, "head_group"), 2u);
  EXPECT_EQ(p.word(0, "mode"), 0u);
}

TEST(AttentionPlan, QueriesBeyondTheGroupsOfADispatchAreSplit) {
  opmux_devinfo info = roomy_device();
  info.max_groups[0] = 16;
  auto d = attention(OPMUX_F32, {2, 4, 5, 8}, {2, 2, 7, 8});
  const Recorded p = planned(plan_attention, d.opd(), info);
  const auto& dispatches = p.plan.steps.at(0).dispatches;
  ASSERT_EQ(dispatches.size(), 3u);
  EXPECT_EQ(dispatches[2].first, 32u);
  EXPECT_EQ(dispatches[2].groups[0], 8u);
}

TEST(AttentionPlan, BothHalvesShareATextAndOthersDoNot) {
  auto f16 = attention(OPMUX_F16, {1, 2, 3, 8}, {1, 2, 3, 8}),
       bf16 = attention(OPMUX_BF16, {1, 2, 3, 8}, {1, 2, 3, 8}),
       f64 = attention(OPMUX_F64, {1, 2, 3, 8}, {1, 2, 3, 8});
  const Recorded a = planned(plan_attention, f16.opd()), b = planned(plan_attention, bf16.opd()),
                 c = planned(plan_attention, f64.opd());
  EXPECT_EQ(a.text(0), b.text(0));
  EXPECT_NE(a.text(0), c.text(0));
  EXPECT_EQ(a.word(0, "brain"), 0u);
  EXPECT_EQ(b.word(0, "brain"), 1u);
}

TEST(AttentionPlan, LengthsAreCheckedByStepsThatNameTheirOperand) {
  auto d = attention(OPMUX_F32, {2, 4, 5, 8}, {2, 2, 7, 8});
  for (int i = 0; i < 5; ++i) d.in(kAbsent);
  d.in(kit::tensor(OPMUX_I32, {2})).in(kit::tensor(OPMUX_I64, {2}));
  const Recorded p = planned(plan_attention, d.opd());
  EXPECT_EQ(p.kernel_line(), "check_indices check_indices attention");
  EXPECT_EQ(p.plan.steps[0].faulty_arg, 8u);
  EXPECT_EQ(p.plan.steps[1].faulty_arg, 9u);
  EXPECT_EQ(p.word(0, "limit"), 6u);
  EXPECT_EQ(p.word(1, "limit"), 8u);
  EXPECT_EQ(p.word(2, "mode"), 1u);
  EXPECT_EQ(p.word(2, "q_words"), 1u);
  EXPECT_EQ(p.word(2, "k_words"), 2u);
  EXPECT_EQ(p.text(0), p.text(1)) << "indices of either width share a text";
}

kit::Desc<opmux_op_attention> with_state(int64_t capacity) {
  auto d = attention(OPMUX_F32, {1, 2, 3, 8}, {1, 2, 3, 8});
  const opmux_tdesc state = kit::tensor(OPMUX_F32, {1, 2, capacity, 8});
  d.in(kAbsent).in(state).in(state).in(kit::tensor(OPMUX_I64, {})).out(state).out(state);
  return d;
}

TEST(AttentionPlan, AStateIsAppendedToBehindTheQueriesAndCopiedOnlyWhereItIsBoundApart) {
  auto d = with_state(16);
  d.alias({0, 5, 6});
  const Recorded p = planned(plan_attention, d.opd());
  EXPECT_EQ(p.kernel_line(), "check_indices attention copy state_append copy state_append");
  EXPECT_EQ(p.word(0, "limit"), 16u - 3 + 1);
  EXPECT_EQ(p.plan.steps[2].unless_same, (std::array<uint32_t, 2>{4, 8}));
}

TEST(AttentionPlan, AStateWithoutRoomIsAlwaysReported) {
  auto d = with_state(2);
  d.alias({0, 5, 6});
  const Recorded p = planned(plan_attention, d.opd());
  EXPECT_EQ(p.word(0, "limit"), 0u);
  EXPECT_EQ(p.word(1, "capacity"), 3u);
}

TEST(AttentionPlan, WideHeadsAndForeignPlacesAreRefusedWithNumbers) {
  auto wide = attention(OPMUX_F32, {1, 1, 1, 513}, {1, 1, 1, 513});
  planned(plan_attention, wide.opd()).expect_no(OPMUX_WHY_DIM, 0, 513, 512);
  auto apart = with_state(16);
  planned(plan_attention, apart.opd()).expect_no(OPMUX_WHY_ALIAS, 8, 0, 0);
}

kit::Desc<opmux_op_paged_attention> paged(uint32_t pages, int64_t page, int64_t columns) {
  kit::Desc<opmux_op_paged_attention> d(OPMUX_OP_PAGED_ATTENTION);
  d->window = -1;
  d.in(kit::tensor(OPMUX_F32, {9, 4, 16}));
  d.in(kit::tensor(pages, {3, page, 2, 16})).in(kit::tensor(pages, {3, page, 2, 16}));
  d.in(kit::tensor(OPMUX_I32, {2, columns})).in(kit::tensor(OPMUX_I32, {2})).in(kit::tensor(OPMUX_I64, {3}));
  d.out(kit::tensor(OPMUX_F32, {9, 4, 16}));
  return d;
}

TEST(PagedAttentionPlan, CountsAndPagesAreCheckedAndCodesOfOneWidthShareAText) {
  auto d = paged(OPMUX_I8, 8, 4), e = paged(OPMUX_E4M3FN, 8, 4);
  const Recorded p = planned(plan_paged_attention, d.opd()), q = planned(plan_paged_attention, e.opd());
  EXPECT_EQ(p.kernel_line(), "check_indices check_indices check_pages paged_attention");
  EXPECT_EQ(p.word(0, "rising"), 1u);
  EXPECT_EQ(p.word(0, "limit"), 10u);
  EXPECT_EQ(p.word(1, "limit"), 33u);
  EXPECT_EQ(p.word(2, "pages"), 3u);
  EXPECT_EQ(p.groups(3), 36u);
  EXPECT_EQ(p.text(3), q.text(3));
  EXPECT_NE(p.word(3, "k_format"), q.word(3, "k_format"));
}

TEST(PagedAttentionPlan, MoreKeysThanIndicesHoldAreRefused) {
  auto d = paged(OPMUX_F32, 4096, 1 << 20);
  planned(plan_paged_attention, d.opd()).expect_no(OPMUX_WHY_DIM, 3, int64_t{1} << 32, kMaxElements - 1);
}

kit::Desc<opmux_op_kv_append> append(uint32_t dtype) {
  kit::Desc<opmux_op_kv_append> d(OPMUX_OP_KV_APPEND);
  d.in(kit::tensor(dtype, {5, 4, 2, 16})).in(kit::tensor(OPMUX_F32, {7, 2, 16}));
  d.in(kit::tensor(OPMUX_I32, {7})).out(kit::tensor(dtype, {5, 4, 2, 16}));
  return d;
}

TEST(KvAppendPlan, AGroupStoresARowOfAHead) {
  auto d = append(OPMUX_I8);
  d.alias({1});
  const Recorded p = planned(plan_kv_append, d.opd());
  EXPECT_EQ(p.kernel_line(), "copy kv_append");
  EXPECT_EQ(p.plan.steps[0].unless_same, (std::array<uint32_t, 2>{0, 3}));
  EXPECT_EQ(p.groups(1), 14u);
  EXPECT_EQ(p.word(1, "limit"), 20u);
  EXPECT_EQ(p.word(1, "whole"), 1u);
  EXPECT_EQ(p.plan.faulty_arg, 2u);
}

TEST(KvAppendPlan, PagesMustStayWhereTheyAre) {
  auto d = append(OPMUX_F32);
  planned(plan_kv_append, d.opd()).expect_no(OPMUX_WHY_ALIAS, 3, 0, 0);
}

}  // namespace
}  // namespace opmux::gpu
