// SPDX-License-Identifier: Apache-2.0
// Indices that are out of range, in each operator that takes them.
#include "opmux/ops/index.gen.h"
#include "run_fault.hpp"

namespace opmux::test {
namespace {

TEST(Gather, NamesTheFirstBadIndexOfManyAndWritesNothingForIt) {
  std::mt19937 rng(2);
  for (uint32_t threads : {1u, 2u, 7u}) {
    Host host(threads);
    for (double bad : {17.0, -18.0, 2147483647.0, -2147483648.0}) {
      Tensor x(OPMUX_F32, {17, 64}, rng), index(OPMUX_I32, {4000}), y(OPMUX_F32, {4000, 64}, rng);
      x.random(rng);
      index.each([&](const Index& i) { index.set(i, static_cast<double>(rng() % 34) - 17); });
      index.set({1234}, bad);
      index.set({3999}, 99);
      kit::Desc<opmux_op_gather> d(OPMUX_OP_GATHER);
      d.in(x.t).in(index.t).out(y.t);
      expect_fault(host, d, {x.data(), index.data(), y.data()}, 1,
                   "gather: index " + std::to_string(static_cast<int64_t>(bad)) + " is outside [-17, 16]");
      EXPECT_TRUE(y.gaps_untouched());
      const auto* left = static_cast<const std::byte*>(y.data()) + 1234 * y.t.stride[0] * 4;
      for (int64_t i = 0; i < 4; ++i) EXPECT_EQ(left[i], std::byte{0xa5});
    }
  }
}

TEST(Gather, FindsNoIndexInRangeOfAnEmptyAxis) {
  Host host(1);
  Tensor x(OPMUX_F32, {0}), index(OPMUX_I64, {1}), y(OPMUX_F32, {1});
  index.set({0}, 0);
  kit::Desc<opmux_op_gather> d(OPMUX_OP_GATHER);
  d.in(x.t).in(index.t).out(y.t);
  expect_fault(host, d, {x.data(), index.data(), y.data()}, 1, "gather: index 0 is outside [0, -1]");
}

TEST(GatherElements, NamesTheIndexThatIsOutOfRange) {
  Host host(2);
  Tensor x(OPMUX_F32, {3, 4}), index(OPMUX_I64, {3, 2}), y(OPMUX_F32, {3, 2});
  index.each([&](const Index& i) { index.set(i, 0); });
  index.set({1, 1}, -5);
  kit::Desc<opmux_op_gather_elements> d(OPMUX_OP_GATHER_ELEMENTS);
  d.in(x.t).in(index.t).out(y.t);
  d->axis = 1;
  expect_fault(host, d, {x.data(), index.data(), y.data()}, 1,
               "gather_elements: index -5 is outside [-4, 3]");
}

TEST(GatherNd, NamesTheCoordinateThatIsOutOfRange) {
  Host host(2);
  Tensor x(OPMUX_F32, {3, 4, 2}), index(OPMUX_I64, {5, 2}), y(OPMUX_F32, {5, 2});
  index.each([&](const Index& i) { index.set(i, 2); });
  index.set({3, 0}, 3);  // fits the second axis only
  kit::Desc<opmux_op_gather_nd> d(OPMUX_OP_GATHER_ND);
  d.in(x.t).in(index.t).out(y.t);
  expect_fault(host, d, {x.data(), index.data(), y.data()}, 1, "gather_nd: index 3 is outside [-3, 2]");
}

TEST(OneHot, MatchesNowhereForNaNAndInfinity) {
  Host host(1);
  Tensor index(OPMUX_F32, {3}), values(OPMUX_F32, {2}), y(OPMUX_F32, {3, 4});
  index.set({0}, NAN);
  index.set({1}, INFINITY);
  index.set({2}, -1e30);
  values.set({0}, -2);
  values.set({1}, 7);
  kit::Desc<opmux_op_one_hot> d(OPMUX_OP_ONE_HOT);
  d.in(index.t).in(values.t).out(y.t);
  d->axis = 1;
  ASSERT_TRUE(run_op(host, d, {index.data(), values.data(), y.data()}));
  for (double v : y.dense()) EXPECT_EQ(v, -2);
}

}  // namespace
}  // namespace opmux::test
