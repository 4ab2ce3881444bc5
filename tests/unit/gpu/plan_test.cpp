// SPDX-License-Identifier: Apache-2.0
// Planning against a launcher that writes down what it is asked for.
#include "gpu/plan.hpp"

#include <gtest/gtest.h>

#include "gpu/hazards.hpp"
#include "kit/guard.hpp"
#include "tests/unit/gpu/recorded_plan.hpp"

namespace opmux::gpu {
namespace {

kit::Desc<opmux_op_matmul> matmul(std::vector<int64_t> a, std::vector<int64_t> b, std::vector<int64_t> c) {
  kit::Desc<opmux_op_matmul> d(OPMUX_OP_MATMUL);
  d->acc_dtype = OPMUX_F32;
  d.in(kit::tensor(OPMUX_F32, a)).in(kit::tensor(OPMUX_F32, b)).out(kit::tensor(OPMUX_F32, c));
  return d;
}

KernelPlan plan_of(const opmux_devinfo& info, opmux_opd* d) {
  opmux_cap cap{};
  KernelPlan plan;
  EXPECT_TRUE(plan_matmul(info, *d, cap, &plan)) << "why " << cap.why;
  return plan;
}

opmux_bind bind_of(const Memory& m, uint64_t offset) {
  return {reinterpret_cast<uintptr_t>(&m), offset, 0, nullptr};
}

TEST(MatmulPlan, OneGroupMakesOneTileAndTheBatchIsTheThirdAxis) {
  auto d = matmul({7, 33, 5}, {7, 5, 100}, {7, 33, 100});
  const KernelPlan plan = plan_of(described_device(), d.opd());
  ASSERT_EQ(plan.steps.size(), 1u);
  const Step& step = plan.steps[0];
  ASSERT_EQ(step.dispatches.size(), 1u);
  EXPECT_EQ(step.dispatches[0].groups[0], 4u);
  EXPECT_EQ(step.dispatches[0].groups[1], 2u);
  EXPECT_EQ(step.dispatches[0].groups[2], 7u);
  ASSERT_EQ(step.source.params()[2].name, "depth");
  EXPECT_EQ(step.words[2], 5u);
}

TEST(MatmulPlan, ABatchBeyondTheThirdAxisIsSplit) {
  opmux_devinfo info = described_device();
  info.max_groups[2] = 3;
  auto d = matmul({8, 1, 1}, {1, 1}, {8, 1, 1});
  const KernelPlan plan = plan_of(info, d.opd());
  const auto& dispatches = plan.steps[0].dispatches;
  ASSERT_EQ(dispatches.size(), 3u);
  EXPECT_EQ(dispatches[2].first, 6u);
  EXPECT_EQ(dispatches[2].groups[2], 2u);
}

TEST(MatmulPlan, MoreTilesThanGroupsIsARefusalWithTheLargestExtent) {
  opmux_devinfo info = described_device();
  info.max_groups[1] = 2;
  auto d = matmul({65, 1}, {1, 1}, {65, 1});
  opmux_cap cap{};
  EXPECT_FALSE(plan_matmul(info, *d.opd(), cap, nullptr));
  EXPECT_EQ(cap.why, OPMUX_WHY_DIM);
  EXPECT_EQ(cap.why_arg, 2u);
  EXPECT_EQ(cap.why_have, 65);
  EXPECT_EQ(cap.why_limit, 64);
}

TEST(MatmulPlan, AnOperandBeyondABindingIsARefusalWithBothSizes) {
  opmux_devinfo info = described_device();
  info.max_binding_bytes = 4096 + 256;
  auto fits = matmul({32, 32}, {32, 32}, {32, 32});
  opmux_cap cap{};
  EXPECT_TRUE(plan_matmul(info, *fits.opd(), cap, nullptr));
  auto large = matmul({16, 40}, {40, 33}, {16, 33});  // a single column reaches too far
  EXPECT_FALSE(plan_matmul(info, *large.opd(), cap, nullptr));
  EXPECT_EQ(cap.why, OPMUX_WHY_MEMORY);
  EXPECT_EQ(cap.why_arg, 1u);
  EXPECT_EQ(cap.why_have, 40 * 33 * 4);
  EXPECT_EQ(cap.why_limit, 4096);
}

TEST(MatmulPlan, WeightsBeyondABindingAreTakenInPartsOfTheirColumns) {
  opmux_devinfo info = described_device();
  info.max_binding_bytes = 4096 + 256;
  auto d = matmul({2, 32}, {32, 70}, {2, 70});
  opmux_tdesc& b = d.inputs()[1];  // a column lies in one piece: 128 bytes
  b.stride[0] = 1;
  b.stride[1] = 32;
  const KernelPlan plan = plan_of(info, d.opd());
  ASSERT_EQ(plan.steps.size(), 3u);
  const int64_t columns[] = {24, 24, 22};
  for (size_t i = 0; i < 3; ++i) {
    const Step& step = plan.steps[i];
    EXPECT_EQ(step.words[1], columns[i]);
    for (const BindingUse& use : step.uses) {
      const int64_t column_bytes[] = {0, 128, 4};  // from one to the next, in a, b and y
      EXPECT_EQ(use.shift, static_cast<int64_t>(i) * 24 * column_bytes[use.arg]);
      if (use.arg != 1) continue;
      EXPECT_EQ(use.reach.size(), static_cast<uint64_t>(columns[i]) * 128);
    }
  }
}

TEST(Launches, RangesStartAtTheAlignmentAndTheRestIsABase) {
  auto d = matmul({4, 3}, {3, 4}, {4, 4});
  d.inputs()[1].stride[0] = -4;  // element 0 is in the last row
  const KernelPlan plan = plan_of(described_device(), d.opd());
  const Memory a(1000), b(1000), c(1000), code(1000);
  const opmux_bind binds[] = {bind_of(a, 300), bind_of(b, 532), bind_of(c, 256)};
  Recorder r;
  const ReadyStep ready[] = {{nullptr, {&code, 0, 500}}};
  launch_run(plan, ready, {binds}, 256, r);
  ASSERT_EQ(r.launches.size(), 1u);
  const Launch& l = r.launches[0];
  ASSERT_EQ(l.bindings, 4u);  // code, a, b, y0
  EXPECT_EQ(l.range[1].offset, 256u);
  EXPECT_EQ(l.base[1], (300u - 256u) / 4);
  EXPECT_EQ(l.range[1].size, 44u + 48u);
  // It reaches from 532 - 2 rows to 532 + 1 row.
  EXPECT_EQ(l.range[2].offset, 256u);
  EXPECT_EQ(l.base[2], (532u - 256u) / 4);
  EXPECT_EQ(l.range[2].size, 532u + 16u - 256u);
  EXPECT_EQ(l.range[3].memory, &c);
  EXPECT_EQ(l.written, 1u << 3);
}

TEST(Launches, WithoutAnAlignmentRangesStartWithTheirBlocks) {
  auto d = matmul({4, 3}, {3, 4}, {4, 4});
  const KernelPlan plan = plan_of(described_device(), d.opd());
  const Memory a(1000), b(1000), c(1000), code(1000);
  const opmux_bind binds[] = {bind_of(a, 300), bind_of(b, 532), bind_of(c, 256)};
  const ReadyStep ready[] = {{nullptr, {&code, 500, 400}}};
  Recorder r;
  launch_run(plan, ready, {binds}, 0, r);
  EXPECT_EQ(r.launches[0].range[1].offset, 0u);
  EXPECT_EQ(r.launches[0].base[0], 125u);
  EXPECT_EQ(r.launches[0].base[1], 75u);
}

TEST(Launches, ElementsBelowAByteAreCountedFromAWord) {
  opmux_tdesc x = kit::tensor(OPMUX_U4, {9}), y = kit::tensor(OPMUX_I32, {9});
  kit::Program p(OPMUX_SLOT_MAIN, 1);
  p.out(p.apply(OPMUX_FN_CAST, OPMUX_I32, 0));
  kit::Desc<opmux_op_pointwise> d(OPMUX_OP_POINTWISE);
  d.in(x).out(y).program(p);
  opmux_cap cap{};
  KernelPlan plan;
  ASSERT_TRUE(plan_pointwise(described_device(), *d.opd(), cap, &plan));
  const Memory a(64), b(64), code(1000);
  const opmux_bind binds[] = {bind_of(a, 7), bind_of(b, 0)};
  const ReadyStep ready[] = {{nullptr, {&code, 0, 500}}};
  Recorder r;
  launch_run(plan, ready, {binds}, 1, r);
  // Nine elements of half a byte from byte 7 on end in byte 11.
  EXPECT_EQ(r.launches[0].range[1].offset, 4u);
  EXPECT_EQ(r.launches[0].range[1].size, 8u);
  EXPECT_EQ(r.launches[0].base[1], 6u);
}

TEST(Launches, AScalarIsFoundAmongTheValuesOfTheRun) {
  opmux_tdesc value = kit::tensor(OPMUX_I8, {});
  value.flags |= OPMUX_T_HOST_SCALAR;
  kit::Program p(OPMUX_SLOT_MAIN, 3);
  p.out(p.apply(OPMUX_FN_ADD, OPMUX_I8, p.apply(OPMUX_FN_ADD, OPMUX_I8, 0, 1), 2));
  kit::Desc<opmux_op_pointwise> d(OPMUX_OP_POINTWISE);
  d.in(value).in(kit::tensor(OPMUX_I8, {})).in(value).out(kit::tensor(OPMUX_I8, {})).program(p);
  opmux_cap cap{};
  KernelPlan plan;
  ASSERT_TRUE(plan_pointwise(described_device(), *d.opd(), cap, &plan));
  const Memory values(64), m(64), code(1000);
  const opmux_bind binds[] = {{}, bind_of(m, 5), {}, bind_of(m, 9)};
  const ReadyStep ready[] = {{nullptr, {&code, 0, 500}}};
  Recorder r;
  launch_run(plan, ready, {binds, {}, {}, {&values, 16, 16}}, 0, r);
  EXPECT_EQ(r.launches[0].range[1].memory, &values);
  EXPECT_EQ(r.launches[0].base[1], 16u);
  EXPECT_EQ(r.launches[0].base[2], 5u);
  EXPECT_EQ(r.launches[0].range[3].memory, &values);
  EXPECT_EQ(r.launches[0].base[3], 24u);
}

TEST(Launches, AnElementThatItsSizeDoesNotDivideIsRefused) {
  kit::Desc<opmux_op_copy> d(OPMUX_OP_COPY);
  d.in(kit::tensor(OPMUX_I64, {4})).out(kit::tensor(OPMUX_I64, {4}));
  opmux_cap cap{};
  KernelPlan plan;
  ASSERT_TRUE(plan_copy(described_device(), *d.opd(), cap, &plan));
  const Memory m(1000);
  const opmux_bind binds[] = {bind_of(m, 8), bind_of(m, 100)};
  const ReadyStep ready[] = {{nullptr, {&m, 0, 100}}};
  Recorder r;
  try {
    launch_run(plan, ready, {binds}, 4, r);
    FAIL() << "8 bytes at byte 100 were bound";
  } catch (const kit::Failure& e) {
    EXPECT_STREQ(e.what(), "operand 1 lies at byte 100, which 8 does not divide");
  }
}

TEST(Launches, ABindThatIsTooShortThrowsBeforeAnythingIsLaunched) {
  auto d = matmul({4, 4}, {4, 4}, {4, 4});
  const KernelPlan plan = plan_of(described_device(), d.opd());
  const Memory m(64), code(1000);
  const opmux_bind binds[] = {bind_of(m, 0), bind_of(m, 4), bind_of(m, 0)};
  Recorder r;
  try {
    const ReadyStep ready[] = {{nullptr, {&code, 0, 500}}};
    launch_run(plan, ready, {binds}, 4, r);
    FAIL() << "64 bytes at byte 4 of a block of 64 were bound";
  } catch (const kit::Failure& e) {
    EXPECT_EQ(e.arg(), 1u);
    EXPECT_STREQ(e.what(), "operand 1 at byte 4 reaches from 0 to 64, its block has 64 bytes");
  }
  EXPECT_TRUE(r.launches.empty());
}

TEST(Hazards, OnlyAccessesThatMeetNeedABarrier) {
  const Memory m(1000), n(1000);
  const BoundRange low{&m, 0, 100}, high{&m, 100, 100}, middle{&m, 50, 100}, other{&n, 0, 100};
  Hazards h;
  EXPECT_FALSE(h.add({&low, 1}, {&high, 1}));
  EXPECT_FALSE(h.add({&low, 1}, {&other, 1})) << "two reads";
  EXPECT_TRUE(h.add({&middle, 1}, {})) << "a read after a write";
  EXPECT_FALSE(h.add({&high, 1}, {})) << "the barrier was in between";
  EXPECT_TRUE(h.add({}, {&low, 1})) << "a write after a read";
  EXPECT_TRUE(h.add({}, {&low, 1})) << "a write after a write";
}

}  // namespace
}  // namespace opmux::gpu
