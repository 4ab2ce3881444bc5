// SPDX-License-Identifier: Apache-2.0
// Lookups, and the cost formulas where no other test has them.
#include <algorithm>

#include "tests/unit/schema/build.hpp"

namespace opmux::schema::test {
namespace {

TEST(Operators, AreFoundByIdAndByName) {
  ASSERT_NE(find(OPMUX_OP_SOFTMAX), nullptr);
  EXPECT_STREQ(find(OPMUX_OP_SOFTMAX)->name, "softmax");
  EXPECT_STREQ(find(OPMUX_OP_SOFTMAX)->family, "normalise");
  EXPECT_EQ(find("layer_norm")->op, OPMUX_OP_LAYER_NORM);
  EXPECT_EQ(find("layer_norm")->desc_size, sizeof(opmux_op_layer_norm));
  EXPECT_EQ(find("layernorm"), nullptr);
  EXPECT_EQ(find(0u), nullptr);
  EXPECT_EQ(find(0xffffffffu), nullptr);
}

TEST(Operators, AreListedByRisingId) {
  const auto ops = all();
  ASSERT_GE(ops.size(), 19u);
  for (size_t i = 0; i < ops.size(); ++i) {
    EXPECT_EQ(find(ops[i].op), &ops[i]);
    EXPECT_EQ(find(std::string_view(ops[i].name)), &ops[i]);
    if (i > 0) {
      EXPECT_LT(ops[i - 1].op, ops[i].op);
    }
  }
}

TEST(Operators, CountOptionalAndVariadicOperands) {
  const OpInfo* norm = find("layer_norm");
  EXPECT_EQ(norm->n_in_min, 1u);
  EXPECT_EQ(norm->n_in_max, 3u);
  EXPECT_EQ(norm->n_out_max, 3u);
  const OpInfo* pointwise = find("pointwise");
  EXPECT_EQ(pointwise->n_in_min, 0u);
  EXPECT_EQ(pointwise->n_in_max, 16u);
  EXPECT_EQ(pointwise->n_out_max, 8u);
}

TEST(Names, OfTypesGoBothWays) {
  EXPECT_STREQ(dtype_name(OPMUX_BF16), "bf16");
  EXPECT_EQ(dtype_from_name("bf16"), OPMUX_BF16);
  EXPECT_EQ(dtype_from_name("float"), OPMUX_NONE);
  EXPECT_STREQ(dtype_name(OPMUX_NONE), "none");
  EXPECT_STREQ(dtype_name(12345), "?");
}

TEST(Names, OfFunctionsReasonsAndStatuses) {
  EXPECT_STREQ(fn_name(OPMUX_FN_GELU_TANH), "GELU_TANH");
  EXPECT_EQ(fn_arity(OPMUX_FN_CONST), 0);
  EXPECT_EQ(fn_arity(OPMUX_FN_EXP), 1);
  EXPECT_EQ(fn_arity(OPMUX_FN_ADD), 2);
  EXPECT_EQ(fn_arity(OPMUX_FN_CLAMP), 3);
  EXPECT_EQ(fn_arity(3), -1);
  EXPECT_STREQ(why_name(OPMUX_WHY_LAYOUT), "LAYOUT");
  EXPECT_STREQ(why_name(99), "?");
  EXPECT_STREQ(status_name(OPMUX_E_BROKEN_PROMISE | OPMUX_F_STICKY), "BROKEN_PROMISE");
  EXPECT_STREQ(status_name(OPMUX_OK), "OK");
}

TEST(Cost, SaturatesAndIsZeroForTheUnknown) {
  const int64_t wide = int64_t{1} << 30;
  Desc<opmux_op_matmul> m(OPMUX_OP_MATMUL, {f32({wide, wide}), f32({wide, wide})}, {f32({wide, wide})});
  EXPECT_EQ(flops(m.opd()), UINT64_MAX);
  m.op.o.op = 0x00990001;
  EXPECT_EQ(flops(m.opd()), 0u);
  EXPECT_EQ(bytes(m.opd()), 0u);
}

TEST(Cost, OfAttentionGrowsWithTheCapacityOfTheState) {
  Desc<opmux_op_attention> a(OPMUX_OP_ATTENTION,
                             {f32({1, 4, 1, 8}), f32({1, 2, 1, 8}), f32({1, 2, 1, 8}), none(),
                              f32({1, 2, 16, 8}), f32({1, 2, 16, 8}), i64({})},
                             {f32({1, 4, 1, 8})});
  // 32 numbers of q against 16 keys, then 16 weights for each of 32 numbers of y.
  EXPECT_EQ(flops(a.opd()), 2u * 32 * 16 + 2u * 32 * 16);
}

TEST(Cost, OfSubByteTypesRoundsUp) {
  Desc<opmux_op_copy> c(OPMUX_OP_COPY, {tensor(OPMUX_I4, {3})}, {tensor(OPMUX_I4, {3})});
  EXPECT_EQ(bytes(c.opd()), 4u);
}

}  // namespace
}  // namespace opmux::schema::test
