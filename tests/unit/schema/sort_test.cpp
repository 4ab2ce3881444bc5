// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/schema/build.hpp"

namespace opmux::schema::test {
namespace {

struct TopK : Desc<opmux_op_top_k> {
  TopK(uint32_t axis, uint32_t k) : Desc(OPMUX_OP_TOP_K, {f32({3, 7})}, {none(), none()}) {
    op.axis = axis;
    op.k = k;
  }
};

TEST(TopK, HasKElementsAlongTheAxis) {
  EXPECT_EQ(TopK(1, 2).inferred(), "f32[3, 2] i64[3, 2]");
  EXPECT_EQ(TopK(0, 0).inferred(), "f32[0, 7] i64[0, 7]");
  TopK of_indices(1, 2);
  of_indices.out[1] = i64({3, 2});
  EXPECT_EQ(of_indices.check(), "");
}

TEST(TopK, ChecksAxisAndK) {
  EXPECT_EQ(TopK(2, 1).check(), "top_k: axis 2 is outside [0, 1] for rank 2");
  TopK wide(1, 8);
  wide.out[0] = f32({3, 8});
  EXPECT_EQ(wide.check(), "top_k: k is 8, but dim 1 of x is 7");
}

TEST(Sort, MayGivePositionsAlone) {
  Desc<opmux_op_sort> d(OPMUX_OP_SORT, {f32({3, 7})}, {none(), i64({3, 7})});
  EXPECT_EQ(d.check(), "");
  EXPECT_EQ(d.inferred(), "f32[3, 7] i64[3, 7]");
  d.in[0] = tensor(OPMUX_BOOL, {3, 7});
  EXPECT_EQ(d.check(),
            "sort: x is bool, must be one of f64, f32, f16, bf16, i64, i32, i16, i8, u64, u32, u16, u8");
}

TEST(NonZero, HasRoomForEveryElement) {
  Desc<opmux_op_non_zero> d(OPMUX_OP_NON_ZERO, {f32({3, 4, 5})}, {i64({3, 60}), i64({})});
  EXPECT_EQ(d.check(), "");
  EXPECT_EQ(d.inferred(), "i64[3, 60] i64[]");
  d.out[0] = i64({3, 59});
  EXPECT_EQ(d.check(), "non_zero: dim 1 of output y is 59, must be 60");
}

TEST(Unique, HasRoomForEverySlice) {
  Desc<opmux_op_unique> d(OPMUX_OP_UNIQUE, {f32({3, 4})}, {f32({3, 4}), none(), i64({4}), none(), i64({})});
  d.op.axis = 1;
  EXPECT_EQ(d.check(), "");
  EXPECT_EQ(d.inferred(), "f32[3, 4] i64[4] i64[4] i64[4] i64[]");
  d.op.axis = 0;
  EXPECT_EQ(d.check(), "unique: dim 0 of output inverse is 4, must be 3");
}

TEST(Segment, HasARowForEachSegmentOrTheShapeOfItsData) {
  Desc<opmux_op_segment> d(OPMUX_OP_SEGMENT, {f32({7, 3}), i64({7})}, {f32({4, 3})});
  d.op.kind = OPMUX_SEGMENT_SUM;
  d.op.segments = 4;
  EXPECT_EQ(d.check(), "");
  d.op.kind = OPMUX_SEGMENT_SOFTMAX;
  EXPECT_EQ(d.inferred(), "f32[7, 3]");
  d.in[1] = i64({6});
  EXPECT_EQ(d.check(), "segment: dim 0 of ids is 6, but that of x is 7");
  d.in[0] = i64({7, 3});
  d.in[1] = i64({7});
  EXPECT_EQ(d.check(), "segment: x is i64, a softmax takes floats");
}

TEST(EmbeddingBag, HasARowForEachBag) {
  Desc<opmux_op_embedding_bag> d(OPMUX_OP_EMBEDDING_BAG, {f32({9, 3}), i64({6}), i64({5}), f32({6})},
                                 {f32({4, 3})});
  d.op.kind = OPMUX_BAG_SUM;
  EXPECT_EQ(d.check(), "");
  d.op.kind = OPMUX_BAG_MAX;
  EXPECT_EQ(d.check(), "embedding_bag: weights are there, but kind 3 (max) takes none");
  d.op.kind = OPMUX_BAG_MEAN;
  d.in[3] = f32({5});
  EXPECT_EQ(d.check(), "embedding_bag: dim 0 of weights is 5, but that of index is 6");
  d.in[2] = i64({0});
  EXPECT_EQ(d.check(), "embedding_bag: offsets has no elements, must have one more than there are bags");
}

TEST(Histogram, HasItsBins) {
  Desc<opmux_op_histogram> d(OPMUX_OP_HISTOGRAM, {f32({9, 3}), f32({}), f32({})}, {i64({12})});
  d.op.bins = 12;
  EXPECT_EQ(d.check(), "");
  d.op.bins = 0;
  EXPECT_EQ(d.check(), "histogram: bins is 0, must be in [1, 2147483647]");
}

}  // namespace
}  // namespace opmux::schema::test
