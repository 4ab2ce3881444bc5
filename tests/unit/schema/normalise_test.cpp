// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "tests/unit/schema/build.hpp"

namespace opmux::schema::test {
namespace {

struct Softmax : Desc<opmux_op_softmax> {
  explicit Softmax(const opmux_tdesc& x) : Desc(OPMUX_OP_SOFTMAX, {x}, {x}) { op.kind = OPMUX_SOFTMAX_PLAIN; }
};

TEST(Softmax, AcceptsEveryAxisOfItsRank) {
  Softmax s(f32({2, 3, 4}));
  for (uint32_t axis = 0; axis < 3; ++axis) {
    s.op.axis = axis;
    EXPECT_EQ(s.check(), "");
  }
  EXPECT_EQ(s.inferred(), "f32[2, 3, 4]");
}

TEST(Softmax, RejectsAxisBeyondRank) {
  Softmax s(f32({2, 3}));
  s.op.axis = 3;
  EXPECT_EQ(s.check(), "softmax: axis 3 is outside [0, 1] for rank 2");
  EXPECT_EQ(s.last.why, OPMUX_WHY_ATTR);
  EXPECT_EQ(s.last.arg, offsetof(opmux_op_softmax, axis));
  EXPECT_EQ(s.last.have, 3);
  EXPECT_EQ(s.last.limit, 1);
}

TEST(Softmax, RejectsAnUnknownKind) {
  Softmax s(f32({2, 3}));
  s.op.kind = 3;
  EXPECT_EQ(s.check(), "softmax: kind is 3, must be 1 to 2 (OPMUX_SOFTMAX_*)");
}

TEST(Softmax, RejectsIntegersAndScalars) {
  Softmax integers(i64({2, 3}));
  EXPECT_EQ(integers.check(), "softmax: x is i64, must be one of f64, f32, f16, bf16");
  EXPECT_EQ(integers.last.why, OPMUX_WHY_DTYPE);
  EXPECT_EQ(integers.last.arg, 0u);
  Softmax scalar(f32({}));
  EXPECT_EQ(scalar.check(), "softmax: x has rank 0, must be 1 to 8");
  EXPECT_EQ(scalar.last.why, OPMUX_WHY_RANK);
}

TEST(Softmax, RejectsAnOutputOfAnotherShapeOrType) {
  Softmax s(f32({2, 3}));
  s.out[0] = f32({2, 4});
  EXPECT_EQ(s.check(), "softmax: dim 1 of output y is 4, must be 3");
  EXPECT_EQ(s.last.arg, 1u);
  EXPECT_EQ(s.last.axis, 1u);
  s.out[0] = tensor(OPMUX_F16, {2, 3});
  EXPECT_EQ(s.check(), "softmax: output y is f16, must be f32");
  s.out[0] = f32({2, 3, 1});
  EXPECT_EQ(s.check(), "softmax: output y has rank 3, must be 2");
}

TEST(Softmax, AcceptsEmptyTensors) {
  Softmax s(f32({0, 5}));
  EXPECT_EQ(s.check(), "");
}

struct LayerNorm : Desc<opmux_op_layer_norm> {
  LayerNorm(std::vector<opmux_tdesc> in, std::vector<opmux_tdesc> out)
      : Desc(OPMUX_OP_LAYER_NORM, std::move(in), std::move(out)) {
    op.kind = OPMUX_NORM_LAYER;
    op.axis = 1;
    op.epsilon = 1e-5f;
  }
};

TEST(LayerNorm, InfersStatisticsWithExtentOne) {
  LayerNorm n({f32({2, 3, 4}), f32({3, 4}), f32({4})}, {f32({2, 3, 4}), f32({2, 1, 1}), f32({2, 1, 1})});
  EXPECT_EQ(n.check(), "");
  EXPECT_EQ(n.inferred(), "f32[2, 3, 4] f32[2, 1, 1] f32[2, 1, 1]");
}

TEST(LayerNorm, TakesAbsentOperandsAnywhere) {
  LayerNorm trailing({f32({2, 3})}, {f32({2, 3})});
  EXPECT_EQ(trailing.check(), "");
  LayerNorm middle({f32({2, 3}), none(), f32({3})}, {f32({2, 3}), none(), f32({2, 1})});
  EXPECT_EQ(middle.check(), "");
  LayerNorm first({none()}, {f32({2, 3})});
  EXPECT_EQ(first.check(), "layer_norm: input 0 (x) is absent");
}

TEST(LayerNorm, RejectsScaleThatDoesNotBroadcast) {
  LayerNorm n({f32({2, 3}), f32({4})}, {f32({2, 3})});
  EXPECT_EQ(n.check(), "layer_norm: scale (rank 1, last dim 4) does not broadcast to x (rank 2, last dim 3)");
  n.in[1] = tensor(OPMUX_F16, {3});
  EXPECT_EQ(n.check(), "layer_norm: scale is f16, but x is f32");
}

TEST(LayerNorm, RejectsMeanOfTheRmsForm) {
  LayerNorm n({f32({2, 3})}, {f32({2, 3}), f32({2, 1})});
  n.op.kind = OPMUX_NORM_RMS;
  EXPECT_EQ(n.check(), "layer_norm: output mean is there, but kind is 2, only the layer form (1) has a mean");
}

TEST(LayerNorm, RejectsEpsilonThatIsNoNumber) {
  LayerNorm n({f32({2, 3})}, {f32({2, 3})});
  n.op.epsilon = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(n.check(), "layer_norm: epsilon is nan, must be in [0, 3e+38]");
  n.op.epsilon = -1;
  EXPECT_EQ(n.check(), "layer_norm: epsilon is -1, must be in [0, 3e+38]");
}

TEST(LayerNorm, RejectsAReservedWordThatIsSet) {
  LayerNorm n({f32({2, 3})}, {f32({2, 3})});
  n.op.reserved = 7;
  EXPECT_EQ(n.check(), "layer_norm: reserved is 7, must be 0");
}

struct GroupNorm : Desc<opmux_op_group_norm> {
  explicit GroupNorm(std::vector<opmux_tdesc> in)
      : Desc(OPMUX_OP_GROUP_NORM, std::move(in), {f32({2, 6, 5})}) {
    op.groups = 3;
    op.epsilon = 1e-5f;
  }
};

TEST(GroupNorm, ChecksGroupsAndChannels) {
  GroupNorm good({f32({2, 6, 5}), f32({6}), f32({6})});
  EXPECT_EQ(good.check(), "");
  good.op.groups = 4;
  EXPECT_EQ(good.check(), "group_norm: groups is 4, which does not divide the 6 channels of x");
  good.op.groups = 0;
  EXPECT_EQ(good.check(), "group_norm: groups is 0, must be in [1, 2147483647]");
  GroupNorm scale({f32({2, 6, 5}), f32({5})});
  EXPECT_EQ(scale.check(), "group_norm: dim 0 of scale is 5, but x has 6 channels");
  EXPECT_EQ(scale.last.why, OPMUX_WHY_DIM);
}

TEST(Lrn, ChecksSizeAndFactors) {
  Desc<opmux_op_lrn> d(OPMUX_OP_LRN, {f32({1, 7, 5})}, {f32({1, 7, 5})});
  d.op = {d.op.o, 5, 1e-4f, 0.75f, 1.0f};
  EXPECT_EQ(d.check(), "");
  d.op.beta = std::numeric_limits<float>::infinity();
  EXPECT_EQ(d.check(), "lrn: beta is inf, must be finite");
  d.op.beta = 1;
  d.op.size = 0;
  EXPECT_EQ(d.check(), "lrn: size is 0, must be in [1, 2147483647]");
}

}  // namespace
}  // namespace opmux::schema::test
