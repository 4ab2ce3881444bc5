// SPDX-License-Identifier: Apache-2.0
// memory, reduce, pad.
#include "tests/unit/schema/build.hpp"

namespace opmux::schema::test {
namespace {

TEST(Fill, TakesAnyShapeAndTheTypeOfItsValue) {
  Desc<opmux_op_fill> d(OPMUX_OP_FILL, {tensor(OPMUX_U8, {})}, {tensor(OPMUX_U8, {3, 0, 2})});
  EXPECT_EQ(d.check(), "");
  EXPECT_EQ(d.inferred(true), "u8[3, 0, 2]");
  d.out[0].dtype = OPMUX_I8;
  EXPECT_EQ(d.check(), "fill: output y is i8, must be u8");
  d.in[0] = tensor(OPMUX_I8, {1});
  EXPECT_EQ(d.check(), "fill: value has rank 1, must be 0 to 0");
}

TEST(Fill, AcceptsAHostScalar) {
  Desc<opmux_op_fill> d(OPMUX_OP_FILL, {f32({})}, {f32({2})});
  d.in[0].flags = OPMUX_T_HOST_SCALAR;
  EXPECT_EQ(d.check(), "");
}

TEST(Iota, IsALineOfNumbers) {
  Desc<opmux_op_iota> d(OPMUX_OP_IOTA, {i64({}), i64({})}, {i64({7})});
  EXPECT_EQ(d.check(), "");
  d.out[0] = i64({7, 1});
  EXPECT_EQ(d.check(), "iota: y has rank 2, must be 1 to 1");
  d.out[0] = i64({7});
  d.in[1] = f32({});
  EXPECT_EQ(d.check(), "iota: step is f32, but start is i64");
  Desc<opmux_op_iota> logic(OPMUX_OP_IOTA, {tensor(OPMUX_BOOL, {}), tensor(OPMUX_BOOL, {})},
                            {tensor(OPMUX_BOOL, {7})});
  EXPECT_EQ(logic.check().substr(0, 35), "iota: start is bool, must be one of");
}

TEST(Copy, KeepsShapeAndType) {
  Desc<opmux_op_copy> d(OPMUX_OP_COPY, {f32({2, 3})}, {f32({3, 2})});
  EXPECT_EQ(d.check(), "copy: dim 0 of output y is 3, must be 2");
  d.out[0] = f32({2, 3});
  EXPECT_EQ(bytes(d.opd()), 48u);
  d.in[0].stride[0] = 0;  // three elements read, six written
  EXPECT_EQ(bytes(d.opd()), 36u);
}

struct Reduce : Desc<opmux_op_reduce> {
  Reduce(uint32_t kind, std::initializer_list<int64_t> axes, const opmux_tdesc& x, const opmux_tdesc& y)
      : Desc(OPMUX_OP_REDUCE, {x}, {y}) {
    op.kind = kind;
    op.axes = slice(axes);
  }
};

TEST(Reduce, KeepsRankWithExtentOne) {
  Reduce r(OPMUX_REDUCE_SUM, {0, 2}, f32({2, 3, 4}), f32({1, 3, 1}));
  EXPECT_EQ(r.check(), "");
  EXPECT_EQ(r.inferred(), "f32[1, 3, 1]");
  Reduce none_at_all(OPMUX_REDUCE_SUM, {}, f32({2, 3}), f32({2, 3}));
  EXPECT_EQ(none_at_all.check(), "");
}

TEST(Reduce, ResultTypeFollowsTheKind) {
  Reduce arg(OPMUX_REDUCE_ARGMAX, {1}, f32({2, 3}), i64({2, 1}));
  EXPECT_EQ(arg.check(), "");
  arg.op.select_last = 1;
  EXPECT_EQ(arg.check(), "");
  Reduce count(OPMUX_REDUCE_FINITE_COUNT, {1}, f32({2, 3}), i64({2, 1}));
  EXPECT_EQ(count.check(), "");
  Reduce any(OPMUX_REDUCE_ANY, {1}, tensor(OPMUX_BOOL, {2, 3}), tensor(OPMUX_BOOL, {2, 1}));
  EXPECT_EQ(any.check(), "");
  any.op.kind = OPMUX_REDUCE_SUM;
  EXPECT_EQ(any.check(), "reduce: x is bool, but kind 1 takes no bool");
  Reduce all(OPMUX_REDUCE_ALL, {1}, f32({2, 3}), f32({2, 1}));
  EXPECT_EQ(all.check(), "reduce: x is f32, but kind 9 takes only bool");
}

TEST(Reduce, AxesRiseAndLieWithinTheRank) {
  Reduce beyond(OPMUX_REDUCE_SUM, {2}, f32({2, 3}), f32({2, 3}));
  EXPECT_EQ(beyond.check(), "reduce: axis 2 is outside [0, 1] for rank 2");
  Reduce negative(OPMUX_REDUCE_SUM, {-1}, f32({2, 3}), f32({2, 1}));
  EXPECT_EQ(negative.check(), "reduce: axis -1 is outside [0, 1] for rank 2");
  Reduce twice(OPMUX_REDUCE_SUM, {1, 1}, f32({2, 3}), f32({2, 1}));
  EXPECT_EQ(twice.check(), "reduce: axis 1 comes after axis 1, axes must rise");
}

TEST(Reduce, ArgFormsNeedOneAxisWithElements) {
  Reduce two(OPMUX_REDUCE_ARGMIN, {0, 1}, f32({2, 3}), i64({1, 1}));
  EXPECT_EQ(two.check(), "reduce: has 2 axes, kind 7 takes exactly 1");
  Reduce empty(OPMUX_REDUCE_ARGMIN, {0}, f32({0, 3}), i64({1, 3}));
  EXPECT_EQ(empty.check(), "reduce: dim 0 of x is 0, kind 7 needs at least 1 element");
  Reduce sum(OPMUX_REDUCE_SUM, {0}, f32({0, 3}), f32({1, 3}));
  EXPECT_EQ(sum.check(), "");
  sum.op.select_last = 1;
  EXPECT_EQ(sum.check(), "reduce: select_last is 1, but kind 1 does not select");
}

struct Pad : Desc<opmux_op_pad> {
  Pad(uint32_t mode, std::initializer_list<int64_t> pads, const Shape& x, const Shape& y)
      : Desc(OPMUX_OP_PAD, {f32(x)}, {f32(y)}) {
    op.mode = mode;
    op.pad = slice(pads);
  }
};

TEST(Pad, GrowsAndCrops) {
  Pad p(OPMUX_PAD_CONSTANT, {1, -1, 2, 0}, {3, 4}, {6, 3});
  EXPECT_EQ(p.check(), "");
  EXPECT_EQ(p.inferred(), "f32[6, 3]");
  p.in.push_back(f32({}));
  EXPECT_EQ(p.check(), "");
  p.op.mode = OPMUX_PAD_EDGE;
  EXPECT_EQ(p.check(), "pad: input value is there, but mode is 3, only the constant mode (1) has it");
}

TEST(Pad, RejectsCroppingMoreThanThereIs) {
  Pad p(OPMUX_PAD_CONSTANT, {-3, -2}, {4}, {0});
  EXPECT_EQ(p.check(), "pad: pads -3 and -2 of axis 0 crop more than its 4 elements");
}

TEST(Pad, BoundsReflectionAndWrapping) {
  Pad reflect(OPMUX_PAD_REFLECT, {3, 3}, {4}, {10});
  EXPECT_EQ(reflect.check(), "");
  Pad wide(OPMUX_PAD_REFLECT, {4, 0}, {4}, {8});
  EXPECT_EQ(wide.check(), "pad: pad 4 of axis 0 is beyond 3, the most for dim 4 in mode 2");
  Pad wrap(OPMUX_PAD_WRAP, {0, 5}, {4}, {9});
  EXPECT_EQ(wrap.check(), "pad: pad 5 of axis 0 is beyond 4, the most for dim 4 in mode 4");
  Pad edge(OPMUX_PAD_EDGE, {1, 0}, {0}, {1});
  EXPECT_EQ(edge.check(), "pad: pad 1 of axis 0 has no edge to repeat, dim is 0");
}

TEST(Pad, RejectsListsOfTheWrongLengthAndAbsurdPads) {
  Pad p(OPMUX_PAD_CONSTANT, {1, 1, 1}, {3, 4}, {4, 5});
  EXPECT_EQ(p.check(), "pad: has 3 pads, rank 2 needs 4");
  Pad huge(OPMUX_PAD_CONSTANT, {INT64_MAX, 0}, {4}, {4});
  EXPECT_EQ(huge.check(), "pad: pad of axis 0 is 9223372036854775807, beyond 2^61");
  Pad large(OPMUX_PAD_CONSTANT, {int64_t{1} << 61, 0}, {4}, {4});
  EXPECT_EQ(large.check(),
            "pad: dim 0 of y is 2305843009213693956, which makes the tensor 2^62 bytes or more");
}

}  // namespace
}  // namespace opmux::schema::test
