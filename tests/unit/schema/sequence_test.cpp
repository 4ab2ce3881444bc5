// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/schema/build.hpp"

namespace opmux::schema::test {
namespace {

struct Layer : Desc<opmux_op_recurrent> {
  Layer()
      : Desc(OPMUX_OP_RECURRENT,
             {f32({4, 2, 3}), f32({1, 20, 3}), f32({1, 20, 5}), f32({1, 40}), none(), f32({1, 2, 5}),
              f32({1, 2, 5})},
             {f32({4, 1, 2, 5}), f32({1, 2, 5}), f32({1, 2, 5})}) {
    op.kind = OPMUX_RECURRENT_LSTM;
    op.direction = OPMUX_DIRECTION_FORWARD;
    op.activation0 = OPMUX_ACT_SIGMOID;
    op.activation1 = op.activation2 = OPMUX_ACT_TANH;
  }
};

TEST(Recurrent, InfersItsOutputs) {
  Layer l;
  EXPECT_EQ(l.check(), "");
  EXPECT_EQ(l.inferred(), "f32[4, 1, 2, 5] f32[1, 2, 5] f32[1, 2, 5]");
}

TEST(Recurrent, ChecksThatOperandsFit) {
  Layer l;
  l.in[1] = f32({1, 15, 3});
  EXPECT_EQ(l.check(), "recurrent: dim 1 of w is 15, must be 20");
  l.in[1] = f32({1, 20, 3});
  l.in[3] = f32({1, 20});
  EXPECT_EQ(l.check(), "recurrent: dim 1 of b is 20, must be 40");
  l.in[3] = none();
  l.in[4] = i64({3});
  EXPECT_EQ(l.check(), "recurrent: dim 0 of lengths is 3, must be 2");
  l.in[4] = none();
  l.op.direction = OPMUX_DIRECTION_BOTH;
  EXPECT_EQ(l.check(), "recurrent: dim 0 of w is 1, must be 2");
}

TEST(Recurrent, NeedsExactlyTheActivationsOfItsKind) {
  Layer l;
  l.op.activation2 = OPMUX_ACT_NONE;
  EXPECT_EQ(l.check(), "recurrent: activation2 is missing, kind 3 needs 3 for each direction");
  l.op.activation2 = OPMUX_ACT_TANH;
  l.op.activation3 = OPMUX_ACT_TANH;
  EXPECT_EQ(l.check(), "recurrent: activation3 is there, kind 3 needs 3 for each direction");
  l.op.activation3 = 12;
  EXPECT_EQ(l.check(), "recurrent: activation3 is 12, must be 0 to 11 (OPMUX_ACT_*)");
}

TEST(Recurrent, RefusesWhatAnotherKindHas) {
  Layer l;
  l.op.linear_before_reset = 1;
  EXPECT_EQ(l.check(), "recurrent: linear_before_reset is 1, but only a GRU (kind 2) has it");
  l.op.linear_before_reset = 0;
  l.op.kind = OPMUX_RECURRENT_RNN;
  l.op.activation1 = l.op.activation2 = 0;
  l.in = {f32({4, 2, 3}), f32({1, 5, 3}), f32({1, 5, 5}), none(), none(), none(), f32({1, 2, 5})};
  EXPECT_EQ(l.check(), "recurrent: initial_c is there, but only an LSTM (kind 3) has it");
  l.in.pop_back();
  EXPECT_EQ(l.check(), "recurrent: output y_c is there, but only an LSTM (kind 3) has it");
  l.op.clip = -1;
  EXPECT_EQ(l.check(), "recurrent: clip is -1, must be in [0, 3e+38]");
}

TEST(Det, TakesSquareMatrices) {
  Desc<opmux_op_det> d(OPMUX_OP_DET, {f32({2, 3, 3})}, {f32({2})});
  EXPECT_EQ(d.check(), "");
  d.in[0] = f32({2, 3, 4});
  EXPECT_EQ(d.check(), "det: dim 2 of x is 4, but dim 1 is 3: no square matrix");
}

TEST(Random, HasNoNormalIntegers) {
  const opmux_tdesc u64 = tensor(OPMUX_U64, {});
  Desc<opmux_op_random> d(OPMUX_OP_RANDOM, {u64, u64, i64({}), i64({})}, {i64({4})});
  d.op.kind = OPMUX_RANDOM_UNIFORM;
  EXPECT_EQ(d.check(), "");
  d.op.kind = OPMUX_RANDOM_NORMAL;
  EXPECT_EQ(d.check(), "random: the normal distribution is one of floats, a is none");
  d.op.kind = 3;
  EXPECT_EQ(d.check(), "random: kind is 3, must be 1 to 2 (OPMUX_RANDOM_*)");
}

TEST(LinearAttention, ChecksThatOperandsFit) {
  Desc<opmux_op_linear_attention> d(OPMUX_OP_LINEAR_ATTENTION,
                                    {f32({1, 4, 3, 2}), f32({1, 2, 3, 2}), f32({1, 2, 3, 5}),
                                     f32({1, 2, 2, 5}), f32({1, 2, 3, 1}), f32({1, 1, 3, 1})},
                                    {f32({1, 4, 3, 5}), f32({1, 2, 2, 5})});
  EXPECT_EQ(d.check(), "");
  EXPECT_EQ(d.inferred(), "f32[1, 4, 3, 5] f32[1, 2, 2, 5]");
  d.in[4] = f32({1, 2, 3, 3});
  EXPECT_EQ(d.check(), "linear_attention: dim 3 of decay is 3, must be 1 or 2");
  d.in[4] = none();
  d.in[3] = f32({1, 2, 5, 2});
  EXPECT_EQ(d.check(), "linear_attention: dim 2 of past is 5, must be 2");
  d.in[0] = f32({1, 3, 3, 2});
  EXPECT_EQ(d.check(), "linear_attention: dim 1 of k is 2, which does not divide the 3 heads of q");
}

TEST(SelectiveScan, ChecksThatOperandsFit) {
  Desc<opmux_op_selective_scan> d(
      OPMUX_OP_SELECTIVE_SCAN,
      {f32({1, 3, 4}), f32({1, 3, 4}), f32({4, 2}), f32({1, 3, 2, 2}), f32({1, 3, 2, 2})}, {f32({1, 3, 4})});
  EXPECT_EQ(d.check(), "");
  d.in[4] = f32({1, 3, 1, 2});
  EXPECT_EQ(d.check(), "selective_scan: dim 2 of c is 1, must be 2");
  d.in[3] = d.in[4] = f32({1, 3, 3, 2});
  EXPECT_EQ(d.check(), "selective_scan: dim 2 of b is 3, which does not divide the 4 channels of x");
}

TEST(Dft, InfersHalfOfARealTransform) {
  Desc<opmux_op_dft> d(OPMUX_OP_DFT, {f32({3, 8, 1})}, {f32({3, 5, 2})});
  d.op.axis = 1;
  d.op.length = 8;
  d.op.onesided = 1;
  EXPECT_EQ(d.check(), "");
  EXPECT_EQ(d.inferred(), "f32[3, 5, 2]");
  d.in[0] = f32({3, 5, 2});
  EXPECT_EQ(d.check(), "dft: dim 2 of x is 2, must be 1, as a onesided transform is one of real numbers");
  d.op.inverse = 1;
  EXPECT_EQ(d.inferred(), "f32[3, 8, 1]");
  d.op.axis = 2;
  EXPECT_EQ(d.check(), "dft: axis 2 is the pair (real, imaginary), it must be in [0, 1]");
}

TEST(Speculative, NeedsOnePositionMoreOfTheTarget) {
  const opmux_tdesc u64 = tensor(OPMUX_U64, {});
  Desc<opmux_op_speculative> d(OPMUX_OP_SPECULATIVE, {i64({2, 3}), f32({2, 3, 5}), f32({2, 3, 5}), u64, u64},
                               {i64({2, 4}), i64({2})});
  EXPECT_EQ(d.check(), "speculative: dim 1 of p is 3, must be 4");
  d.in[2] = f32({2, 4, 5});
  EXPECT_EQ(d.check(), "");
}

}  // namespace
}  // namespace opmux::schema::test
