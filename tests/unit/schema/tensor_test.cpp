// SPDX-License-Identifier: Apache-2.0
// What holds for every operand, checked through `copy`.
#include "tests/unit/schema/build.hpp"

namespace opmux::schema::test {
namespace {

struct Copy : Desc<opmux_op_copy> {
  explicit Copy(const opmux_tdesc& t) : Desc(OPMUX_OP_COPY, {t}, {t}) {}
};

TEST(Tensor, AcceptsEveryTypeButTheReservedOne) {
  for (const char* name : {"f64", "f32", "f16", "bf16", "e4m3fn", "e5m2", "e8m0", "e2m1", "i64", "i32", "i16",
                           "i8",  "i4",  "i2",  "u64",  "u32",    "u16",  "u8",   "u4",   "u2",  "bool"}) {
    Copy c(tensor(dtype_from_name(name), {3, 5}));
    EXPECT_EQ(c.check(), "") << name;
  }
  Copy reserved(tensor(OPMUX_C64, {3}));
  EXPECT_EQ(reserved.check(), "copy: x has the unknown type 0x54016");
  Copy unknown(tensor(OPMUX_DTYPE(23, 32, 1), {3}));
  EXPECT_EQ(unknown.check(), "copy: x has the unknown type 0x12017");
  EXPECT_EQ(unknown.last.why, OPMUX_WHY_DTYPE);
}

TEST(Tensor, RejectsNegativeExtents) {
  Copy c(f32({2, -3}));
  EXPECT_EQ(c.check(), "copy: dim 1 of x is -3, must be at least 0");
  EXPECT_EQ(c.last.why, OPMUX_WHY_DIM);
  EXPECT_EQ(c.last.axis, 1u);
  EXPECT_EQ(c.last.have, -3);
}

TEST(Tensor, RejectsSizesBeyond62Bits) {
  Copy c(f32({int64_t{1} << 60}));
  EXPECT_EQ(c.check(), "copy: dim 0 of x is 1152921504606846976, which makes the tensor 2^62 bytes or more");
  Copy product(f32({int64_t{1} << 31, int64_t{1} << 31}));
  EXPECT_EQ(product.check(), "copy: dim 1 of x is 2147483648, which makes the tensor 2^62 bytes or more");
  Copy largest(f32({(int64_t{1} << 60) - 1}));
  EXPECT_EQ(largest.check(), "");
  // An extent of 0 does not hide what the others would make.
  Copy hidden(f32({0, int64_t{1} << 62}));
  EXPECT_EQ(hidden.check(),
            "copy: dim 1 of x is 4611686018427387904, which makes the tensor 2^62 bytes or more");
}

TEST(Tensor, RejectsStridesThatReachBeyond62Bits) {
  Copy c(f32({2, 3}));
  c.in[0].stride[0] = INT64_MIN;
  EXPECT_EQ(c.check(), "copy: stride 0 of x is -9223372036854775808, which reaches over 2^62 bytes or more");
  EXPECT_EQ(c.last.why, OPMUX_WHY_STRIDE);
  c.in[0].stride[0] = -3;
  EXPECT_EQ(c.check(), "");
}

TEST(Tensor, RejectsRanksBeyondEight) {
  Copy c(f32({2}));
  c.in[0].rank = 9;
  EXPECT_EQ(c.check(), "copy: x has rank 9, at most 8 is possible");
  Copy eight(f32({1, 2, 1, 2, 1, 2, 1, 2}));
  EXPECT_EQ(eight.check(), "");
}

TEST(Tensor, RejectsEntriesBeyondTheRank) {
  Copy c(f32({2}));
  c.in[0].dim[3] = 7;
  EXPECT_EQ(c.check(), "copy: dim 3 of x is 7 beyond rank 1, must be 0");
  c.in[0].dim[3] = 0;
  c.in[0].stride[1] = 1;
  EXPECT_EQ(c.check(), "copy: stride 1 of x is 1 beyond rank 1, must be 0");
}

TEST(Tensor, BroadcastIsForInputsOnly) {
  Copy c(f32({2, 3}));
  c.in[0].stride[0] = 0;
  EXPECT_EQ(c.check(), "");
  c.out[0].stride[1] = 0;
  EXPECT_EQ(c.check(),
            "copy: stride 1 of output y is 0, so its elements share memory; at least 1 keeps them apart");
}

TEST(Tensor, ElementsOfAnOutputLieApart) {
  Copy c(f32({9, 7, 3}));
  const auto outcome = [&](int64_t a, int64_t b, int64_t d) {
    c.out[0].stride[0] = a, c.out[0].stride[1] = b, c.out[0].stride[2] = d;
    return c.check();
  };
  EXPECT_EQ(outcome(21, 64, 1),
            "copy: stride 1 of output y is 64, so its elements share memory; at least 171 keeps them apart");
  EXPECT_EQ(outcome(21, -1, 6),
            "copy: stride 2 of output y is 6, so its elements share memory; at least 7 keeps them apart");
  EXPECT_EQ(outcome(1, 27, 9), "");    // another order of the axes
  EXPECT_EQ(outcome(-42, 6, -2), "");  // reversed, every other element
}

TEST(Tensor, ChecksFlags) {
  Copy c(f32({2}));
  c.in[0].flags = OPMUX_T_CONST | 6u << 24;
  EXPECT_EQ(c.check(), "");
  c.in[0].flags = 0x10;
  EXPECT_EQ(c.check(), "copy: flags of x are 0x10, only the bits 0xff000007 have a meaning");
  c.in[0].flags = OPMUX_T_HOST_SCALAR;
  EXPECT_EQ(c.check(), "copy: x is a host scalar of rank 1, must be 0");
  c.in[0].flags = 63u << 24;
  EXPECT_EQ(c.check(), "copy: alignment of x is 2^63, at most 2^62 is possible");
  c.in[0].flags = 0;
  c.out[0].flags = OPMUX_T_CONST;
  EXPECT_EQ(c.check(), "copy: flags of y are 0x1, only the bits 0xff000002 have a meaning");
}

TEST(Tensor, ChecksLayoutAndQuantisation) {
  Copy c(f32({2}));
  c.in[0].quant = 5;
  EXPECT_EQ(c.check(), "copy: x has quantisation scheme 0x5, none is defined for this operator");
  EXPECT_EQ(c.last.why, OPMUX_WHY_QUANT);
  c.in[0].quant = 0;
  c.in[0].layout_arg = 3;
  EXPECT_EQ(c.check(), "copy: x has layout argument 0x3 without a layout");
  c.in[0].layout = 12;
  EXPECT_EQ(c.check(), "");
}

TEST(Broadcast, GivesZeroStridesToSizeOneAndMissingAxes) {
  int64_t stride[8];
  ASSERT_TRUE(broadcast_strides(f32({1, 5}), f32({2, 3, 5}), stride));
  EXPECT_EQ(std::vector<int64_t>(stride, stride + 4), (std::vector<int64_t>{0, 0, 1, 0}));
  ASSERT_TRUE(broadcast_strides(f32({3, 1}), f32({2, 3, 5}), stride));
  EXPECT_EQ(std::vector<int64_t>(stride, stride + 3), (std::vector<int64_t>{0, 1, 0}));
  EXPECT_FALSE(broadcast_strides(f32({4}), f32({2, 3}), stride));
  EXPECT_FALSE(broadcast_strides(f32({1, 2, 3}), f32({2, 3}), stride));
}

}  // namespace
}  // namespace opmux::schema::test
