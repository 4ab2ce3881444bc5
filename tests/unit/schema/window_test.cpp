// SPDX-License-Identifier: Apache-2.0
// conv, conv_transpose, pool.
#include "tests/unit/schema/build.hpp"

namespace opmux::schema::test {
namespace {

struct Conv : Desc<opmux_op_conv> {
  Conv(const Shape& x, const Shape& w, const Shape& y) : Desc(OPMUX_OP_CONV, {f32(x), f32(w)}, {f32(y)}) {
    op.group = 1;
    op.acc_dtype = OPMUX_F32;
  }
  Conv& windows(std::initializer_list<int64_t> stride, std::initializer_list<int64_t> dilation,
                std::initializer_list<int64_t> pad) {
    list.clear();
    op.stride = slice(stride);
    op.dilation = slice(dilation);
    op.pad = slice(pad);
    return *this;
  }
};

TEST(Conv, InfersExtentsWithStrideDilationAndUnevenPads) {
  Conv c({2, 4, 9, 11}, {6, 4, 3, 3}, {2, 6, 9, 11});
  c.windows({1, 1}, {1, 1}, {1, 1, 1, 1});
  EXPECT_EQ(c.check(), "");
  // floor((9 + 0 + 1 - 3) / 2) + 1 = 4, floor((11 + 0 + 1 - 5) / 3) + 1 = 3
  c.windows({2, 3}, {1, 2}, {0, 0, 1, 1});
  EXPECT_EQ(c.inferred(), "f32[2, 6, 4, 3]");
  Conv line({1, 3, 17}, {5, 3, 3}, {1, 5, 17});
  EXPECT_EQ(line.windows({1}, {1}, {1, 1}).check(), "");
  Conv volume({1, 2, 5, 6, 7}, {3, 2, 2, 3, 4}, {1, 3, 4, 4, 4});
  EXPECT_EQ(volume.windows({1, 1, 1}, {1, 1, 1}, {0, 0, 0, 0, 0, 0}).check(), "");
}

TEST(Conv, RejectsWeightsWithTheWrongChannels) {
  Conv c({2, 16, 9, 9}, {6, 8, 3, 3}, {2, 6, 7, 7});
  c.windows({1, 1}, {1, 1}, {0, 0, 0, 0});
  EXPECT_EQ(c.check(), "conv: dim 1 of w is 8, but x has 16 channels in 1 group(s)");
  c.op.group = 2;
  EXPECT_EQ(c.check(), "");
  c.op.group = 4;
  EXPECT_EQ(c.check(), "conv: dim 1 of w is 8, but x has 16 channels in 4 group(s)");
  Conv m({2, 16, 9, 9}, {7, 8, 3, 3}, {2, 7, 7, 7});
  m.op.group = 2;
  EXPECT_EQ(m.windows({1, 1}, {1, 1}, {0, 0, 0, 0}).check(),
            "conv: dim 0 of w is 7, which 2 group(s) do not divide");
}

TEST(Conv, RejectsListsOfTheWrongLengthOrValue) {
  Conv c({2, 4, 9, 11}, {6, 4, 3, 3}, {2, 6, 9, 11});
  EXPECT_EQ(c.windows({1}, {1, 1}, {1, 1, 1, 1}).check(), "conv: stride has 1 entries, must have 2");
  EXPECT_EQ(c.last.why, OPMUX_WHY_ATTR);
  EXPECT_EQ(c.last.arg, offsetof(opmux_op_conv, stride));
  EXPECT_EQ(c.windows({1, 0}, {1, 1}, {1, 1, 1, 1}).check(),
            "conv: entry 1 of stride is 0, must be in [1, 2147483648]");
  EXPECT_EQ(c.windows({1, 1}, {1, 1}, {1, 1, -1, 1}).check(),
            "conv: entry 2 of pad is -1, must be in [0, 2147483648]");
  c.windows({1, 1}, {1, 1}, {1, 1, 1, 1});
  c.op.pad.first = 6;
  EXPECT_EQ(c.check(), "conv: pad ends at entry 10 of a list of 8");
}

TEST(Conv, RejectsAWindowLargerThanItsInput) {
  Conv c({1, 1, 4, 4}, {1, 1, 3, 3}, {1, 1, 1, 1});
  EXPECT_EQ(c.windows({1, 1}, {2, 1}, {0, 0, 0, 0}).check(),
            "conv: dim 2 of x with its pads is 4, but the window spans 5");
}

TEST(Conv, RejectsRanksAndTypesThatDiffer) {
  Conv c({1, 1, 4, 4}, {1, 1, 3}, {1, 1, 2, 2});
  c.windows({1, 1}, {1, 1}, {0, 0, 0, 0});
  EXPECT_EQ(c.check(), "conv: w has rank 3, but x has rank 4");
  c.in[1] = tensor(OPMUX_F16, {1, 1, 3, 3});
  EXPECT_EQ(c.check(), "conv: w is f16, but x is f32");
  c.in[1] = f32({1, 1, 0, 3});
  EXPECT_EQ(c.check(), "conv: dim 2 of w is 0, must be in [1, 1073741824]");
}

TEST(Conv, SurvivesTheLargestAttributes) {
  Conv c({1, 1, 4}, {1, 1, 3}, {1, 1, 2});
  c.op.group = UINT32_MAX;
  EXPECT_EQ(c.windows({1}, {1}, {0, 0}).check(), "conv: group is 4294967295, must be in [1, 2147483647]");
  c.op.group = 1;
  EXPECT_EQ(c.windows({INT64_MAX}, {1}, {0, 0}).check(),
            "conv: entry 0 of stride is 9223372036854775807, must be in [1, 2147483648]");
  EXPECT_EQ(c.windows({1}, {int64_t{1} << 31}, {int64_t{1} << 31, int64_t{1} << 31}).check(),
            "conv: dim 2 of output y is 2, must be 4");
}

TEST(Conv, CountsItsWork) {
  Conv c({1, 3, 8, 8}, {16, 3, 3, 3}, {1, 16, 8, 8});
  c.windows({1, 1}, {1, 1}, {1, 1, 1, 1});
  EXPECT_EQ(flops(c.opd()), 2u * 16 * 64 * 27);
}

struct Transpose : Desc<opmux_op_conv_transpose> {
  Transpose(const Shape& x, const Shape& w, const Shape& y)
      : Desc(OPMUX_OP_CONV_TRANSPOSE, {f32(x), f32(w)}, {f32(y)}) {
    op.group = 1;
    op.acc_dtype = OPMUX_F32;
    op.stride = slice({2, 2});
    op.dilation = slice({1, 1});
    op.pad = slice({1, 1, 1, 1});
  }
};

TEST(ConvTranspose, InfersTheLeastExtentAndAcceptsOutputPadding) {
  // 2 * (5 - 1) + 3 - 2 = 9, 2 * (6 - 1) + 3 - 2 = 11
  Transpose t({1, 4, 5, 6}, {4, 3, 3, 3}, {1, 3, 9, 11});
  EXPECT_EQ(t.check(), "");
  EXPECT_EQ(t.inferred(), "f32[1, 3, 9, 11]");
  t.out[0] = f32({1, 3, 10, 12});
  EXPECT_EQ(t.check(), "");
  EXPECT_EQ(t.inferred(true), "f32[1, 3, 10, 12]");
  t.out[0] = f32({1, 3, 11, 12});
  EXPECT_EQ(t.check(), "conv_transpose: dim 2 of output y is 11, must be in [9, 10]");
  t.out[0] = f32({1, 3, 9, 10});
  EXPECT_EQ(t.check(), "conv_transpose: dim 3 of output y is 10, must be in [11, 12]");
}

TEST(ConvTranspose, ChecksChannels) {
  Transpose t({1, 4, 5, 6}, {5, 3, 3, 3}, {1, 3, 9, 11});
  EXPECT_EQ(t.check(), "conv_transpose: dim 0 of w is 5, but x has 4 channels in 1 group(s)");
  Transpose grouped({1, 4, 5, 6}, {4, 3, 3, 3}, {1, 6, 9, 11});
  grouped.op.group = 2;
  EXPECT_EQ(grouped.check(), "");
}

struct Pool : Desc<opmux_op_pool> {
  Pool(uint32_t kind, const Shape& x, const Shape& y) : Desc(OPMUX_OP_POOL, {f32(x)}, {f32(y)}) {
    op.kind = kind;
  }
  Pool& windows(std::initializer_list<int64_t> kernel, std::initializer_list<int64_t> stride,
                std::initializer_list<int64_t> pad) {
    list.clear();
    op.kernel = slice(kernel);
    op.stride = slice(stride);
    op.dilation = kernel.size() == 2 ? slice({1, 1}) : slice({1});
    op.pad = slice(pad);
    return *this;
  }
};

TEST(Pool, InfersFloorAndCeilExtents) {
  Pool p(OPMUX_POOL_MAX, {1, 3, 112, 112}, {1, 3, 56, 56});
  EXPECT_EQ(p.windows({3, 3}, {2, 2}, {0, 0, 1, 1}).check(), "");
  // (7 - 3) / 2 + 1 = 3 and with ceil (6 - 3) / 2 -> 2 + 1 = 3
  Pool ceil(OPMUX_POOL_AVERAGE, {1, 1, 7, 6}, {1, 1, 3, 3});
  ceil.op.ceil_mode = 1;
  EXPECT_EQ(ceil.windows({3, 3}, {2, 2}, {0, 0, 0, 0}).check(), "");
  ceil.op.ceil_mode = 0;
  EXPECT_EQ(ceil.inferred(), "f32[1, 1, 3, 2]");
}

TEST(Pool, DropsCeilWindowsThatStartInTheEndPadding) {
  // ceil((4 + 0 + 1 - 2) / 3) + 1 = 2, but window 1 would start at 3 < 4: kept; with stride 4 it starts at 4:
  // dropped.
  Pool p(OPMUX_POOL_MAX, {1, 1, 4}, {1, 1, 2});
  p.op.ceil_mode = 1;
  EXPECT_EQ(p.windows({2}, {3}, {0, 1}).inferred(), "f32[1, 1, 2]");
  EXPECT_EQ(p.windows({2}, {4}, {0, 1}).inferred(), "f32[1, 1, 1]");
}

TEST(Pool, GivesIndicesOfAMaximumOnly) {
  Pool p(OPMUX_POOL_MAX, {1, 1, 4}, {1, 1, 2});
  p.out.push_back(i64({1, 1, 2}));
  EXPECT_EQ(p.windows({2}, {2}, {0, 0}).check(), "");
  EXPECT_EQ(p.inferred(), "f32[1, 1, 2] i64[1, 1, 2]");
  p.op.kind = OPMUX_POOL_AVERAGE;
  EXPECT_EQ(p.check(), "pool: output index is there, but kind is 2, only a max pool (1) has it");
}

TEST(Pool, ChecksKindPowerTypeAndPads) {
  Pool p(OPMUX_POOL_LP, {1, 1, 4}, {1, 1, 2});
  EXPECT_EQ(p.windows({2}, {2}, {0, 0}).check(), "pool: p is 0, an Lp pool needs at least 1");
  p.op.p = 2;
  EXPECT_EQ(p.check(), "");
  p.in[0].dtype = OPMUX_I8;
  EXPECT_EQ(p.check(), "pool: x is i8, only a max pool takes integers");
  p.in[0].dtype = OPMUX_F32;
  EXPECT_EQ(p.windows({2}, {2}, {2, 0}).check(), "pool: entry 0 of pad is 2, but the window spans only 2");
  p.op.column_major = 2;
  EXPECT_EQ(p.check(), "pool: column_major is 2, must be 0 to 1 (0 or 1)");
}

}  // namespace
}  // namespace opmux::schema::test
