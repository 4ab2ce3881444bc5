// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/schema/build.hpp"

namespace opmux::schema::test {
namespace {

struct Rotary : Desc<opmux_op_rotary> {
  Rotary(std::vector<opmux_tdesc> in, std::vector<opmux_tdesc> out)
      : Desc(OPMUX_OP_ROTARY, std::move(in), std::move(out)) {}
};

Rotary picked() { return {{f32({2, 3, 5, 8}), f32({9, 3}), f32({9, 3}), i64({2, 5})}, {f32({2, 3, 5, 8})}}; }
Rotary in_place() { return {{f32({2, 3, 5, 8}), f32({2, 5, 4}), f32({2, 5, 4})}, {f32({2, 3, 5, 8})}}; }

TEST(Rotary, HasTheShapeOfItsInput) {
  auto a = picked();
  EXPECT_EQ(a.check(), "");
  EXPECT_EQ(a.inferred(), "f32[2, 3, 5, 8]");
  EXPECT_EQ(in_place().check(), "");
}

TEST(Rotary, ChecksThatCachesFit) {
  auto a = picked();
  a.in[1] = a.in[2] = f32({9, 5});
  EXPECT_EQ(a.check(), "rotary: dim 1 of cos is 5, must be at most 4, half of dim 3 of x");
  a.in[1] = f32({9, 3});
  a.in[2] = f32({8, 3});
  EXPECT_EQ(a.check(), "rotary: dim 0 of sin is 8, must be 9");
  a.in.pop_back();
  EXPECT_EQ(a.check(), "rotary: cos has rank 2, must be 3 without positions");
  auto b = in_place();
  b.in[1] = b.in[2] = f32({2, 6, 4});
  EXPECT_EQ(b.check(), "rotary: dim 1 of cos is 6, must be 5");
  b.in.push_back(i64({2, 5}));
  EXPECT_EQ(b.check(), "rotary: cos has rank 3, must be 2 with positions");
}

TEST(Rotary, ChecksThatPositionsFit) {
  auto a = picked();
  a.in[3] = i64({1, 5});
  EXPECT_EQ(a.check(), "rotary: dim 0 of positions is 1, must be 2");
  EXPECT_EQ(a.last.why, OPMUX_WHY_DIM);
  a.in[3] = f32({2, 5});
  EXPECT_NE(a.check(), "");
  EXPECT_EQ(a.last.why, OPMUX_WHY_DTYPE);
}

TEST(Rotary, TakesCachesThatAreWiderThanItsInput) {
  auto a = picked();
  a.in[0] = a.out[0] = tensor(OPMUX_F16, {2, 3, 5, 8});
  EXPECT_EQ(a.check(), "");
  a.in[1] = a.in[2] = tensor(OPMUX_BF16, {9, 3});
  EXPECT_EQ(a.check(), "rotary: cos is bf16, must be f16 or f32");
  auto b = picked();
  b.in[1] = b.in[2] = tensor(OPMUX_F16, {9, 3});
  EXPECT_EQ(b.check(), "rotary: cos is f16, must be f32");
}

}  // namespace
}  // namespace opmux::schema::test
