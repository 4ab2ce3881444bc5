// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/schema/build.hpp"

namespace opmux::schema::test {
namespace {

struct Matmul : Desc<opmux_op_matmul> {
  Matmul(const opmux_tdesc& a, const opmux_tdesc& b, const opmux_tdesc& c, uint32_t acc = OPMUX_F32)
      : Desc(OPMUX_OP_MATMUL, {a, b}, {c}) {
    op.acc_dtype = acc;
  }
};

TEST(Matmul, InfersProductAndBroadcastBatches) {
  Matmul plain(f32({4, 7}), f32({7, 5}), f32({4, 5}));
  EXPECT_EQ(plain.check(), "");
  EXPECT_EQ(plain.inferred(), "f32[4, 5]");
  Matmul batched(f32({2, 1, 4, 7}), f32({3, 7, 5}), f32({2, 3, 4, 5}));
  EXPECT_EQ(batched.check(), "");
  EXPECT_EQ(batched.inferred(), "f32[2, 3, 4, 5]");
  Matmul wider(f32({4, 7}), f32({3, 7, 5}), f32({3, 4, 5}));
  EXPECT_EQ(wider.inferred(), "f32[3, 4, 5]");
}

TEST(Matmul, AcceptsEmptyInnerAndOuterExtents) {
  Matmul inner(f32({4, 0}), f32({0, 5}), f32({4, 5}));
  EXPECT_EQ(inner.check(), "");
  Matmul outer(f32({0, 7}), f32({7, 5}), f32({0, 5}));
  EXPECT_EQ(outer.check(), "");
}

TEST(Matmul, RejectsInnerExtentsThatDiffer) {
  Matmul m(f32({4, 7}), f32({6, 5}), f32({4, 5}));
  EXPECT_EQ(m.check(), "matmul: dim 0 of b is 6, but dim 1 of a is 7");
  EXPECT_EQ(m.last.arg, 1u);
  EXPECT_EQ(m.last.have, 6);
  EXPECT_EQ(m.last.limit, 7);
}

TEST(Matmul, RejectsBatchesThatDoNotBroadcast) {
  Matmul m(f32({2, 4, 7}), f32({3, 7, 5}), f32({2, 4, 5}));
  EXPECT_EQ(m.check(), "matmul: dim 0 of b is 3, which does not broadcast with 2 of a");
  Matmul deep(f32({5, 2, 4, 7}), f32({3, 7, 5}), f32({5, 2, 4, 5}));
  EXPECT_EQ(deep.check(), "matmul: dim 0 of b is 3, which does not broadcast with 2 of a");
  Matmul deeper(f32({2, 4, 7}), f32({5, 3, 7, 5}), f32({5, 2, 4, 5}));
  EXPECT_EQ(deeper.check(), "matmul: dim 1 of b is 3, which does not broadcast with 2 of a");
}

TEST(Matmul, RejectsVectors) {
  Matmul m(f32({7}), f32({7, 5}), f32({5}));
  EXPECT_EQ(m.check(), "matmul: a has rank 1, must be 2 to 8");
}

TEST(Matmul, AccumulatesInOneTypePerInputType) {
  Matmul half(tensor(OPMUX_F16, {4, 7}), tensor(OPMUX_F16, {7, 5}), tensor(OPMUX_F16, {4, 5}));
  EXPECT_EQ(half.check(), "");
  half.op.acc_dtype = OPMUX_F16;
  EXPECT_EQ(half.check(), "matmul: acc_dtype is f16, must be f32 for f16");
  half.op.acc_dtype = 0;
  EXPECT_EQ(half.check(), "matmul: acc_dtype is none, must be f32 for f16");
  half.op.acc_dtype = 0x1234;
  EXPECT_EQ(half.check(), "matmul: acc_dtype is the unknown type 0x1234");
}

TEST(Matmul, OutputIsTheInputOrTheAccumulatorType) {
  Matmul wide(tensor(OPMUX_F16, {4, 7}), tensor(OPMUX_F16, {7, 5}), f32({4, 5}));
  EXPECT_EQ(wide.check(), "");
  EXPECT_EQ(wide.inferred(), "f16[4, 5]");
  EXPECT_EQ(wide.inferred(true), "f32[4, 5]");
  wide.out[0].dtype = OPMUX_BF16;
  EXPECT_EQ(wide.check(), "matmul: output c is bf16, must be f16");
}

TEST(Matmul, MultipliesBytesExactly) {
  Matmul m(tensor(OPMUX_U8, {4, 7}), tensor(OPMUX_I8, {7, 5}), tensor(OPMUX_I32, {4, 5}), OPMUX_I32);
  EXPECT_EQ(m.check(), "");
  EXPECT_EQ(m.inferred(), "i32[4, 5]");
  m.in[1].dtype = OPMUX_F32;
  EXPECT_EQ(m.check(), "matmul: b is f32, but a is u8");
}

TEST(Matmul, EpilogueAddsABiasRow) {
  Matmul m(f32({4, 7}), f32({7, 5}), f32({4, 5}));
  m.in.push_back(f32({5}));
  m.program(OPMUX_SLOT_EPILOGUE(0), 2,
            {insn(OPMUX_FN_ADD, OPMUX_F32, 0, 1), insn(OPMUX_FN_RELU, OPMUX_F32, 2)}, {3});
  EXPECT_EQ(m.check(), "");
  // 2 * 4 * 5 * 7 for the product and two instructions for each of 20 elements.
  EXPECT_EQ(flops(m.opd()), 320u);
  // 28 + 35 + 5 + 20 elements of 4 bytes.
  EXPECT_EQ(bytes(m.opd()), 352u);
}

}  // namespace
}  // namespace opmux::schema::test
