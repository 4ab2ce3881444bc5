// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/schema/build.hpp"

namespace opmux::schema::test {
namespace {

struct Gather : Desc<opmux_op_gather> {
  Gather(uint32_t axis, const opmux_tdesc& x, const opmux_tdesc& index, const opmux_tdesc& y)
      : Desc(OPMUX_OP_GATHER, {x, index}, {y}) {
    op.axis = axis;
  }
};

TEST(Gather, ReplacesTheAxisByTheShapeOfTheIndex) {
  Gather g(1, f32({2, 5, 3}), i64({4, 7}), f32({2, 4, 7, 3}));
  EXPECT_EQ(g.check(), "");
  EXPECT_EQ(g.inferred(), "f32[2, 4, 7, 3]");
  Gather scalar(0, f32({5, 3}), tensor(OPMUX_I32, {}), f32({3}));
  EXPECT_EQ(scalar.check(), "");
}

TEST(Gather, ChecksAxisIndexTypeAndRank) {
  Gather g(2, f32({5, 3}), i64({4}), f32({4, 3}));
  EXPECT_EQ(g.check(), "gather: axis 2 is outside [0, 1] for rank 2");
  g.op.axis = 0;
  g.in[1] = f32({4});
  EXPECT_EQ(g.check(), "gather: index is f32, must be one of i64, i32");
  Gather deep(0, f32({1, 1, 1, 1, 1}), i64({1, 1, 1, 1, 1}), f32({1}));
  EXPECT_EQ(deep.check(), "gather: output y would have rank 9, at most 8 is possible");
}

TEST(GatherElements, HasTheShapeOfItsIndex) {
  Desc<opmux_op_gather_elements> g(OPMUX_OP_GATHER_ELEMENTS, {f32({4, 5}), i64({9, 3})}, {f32({9, 3})});
  EXPECT_EQ(g.check(), "");
  g.op.axis = 1;
  EXPECT_EQ(g.check(), "gather_elements: dim 0 of index is 9, but that of x is 4");
  g.in[1] = i64({3});
  EXPECT_EQ(g.check(), "gather_elements: index has rank 1, but x has rank 2");
}

struct GatherNd : Desc<opmux_op_gather_nd> {
  GatherNd(uint32_t batch, const Shape& x, const Shape& index, const Shape& y)
      : Desc(OPMUX_OP_GATHER_ND, {f32(x), i64(index)}, {f32(y)}) {
    op.batch_dims = batch;
  }
};

TEST(GatherNd, JoinsIndexAndRestOfTheData) {
  GatherNd g(0, {7, 5, 3}, {4, 6, 2}, {4, 6, 3});
  EXPECT_EQ(g.check(), "");
  GatherNd batch(1, {7, 5, 3}, {7, 4, 1}, {7, 4, 3});
  EXPECT_EQ(batch.check(), "");
  GatherNd all(0, {7, 5}, {2}, {});
  EXPECT_EQ(all.check(), "");
}

TEST(GatherNd, ChecksBatchAndCoordinates) {
  GatherNd g(0, {7, 5}, {4, 3}, {4});
  EXPECT_EQ(g.check(), "gather_nd: the last dim of index is 3, must be 1 to 2");
  GatherNd none_left(2, {7, 5}, {7, 5, 1}, {7, 5});
  EXPECT_EQ(none_left.check(), "gather_nd: batch_dims is 2, must be below 2, the lesser rank of x and index");
  GatherNd batch(1, {7, 5}, {6, 1}, {6});
  EXPECT_EQ(batch.check(), "gather_nd: dim 0 of index is 6, but that of x is 7");
}

TEST(OneHot, TakesItsDepthFromTheOutput) {
  Desc<opmux_op_one_hot> d(OPMUX_OP_ONE_HOT, {i64({7, 3}), f32({2})}, {f32({7, 9, 3})});
  d.op.axis = 1;
  EXPECT_EQ(d.check(), "");
  EXPECT_EQ(d.inferred(true), "f32[7, 9, 3]");
  EXPECT_EQ(d.inferred(false), "one_hot: output y has rank 0, must be 3 and state the depth");
  d.op.axis = 3;
  EXPECT_EQ(d.check(), "one_hot: axis 3 is outside [0, 2] for rank 3");
  d.op.axis = 0;
  EXPECT_EQ(d.check(), "one_hot: dim 1 of output y is 9, must be 7");
}

TEST(OneHot, NeedsTwoValues) {
  Desc<opmux_op_one_hot> d(OPMUX_OP_ONE_HOT, {i64({7}), f32({3})}, {f32({7, 9})});
  d.op.axis = 1;
  EXPECT_EQ(d.check(), "one_hot: dim 0 of values is 3, must be 2");
}

struct ScatterElements : Desc<opmux_op_scatter_elements> {
  ScatterElements(const opmux_tdesc& x, const Shape& index, const Shape& updates)
      : Desc(OPMUX_OP_SCATTER_ELEMENTS, {x, i64(index), tensor(x.dtype, updates)}, {x}) {
    op.reduction = OPMUX_SCATTER_SET;
  }
};

TEST(ScatterElements, HasTheShapeOfItsData) {
  ScatterElements s(f32({4, 5}), {9, 3}, {9, 3});
  EXPECT_EQ(s.check(), "");
  EXPECT_EQ(s.inferred(), "f32[4, 5]");
}

TEST(ScatterElements, ChecksIndexUpdatesAndReduction) {
  EXPECT_EQ(ScatterElements(f32({4, 5}), {3, 6}, {3, 6}).check(),
            "scatter_elements: dim 1 of index is 6, but that of x is 5");
  EXPECT_EQ(ScatterElements(f32({4, 5}), {3}, {3}).check(),
            "scatter_elements: index has rank 1, but x has rank 2");
  EXPECT_EQ(ScatterElements(f32({4, 5}), {3, 5}, {3, 4}).check(),
            "scatter_elements: dim 1 of updates is 4, must be 5");
  ScatterElements logic(tensor(OPMUX_BOOL, {4}), {3}, {3});
  EXPECT_EQ(logic.check(), "");
  logic.op.reduction = OPMUX_SCATTER_ADD;
  EXPECT_EQ(logic.check(), "scatter_elements: x is bool, which only reduction 1 (set) takes");
  ScatterElements tiny(tensor(OPMUX_E4M3FN, {4}), {3}, {3});
  tiny.op.reduction = OPMUX_SCATTER_MAX;
  EXPECT_EQ(tiny.check(), "scatter_elements: x is e4m3fn, which only reduction 1 (set) takes");
  ScatterElements none(f32({4}), {3}, {3});
  none.op.reduction = 6;
  EXPECT_EQ(none.check(), "scatter_elements: reduction is 6, must be 1 to 5 (OPMUX_SCATTER_*)");
}

TEST(ScatterNd, ChecksCoordinatesAndUpdates) {
  const auto check = [](const Shape& index, const Shape& updates) {
    Desc<opmux_op_scatter_nd> d(OPMUX_OP_SCATTER_ND, {f32({7, 5}), i64(index), f32(updates)}, {f32({7, 5})});
    d.op.reduction = OPMUX_SCATTER_ADD;
    return d.check();
  };
  EXPECT_EQ(check({3, 4, 1}, {3, 4, 5}), "");
  EXPECT_EQ(check({2}, {}), "");
  EXPECT_EQ(check({4, 3}, {4}), "scatter_nd: the last dim of index is 3, must be 1 to 2");
  EXPECT_EQ(check({4, 0}, {4, 7, 5}), "scatter_nd: the last dim of index is 0, must be 1 to 2");
  EXPECT_EQ(check({4, 1}, {4}), "scatter_nd: updates has rank 1, must have 2");
  EXPECT_EQ(check({4, 1}, {4, 6}), "scatter_nd: dim 1 of updates is 6, must be 5");
}

}  // namespace
}  // namespace opmux::schema::test
