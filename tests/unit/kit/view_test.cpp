// SPDX-License-Identifier: Apache-2.0
#include "kit/view.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "kit/desc.hpp"
#include "kit/guard.hpp"
#include "kit/raw_loader.hpp"

namespace {

using namespace opmux::kit;

std::vector<int64_t> offsets(const Walk& walk, size_t operand = 0) {
  std::vector<int64_t> at;
  walk.each([&](const int64_t* o) { at.push_back(o[operand]); });
  return at;
}

TEST(Walk, GoesThroughElementsInRowMajorOrder) {
  const opmux_tdesc t = strided(OPMUX_F32, {2, 3}, {1, 2});
  EXPECT_EQ(offsets(Walk(t).add(t)), (std::vector<int64_t>{0, 2, 4, 1, 3, 5}));
}
TEST(Walk, FollowsNegativeStrides) {
  const opmux_tdesc t = strided(OPMUX_F32, {2, 2}, {-2, 1});
  EXPECT_EQ(offsets(Walk(t).add(t)), (std::vector<int64_t>{0, 1, -2, -1}));
}
TEST(Walk, RepeatsAxesThatAnOperandLacks) {
  const opmux_tdesc shape = tensor(OPMUX_F32, {2, 2, 2}), column = tensor(OPMUX_F32, {2, 1});
  EXPECT_EQ(offsets(Walk(shape).add(column)), (std::vector<int64_t>{0, 0, 1, 1, 0, 0, 1, 1}));
}
TEST(Walk, VisitsAScalarOnceAndAnEmptyShapeNever) {
  const opmux_tdesc scalar = tensor(OPMUX_F32, {}), empty = tensor(OPMUX_F32, {3, 0, 2});
  EXPECT_EQ(offsets(Walk(scalar).add(scalar)).size(), 1u);
  EXPECT_EQ(offsets(Walk(empty).add(empty)).size(), 0u);
}
TEST(Walk, CollapsesWhatIsEvenForAllOperands) {
  const opmux_tdesc a = tensor(OPMUX_F32, {2, 1, 3, 4, 5}),
                    b = strided(OPMUX_F32, {2, 1, 3, 4, 5}, {120, 0, 20, 5, 1});
  Walk joint(a);
  joint.add(a).add(b).collapse();
  EXPECT_EQ(joint.rank(), 2u);
  EXPECT_EQ(joint.dim(1), 60);
  Walk plain(a);
  plain.add(a).add(b);
  EXPECT_EQ(offsets(joint, 0), offsets(plain, 0));
  EXPECT_EQ(offsets(joint, 1), offsets(plain, 1));
  Walk whole(a);
  whole.add(a).collapse();
  EXPECT_EQ(whole.rank(), 1u);
}
TEST(Walk, CoversRankEightOnce) {
  const opmux_tdesc t = tensor(OPMUX_F32, {2, 2, 2, 2, 2, 2, 2, 2});
  std::vector<int64_t> want(256);
  std::iota(want.begin(), want.end(), 0);
  EXPECT_EQ(offsets(Walk(t).add(t)), want);
}

TEST(Guard, TurnsExceptionsIntoRecords) {
  RawError err;
  EXPECT_EQ(guard(err, [] {}), OPMUX_OK);
  EXPECT_EQ(guard(err, [] { return opmux_status{OPMUX_E_BUSY}; }), OPMUX_E_BUSY);
  EXPECT_EQ(guard(err, [] { throw Failure(OPMUX_E_FAULT, 1, "gather: index 9 is outside [-3, 2]"); }),
            OPMUX_E_FAULT);
  EXPECT_EQ(err.text(), "gather: index 9 is outside [-3, 2]");
  EXPECT_EQ(err->arg_index, 1u);
  EXPECT_EQ(OPMUX_CODE(guard(err, [] { throw std::bad_alloc(); })), OPMUX_E_OUT_OF_MEMORY);
  EXPECT_EQ(guard(err, [] { throw std::runtime_error("odd"); }), OPMUX_E_INTERNAL);
  EXPECT_EQ(err.text(), "unexpected exception: odd");
  EXPECT_EQ(guard(err, [] { throw 1; }), OPMUX_E_INTERNAL);
  EXPECT_EQ(guard(nullptr, [] { throw 1; }), OPMUX_E_INTERNAL);
}

}  // namespace
