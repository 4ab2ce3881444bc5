// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/schema/build.hpp"

namespace opmux::schema::test {
namespace {

struct Attention : Desc<opmux_op_attention> {
  Attention(std::vector<opmux_tdesc> in, std::vector<opmux_tdesc> out)
      : Desc(OPMUX_OP_ATTENTION, std::move(in), std::move(out)) {
    op.window = -1;
  }
};

Attention plain() { return {{f32({2, 4, 5, 8}), f32({2, 2, 7, 8}), f32({2, 2, 7, 6})}, {f32({2, 4, 5, 6})}}; }

Attention cached() {
  return {{f32({1, 4, 1, 8}), f32({1, 2, 1, 8}), f32({1, 2, 1, 6}), none(), f32({1, 2, 16, 8}),
           f32({1, 2, 16, 6}), i64({})},
          {f32({1, 4, 1, 6}), f32({1, 2, 16, 8}), f32({1, 2, 16, 6})}};
}

TEST(Attention, InfersHeadsOfQueryAndWidthOfValue) {
  auto a = plain();
  EXPECT_EQ(a.check(), "");
  EXPECT_EQ(a.inferred(), "f32[2, 4, 5, 6]");
}

TEST(Attention, ChecksThatOperandsFit) {
  auto a = plain();
  a.in[1] = f32({2, 3, 7, 8});
  a.in[2] = f32({2, 3, 7, 6});
  EXPECT_EQ(a.check(), "attention: dim 1 of k is 3, which does not divide the 4 heads of q");
  a.in[1] = f32({2, 2, 7, 9});
  EXPECT_EQ(a.check(), "attention: dim 3 of k is 9, but dim 3 of q is 8");
  a.in[1] = f32({2, 2, 6, 8});
  a.in[2] = f32({2, 2, 7, 6});
  EXPECT_EQ(a.check(), "attention: dim 2 of v is 7, but dim 2 of k is 6");
  a.in[0] = f32({4, 5, 8});
  EXPECT_EQ(a.check(), "attention: q has rank 3, must be 4 to 4");
}

TEST(Attention, MaskBroadcastsToTheScores) {
  auto a = plain();
  a.in.push_back(tensor(OPMUX_BOOL, {2, 1, 5, 7}));
  EXPECT_EQ(a.check(), "");
  a.in[3] = f32({5, 7});
  EXPECT_EQ(a.check(), "");
  a.in[3] = f32({5, 6});
  EXPECT_EQ(a.check(), "attention: dim 1 of mask is 6, must be 1 or 7");
  a.in[3] = tensor(OPMUX_F16, {5, 7});
  EXPECT_EQ(a.check(), "attention: mask is f16, must be bool or f32");
}

TEST(Attention, StateComesWholeAndAliased) {
  auto a = cached();
  a.alias = {0, 5, 6};
  EXPECT_EQ(a.check(), "");
  EXPECT_EQ(a.inferred(true), "f32[1, 4, 1, 6] f32[1, 2, 16, 8] f32[1, 2, 16, 6]");
  a.alias = {0, 5, 0};
  EXPECT_EQ(a.check(), "attention: output 2 has alias 0, must be 6, as it is the state past_v");
  EXPECT_EQ(a.last.why, OPMUX_WHY_ALIAS);
  a.alias = {0, 5, 6};
  a.in[6] = none();
  EXPECT_EQ(a.check(), "attention: past_len is absent, but past_k is there");
  a.in[6] = i64({});
  a.in[5] = f32({1, 2, 15, 6});
  a.out[2] = f32({1, 2, 15, 6});
  EXPECT_EQ(a.check(), "attention: dim 2 of past_v is 15, but dim 2 of past_k is 16");
}

TEST(Attention, HasNoPresentWithoutPast) {
  auto a = plain();
  a.out.push_back(f32({2, 2, 7, 8}));
  EXPECT_EQ(a.check(), "attention: output 1 is there, but past_k is absent");
}

TEST(Attention, ChecksThatCountsFit) {
  auto a = plain();
  a.in.resize(13);
  a.in[8] = a.in[9] = i64({2});
  EXPECT_EQ(a.check(), "");
  a.in[9] = i64({3});
  EXPECT_EQ(a.check(), "attention: dim 0 of k_len is 3, but dim 0 of q is 2");
  a.in[9] = none();
  a.in[10] = i64({4});
  EXPECT_EQ(a.check(), "attention: k_start is absent, but q_start is there");
  a.in[11] = i64({4});
  EXPECT_EQ(a.check(), "attention: q_len cannot be there together with q_start");
  a.in[8] = none();
  EXPECT_EQ(a.check(), "attention: dim 0 of q is 2, must be 1 with q_start");
  auto past = cached();
  past.alias = {0, 5, 6};
  past.in.resize(13);
  past.in[9] = i64({1});
  EXPECT_EQ(past.check(), "attention: k_len cannot be there together with past_k");
}

TEST(Attention, ChecksThatBlocksAndSlopesFit) {
  auto a = plain();
  a.in.resize(13);
  a.in[7] = f32({4});
  a.in[12] = tensor(OPMUX_BOOL, {4, 3, 2});
  EXPECT_EQ(a.check(), "attention: block_q is 0, must be at least 1 with blocks");
  a.op.block_q = 2;
  EXPECT_EQ(a.check(), "attention: block_k is 0, must be at least 1 with blocks");
  a.op.block_k = 4;
  EXPECT_EQ(a.check(), "");
  a.op.block_k = 2;
  EXPECT_EQ(a.check(), "attention: dim 2 of blocks is 2, must be 1 or 4");
  a.in[12] = none();
  a.in[7] = f32({2});
  EXPECT_EQ(a.check(), "attention: dim 0 of slopes is 2, but dim 1 of q is 4");
}

TEST(Attention, HasALogarithmForEachQuery) {
  auto a = plain();
  a.out.resize(4);
  a.out[3] = f32({2, 4, 5});
  EXPECT_EQ(a.check(), "");
}

TEST(Attention, ChecksItsNumbers) {
  auto a = plain();
  a.op.window = -2;
  EXPECT_EQ(a.check(), "attention: window is -2, must be in [-1, 2147483647]");
  a.op.window = 0;
  a.op.scale = -0.5f;
  EXPECT_EQ(a.check(), "attention: scale is -0.5, must be in [0, 3e+38]");
}

}  // namespace
}  // namespace opmux::schema::test
