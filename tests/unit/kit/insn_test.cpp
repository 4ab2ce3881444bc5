// SPDX-License-Identifier: Apache-2.0
#include "kit/insn.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace {

using namespace opmux::kit;
constexpr double kInf = INFINITY;

double f(uint32_t fn, double a, double b = 0, double c = 0, uint32_t dtype = OPMUX_F32) {
  return evaluate({fn, dtype, 0, 1, 2, 0, 0}, dtype, of_float(a), of_float(b), of_float(c)).f;
}
int64_t i(uint32_t fn, uint32_t dtype, int64_t a, int64_t b = 0, int64_t c = 0) {
  return evaluate({fn, dtype, 0, 1, 2, 0, 0}, dtype, of_int(a), of_int(b), of_int(c)).i;
}
uint64_t is(uint32_t fn, uint32_t dtype, Scalar a, Scalar b = of_int(0)) {
  return evaluate({fn, OPMUX_BOOL, 0, 1, 2, 0, 0}, dtype, a, b, b).u;
}
Scalar cast(uint32_t from, uint32_t to, Scalar v, bool saturate = false) {
  return evaluate({OPMUX_FN_CAST, to, 0, 0, 0, saturate ? OPMUX_INSN_SATURATE : 0, 0}, from, v, v, v);
}

TEST(Insn, RoundsEachResultToItsType) {
  EXPECT_EQ(f(OPMUX_FN_ADD, 1, 0x1p-25), 1);
  EXPECT_EQ(f(OPMUX_FN_ADD, 1, 0x1p-25, 0, OPMUX_F64), 1 + 0x1p-25);
  EXPECT_EQ(f(OPMUX_FN_ADD, 2048, 1, 0, OPMUX_F16), 2048);
  EXPECT_EQ(f(OPMUX_FN_ADD, 2048, 3, 0, OPMUX_F16), 2052);
  EXPECT_EQ(f(OPMUX_FN_MUL, 60000, 2, 0, OPMUX_F16), kInf);
  EXPECT_EQ(f(OPMUX_FN_ADD, 256, 1, 0, OPMUX_BF16), 256);
}
TEST(Insn, DividesAndAddsDoublesAsTheProcessorDoes) {
  // 1 + 2^-53 + 2^-64 would round up to 1 in 64 bits first and then fall on a tie.
  EXPECT_EQ(f(OPMUX_FN_ADD, 1, 0x1p-53 + 0x1p-64, 0, OPMUX_F64), 1 + 0x1p-52);
  EXPECT_EQ(f(OPMUX_FN_DIV, 1, 3, 0, OPMUX_F64), 1.0 / 3);
}
TEST(Insn, ActivationsMatchHandComputedValues) {
  // Values from the defining formulas with 30 digits.
  EXPECT_NEAR(f(OPMUX_FN_GELU, 1, 0, 0, OPMUX_F64), 0.841344746068542948585, 1e-16);
  EXPECT_NEAR(f(OPMUX_FN_GELU, -10, 0, 0, OPMUX_F64) / -7.6198530241605260659e-23, 1, 1e-15);
  EXPECT_NEAR(f(OPMUX_FN_GELU_TANH, 1, 0, 0, OPMUX_F64), 0.841191990608276211, 1e-15);
  EXPECT_NEAR(f(OPMUX_FN_SILU, 2, 0, 0, OPMUX_F64), 1.76159415595576488812, 1e-15);
  EXPECT_NEAR(f(OPMUX_FN_SOFTPLUS, 0, 0, 0, OPMUX_F64), 0.693147180559945309417, 1e-16);
  EXPECT_EQ(f(OPMUX_FN_SOFTPLUS, 1000), 1000);
  EXPECT_NEAR(f(OPMUX_FN_MISH, 1, 0, 0, OPMUX_F64), 0.865098388267310346116, 1e-15);
  EXPECT_EQ(f(OPMUX_FN_SOFTSIGN, -3), -0.75);
  EXPECT_EQ(f(OPMUX_FN_SIGMOID, 0), 0.5);
  EXPECT_EQ(f(OPMUX_FN_SIGMOID, -1000), 0);
  EXPECT_NEAR(f(OPMUX_FN_LGAMMA, 0.5, 0, 0, OPMUX_F64), 0.572364942924700087071, 1e-16);
  EXPECT_NEAR(f(OPMUX_FN_ERFC, 3, 0, 0, OPMUX_F64), 2.20904969985854413727e-5, 1e-20);
}
TEST(Insn, KeepsNaNAndSignsWhereTheTableSaysSo) {
  EXPECT_TRUE(std::isnan(f(OPMUX_FN_RELU, NAN)));
  EXPECT_EQ(f(OPMUX_FN_RELU, -kInf), 0);
  EXPECT_TRUE(std::isnan(f(OPMUX_FN_SIGN, NAN)));
  EXPECT_EQ(f(OPMUX_FN_SIGN, -3), -1);
  EXPECT_EQ(f(OPMUX_FN_SIGN, -0.0), 0);
  for (uint32_t fn : {OPMUX_FN_MIN, OPMUX_FN_MAX}) {
    EXPECT_TRUE(std::isnan(f(fn, NAN, 1)));
    EXPECT_TRUE(std::isnan(f(fn, 1, NAN)));
  }
  EXPECT_EQ(f(OPMUX_FN_MIN, 1, -kInf), -kInf);
  EXPECT_EQ(f(OPMUX_FN_CLAMP, 5, 0, 3), 3);
  EXPECT_EQ(f(OPMUX_FN_CLAMP, -5, 0, 3), 0);
  EXPECT_TRUE(std::isnan(f(OPMUX_FN_CLAMP, NAN, 0, 3)));
}
TEST(Insn, RoundsHalvesToEven) {
  EXPECT_EQ(f(OPMUX_FN_ROUND, 0.5), 0);
  EXPECT_EQ(f(OPMUX_FN_ROUND, 1.5), 2);
  EXPECT_EQ(f(OPMUX_FN_ROUND, -2.5), -2);
  EXPECT_EQ(f(OPMUX_FN_TRUNC, -2.7), -2);
  EXPECT_EQ(f(OPMUX_FN_FLOOR, -2.1), -3);
  EXPECT_EQ(f(OPMUX_FN_CEIL, -2.9), -2);
}
TEST(Insn, ModuloTakesTheSignOfItsDivisorAndFmodOfItsDividend) {
  EXPECT_EQ(f(OPMUX_FN_MOD, -7, 3), 2);
  EXPECT_EQ(f(OPMUX_FN_MOD, 7, -3), -2);
  EXPECT_EQ(f(OPMUX_FN_FMOD, -7, 3), -1);
  EXPECT_TRUE(std::signbit(f(OPMUX_FN_MOD, 6, -3)));
  EXPECT_TRUE(std::isnan(f(OPMUX_FN_MOD, 1, 0)));
  EXPECT_EQ(i(OPMUX_FN_MOD, OPMUX_I32, -7, 3), 2);
  EXPECT_EQ(i(OPMUX_FN_FMOD, OPMUX_I32, -7, 3), -1);
  EXPECT_EQ(i(OPMUX_FN_MOD, OPMUX_I64, INT64_MIN, -1), 0);
  EXPECT_EQ(i(OPMUX_FN_MOD, OPMUX_I32, 5, 0), 0);
}
TEST(Insn, IntegersWrapInTheirWidth) {
  EXPECT_EQ(i(OPMUX_FN_ADD, OPMUX_I8, 127, 1), -128);
  EXPECT_EQ(i(OPMUX_FN_ADD, OPMUX_U8, 255, 1), 0);
  EXPECT_EQ(i(OPMUX_FN_MUL, OPMUX_I32, INT32_MAX, 2), -2);
  EXPECT_EQ(i(OPMUX_FN_NEG, OPMUX_I16, -32768), -32768);
  EXPECT_EQ(i(OPMUX_FN_ABS, OPMUX_I8, -128), -128);
  EXPECT_EQ(i(OPMUX_FN_SUB, OPMUX_U32, 0, 1), 0xffffffff);
  EXPECT_EQ(i(OPMUX_FN_FMA, OPMUX_U8, 16, 16, 3), 3);
  EXPECT_EQ(i(OPMUX_FN_BIT_NOT, OPMUX_U8, 1), 254);
  EXPECT_EQ(i(OPMUX_FN_BIT_NOT, OPMUX_I8, 1), -2);
}
TEST(Insn, IntegerDivisionTruncatesAndNeverTraps) {
  EXPECT_EQ(i(OPMUX_FN_DIV, OPMUX_I32, -7, 2), -3);
  EXPECT_EQ(i(OPMUX_FN_DIV, OPMUX_I32, 7, 0), 0);
  EXPECT_EQ(i(OPMUX_FN_DIV, OPMUX_I64, INT64_MIN, -1), INT64_MIN);
  EXPECT_EQ(i(OPMUX_FN_DIV, OPMUX_I8, -128, -1), -128);
  EXPECT_EQ(i(OPMUX_FN_DIV, OPMUX_U64, -1, 2), INT64_MAX);
}
TEST(Insn, IntegerPowersWrap) {
  EXPECT_EQ(i(OPMUX_FN_POW, OPMUX_I32, 3, 4), 81);
  EXPECT_EQ(i(OPMUX_FN_POW, OPMUX_I8, 2, 8), 0);
  EXPECT_EQ(i(OPMUX_FN_POW, OPMUX_I32, 2, -1), 0);
  EXPECT_EQ(i(OPMUX_FN_POW, OPMUX_I32, -1, -3), -1);
  EXPECT_EQ(i(OPMUX_FN_POW, OPMUX_I32, 0, 0), 1);
}
TEST(Insn, ShiftsByTheWidthOrMoreEmptyTheWord) {
  EXPECT_EQ(i(OPMUX_FN_SHIFT_LEFT, OPMUX_U8, 3, 7), 128);
  EXPECT_EQ(i(OPMUX_FN_SHIFT_LEFT, OPMUX_U8, 3, 8), 0);
  EXPECT_EQ(i(OPMUX_FN_SHIFT_RIGHT, OPMUX_I8, -128, 100), -1);
  EXPECT_EQ(i(OPMUX_FN_SHIFT_RIGHT, OPMUX_U64, -1, 63), 1);
  EXPECT_EQ(i(OPMUX_FN_SHIFT_RIGHT, OPMUX_I32, -8, 1), -4);
}
TEST(Insn, ComparesInTheTypeOfItsOperands) {
  EXPECT_EQ(is(OPMUX_FN_LT, OPMUX_I64, of_int(-1), of_int(0)), 1u);
  EXPECT_EQ(is(OPMUX_FN_LT, OPMUX_U64, of_int(-1), of_int(0)), 0u);
  EXPECT_EQ(is(OPMUX_FN_EQ, OPMUX_F32, of_float(NAN), of_float(NAN)), 0u);
  EXPECT_EQ(is(OPMUX_FN_NE, OPMUX_F32, of_float(NAN), of_float(NAN)), 1u);
  EXPECT_EQ(is(OPMUX_FN_EQ, OPMUX_F32, of_float(0.0), of_float(-0.0)), 1u);
  EXPECT_EQ(is(OPMUX_FN_IS_INF, OPMUX_F32, of_float(-kInf)), 1u);
  EXPECT_EQ(is(OPMUX_FN_IS_FINITE, OPMUX_F32, of_float(NAN)), 0u);
  EXPECT_EQ(is(OPMUX_FN_IS_NAN, OPMUX_F32, of_float(NAN)), 1u);
}
TEST(Insn, CastsTruncateAndWrapOrSaturate) {
  EXPECT_EQ(cast(OPMUX_F32, OPMUX_I32, of_float(-2.9)).i, -2);
  EXPECT_EQ(cast(OPMUX_F32, OPMUX_I8, of_float(300)).i, 44);
  EXPECT_EQ(cast(OPMUX_F32, OPMUX_I8, of_float(300), true).i, 127);
  EXPECT_EQ(cast(OPMUX_F32, OPMUX_I8, of_float(-300), true).i, -128);
  EXPECT_EQ(cast(OPMUX_F32, OPMUX_U8, of_float(-1), true).u, 0u);
  EXPECT_EQ(cast(OPMUX_F32, OPMUX_U8, of_float(-1)).u, 255u);
  EXPECT_EQ(cast(OPMUX_F32, OPMUX_I64, of_float(1e30), true).i, INT64_MAX);
  EXPECT_EQ(cast(OPMUX_F32, OPMUX_U64, of_float(1e30), true).u, UINT64_MAX);
  EXPECT_EQ(cast(OPMUX_F32, OPMUX_I64, of_float(0x1p63)).i, INT64_MIN);
  EXPECT_EQ(cast(OPMUX_F32, OPMUX_I32, of_float(NAN), true).i, 0);
  EXPECT_EQ(cast(OPMUX_F32, OPMUX_I32, of_float(kInf)).i, 0);
  EXPECT_EQ(cast(OPMUX_F32, OPMUX_BOOL, of_float(NAN)).u, 1u);
  EXPECT_EQ(cast(OPMUX_I32, OPMUX_U8, of_int(-1)).u, 255u);
  EXPECT_EQ(cast(OPMUX_I32, OPMUX_U8, of_int(-1), true).u, 0u);
  EXPECT_EQ(cast(OPMUX_U64, OPMUX_I64, of_int(-1), true).i, INT64_MAX);
  EXPECT_EQ(cast(OPMUX_I32, OPMUX_I4, of_int(-100), true).i, -8);
}
TEST(Insn, CastsOfIntegersRoundOnce) {
  // 2^60 + 2^52 is the middle of two bf16 numbers; one more must go up, though double cannot hold it.
  const int64_t middle = (int64_t(1) << 60) + (int64_t(1) << 52);
  EXPECT_EQ(cast(OPMUX_I64, OPMUX_BF16, of_int(middle)).f, 0x1p60);
  EXPECT_EQ(cast(OPMUX_I64, OPMUX_BF16, of_int(middle + 1)).f, 0x1p60 + 0x1p53);
  EXPECT_EQ(cast(OPMUX_I64, OPMUX_BF16, of_int(-middle - 1)).f, -0x1p60 - 0x1p53);
  const int64_t f32_middle = (int64_t(1) << 60) + (int64_t(1) << 36);
  EXPECT_EQ(cast(OPMUX_I64, OPMUX_F32, of_int(f32_middle + 1)).f, double(float(f32_middle + 1)));
  EXPECT_EQ(cast(OPMUX_U64, OPMUX_F64, of_int(-1)).f, 0x1p64);
}
TEST(Insn, LoadsAndStoresPackedNibbles) {
  unsigned char bytes[2] = {0x21, 0x8f};
  EXPECT_EQ(load(OPMUX_I4, bytes, 0).i, 1);
  EXPECT_EQ(load(OPMUX_I4, bytes, 1).i, 2);
  EXPECT_EQ(load(OPMUX_I4, bytes, 2).i, -1);
  EXPECT_EQ(load(OPMUX_U4, bytes, 3).u, 8u);
  EXPECT_EQ(load(OPMUX_I4, bytes + 1, -2).i, 1);
  store(OPMUX_I4, bytes, 1, of_int(-3));
  EXPECT_EQ(bytes[0], 0xd1);
  EXPECT_EQ(load(OPMUX_E2M1, bytes, 0).f, 0.5);
  const unsigned char two = 2;
  EXPECT_EQ(load(OPMUX_BOOL, &two, 0).u, 1u);
}
TEST(Insn, RunsAProgramOverItsValues) {
  const opmux_insn code[] = {{OPMUX_FN_CONST, OPMUX_F32, 0, 0, 0, 0, 0x40000000},
                             {OPMUX_FN_MUL, OPMUX_F32, 0, 1, 0, 0, 0},
                             {OPMUX_FN_GT, OPMUX_BOOL, 2, 0, 0, 0, 0},
                             {OPMUX_FN_SELECT, OPMUX_F32, 3, 2, 0, 0, 0}};
  const uint32_t out[] = {4};
  const opmux_prog prog{code, out, 4, 1, OPMUX_SLOT_MAIN, 1};
  uint32_t dtype[5] = {OPMUX_F32};
  Scalar value[5] = {of_float(-3)};
  value_types(prog, dtype);
  run_program(prog, dtype, value);
  EXPECT_EQ(dtype[3], OPMUX_BOOL);
  EXPECT_EQ(value[4].f, -3);
  value[0] = of_float(3);
  run_program(prog, dtype, value);
  EXPECT_EQ(value[4].f, 6);
}

}  // namespace
