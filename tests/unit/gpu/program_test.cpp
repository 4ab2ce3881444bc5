// SPDX-License-Identifier: Apache-2.0
#include "gpu/program.hpp"

#include <gtest/gtest.h>

#include <tuple>

#include "kit/desc.hpp"

namespace opmux::gpu {
namespace {

constexpr uint64_t kAll = OPMUX_FEAT_F64 | OPMUX_FEAT_I64;

Source source() {
  Source s;
  s.file = &kernel_file("pointwise");
  return s;
}

TEST(ProgramText, AnEpilogueLoadsItsOperandsBesideValueZero) {
  const std::vector<opmux_tdesc> operands(2, kit::tensor(OPMUX_F32, {4}));
  kit::Program p(OPMUX_SLOT_EPILOGUE(0), 3);
  p.out(p.apply(OPMUX_FN_ADD, OPMUX_F32, 0, 2));
  Source s = source();
  ASSERT_FALSE(write_program(p.view(), 1, OPMUX_F32, operands.data(), operands.data(), kAll, s).refused);
  EXPECT_EQ(s.operands, 2u);
  EXPECT_EQ(s.program,
            "GK_PRECISE float v1 = LD_x0(GK_X(0));\nGK_PRECISE float v2 = LD_x1(GK_X(1));\n"
            "GK_PRECISE float v3 = v0 + v2;\nST_y0(GK_Y(0), v3);\n");
}

TEST(ProgramText, ValuesOfSmallTypesAreNarrowedAfterEachInstruction) {
  const std::pair<uint32_t, const char*> kWays[] = {
      {OPMUX_F16, "gk_round_f16(v0 * v0)"},
      {OPMUX_I8, "(((GK_I32(GK_U32(v0) * GK_U32(v0))) << 24u) >> 24u)"},
      {OPMUX_U16, "((v0 * v0) & 0xffffu)"},
      {OPMUX_I64, "GK_I64(GK_U64(v0) * GK_U64(v0))"}};
  for (const auto& [dtype, text] : kWays) {
    const opmux_tdesc t = kit::tensor(dtype, {4});
    kit::Program p(OPMUX_SLOT_MAIN, 1);
    p.out(p.apply(OPMUX_FN_MUL, dtype, 0, 0));
    Source s = source();
    ASSERT_FALSE(write_program(p.view(), 0, 0, &t, &t, kAll, s).refused);
    EXPECT_NE(s.program.find(text), std::string::npos) << s.program;
  }
}

TEST(ProgramText, UnknownFunctionsAndTypesAreRefusedAtTheInstruction) {
  for (uint32_t dtype : {OPMUX_F64, OPMUX_C64}) {
    const opmux_tdesc t = kit::tensor(OPMUX_F64, {4});
    kit::Program p(OPMUX_SLOT_MAIN, 1);
    const uint32_t a = p.apply(OPMUX_FN_NEG, OPMUX_F64, 0);
    p.out(dtype == OPMUX_F64 ? p.apply(OPMUX_FN_LGAMMA, dtype, a) : p.apply(OPMUX_FN_CAST, dtype, a));
    Source s = source();
    const ProgramRefusal r = write_program(p.view(), 0, 0, &t, &t, kAll, s);
    EXPECT_TRUE(r.refused);
    EXPECT_EQ(r.insn, 1u);
    EXPECT_EQ(r.feature, 0u);
  }
}

TEST(ProgramText, AFunctionBringsTheTextsOfItsTypeAlone) {
  const std::tuple<uint32_t, const char*, std::set<std::string>> kWays[] = {
      {OPMUX_F32, "= gk_sin(v0)", {"angles.h"}},
      {OPMUX_F16, "gk_round_f16(gk_sin(v0))", {"angles.h"}},
      {OPMUX_F64, "= gk_sin_d(v0)", {"double_core.h", "double_cycle.h"}}};
  for (const auto& [dtype, text, parts] : kWays) {
    const opmux_tdesc t = kit::tensor(dtype, {4});
    kit::Program p(OPMUX_SLOT_MAIN, 1);
    p.out(p.apply(OPMUX_FN_SIN, dtype, 0));
    Source s = source();
    ASSERT_FALSE(write_program(p.view(), 0, 0, &t, &t, kAll, s).refused);
    EXPECT_NE(s.program.find(text), std::string::npos) << s.program;
    EXPECT_EQ(s.parts, parts);
  }
}

TEST(ProgramText, AFunctionThatIsComputedInF64WantsIt) {
  const opmux_tdesc t = kit::tensor(OPMUX_F32, {4});
  kit::Program p(OPMUX_SLOT_MAIN, 1);
  p.out(p.apply(OPMUX_FN_LGAMMA, OPMUX_F32, 0));
  Source s = source();
  EXPECT_EQ(write_program(p.view(), 0, 0, &t, &t, OPMUX_FEAT_I64, s).feature, OPMUX_FEAT_F64);
  EXPECT_FALSE(write_program(p.view(), 0, 0, &t, &t, kAll, s).refused);
}

TEST(ProgramText, CastsToSmallFloatsSayHowTheyRound) {
  const opmux_tdesc t = kit::tensor(OPMUX_F32, {4});
  const std::tuple<uint32_t, uint32_t, const char*> kWays[] = {
      {OPMUX_E4M3FN, 0, "gk_e4m3fn_bits(v0, false)"},
      {OPMUX_E5M2, OPMUX_INSN_SATURATE, "gk_e5m2_bits(v0, true)"},
      {OPMUX_E8M0, OPMUX_INSN_ROUND_UP, "gk_e8m0_bits(v0, false, 1)"},
      {OPMUX_E8M0, OPMUX_INSN_ROUND_DOWN, "gk_e8m0_bits(v0, false, -1)"},
      {OPMUX_E2M1, 0, "gk_e2m1_bits(v0, false)"}};
  for (const auto& [dtype, flags, text] : kWays) {
    kit::Program p(OPMUX_SLOT_MAIN, 1);
    p.out(p.apply(OPMUX_FN_CAST, dtype, 0, 0, 0, flags));
    const opmux_tdesc y = kit::tensor(dtype, {4});
    Source s = source();
    ASSERT_FALSE(write_program(p.view(), 0, 0, &t, &y, kAll, s).refused);
    EXPECT_NE(s.program.find(text), std::string::npos) << s.program;
  }
}

TEST(ProgramText, TypesThatTheDeviceLacksAreRefusedByTheFeature) {
  const opmux_tdesc t = kit::tensor(OPMUX_F64, {4});
  kit::Program p(OPMUX_SLOT_MAIN, 1);
  p.out(p.apply(OPMUX_FN_NEG, OPMUX_F64, 0));
  Source s = source();
  EXPECT_EQ(write_program(p.view(), 0, 0, &t, &t, OPMUX_FEAT_I64, s).feature, OPMUX_FEAT_F64);
}

TEST(Sources, TheSameKernelWithOtherTypesIsAnotherText) {
  Source s;
  s.file = &kernel_file("copy");
  s.types = {{"x", OPMUX_U8}, {"y", OPMUX_U8}};
  const std::string bytes = s.text(Language::kGlsl);
  s.types = {{"x", OPMUX_U32}, {"y", OPMUX_U32}};
  EXPECT_NE(bytes, s.text(Language::kGlsl));
  EXPECT_NE(bytes.find("readonly buffer GkB_x { uint8_t x[]; }"), std::string::npos);
  EXPECT_NE(s.text(Language::kOpenCl).find("__global const uint *x,"), std::string::npos);
}

TEST(Sources, ElementsBelowAByteLieInWordsAndAreStoredByAtomics) {
  const opmux_tdesc t = kit::tensor(OPMUX_F32, {4}), y = kit::tensor(OPMUX_I4, {4});
  kit::Program p(OPMUX_SLOT_MAIN, 1);
  p.out(p.apply(OPMUX_FN_CAST, OPMUX_I4, 0));
  Source s = source();
  ASSERT_FALSE(write_program(p.view(), 0, 0, &t, &y, kAll, s).refused);
  const std::string text = s.text(Language::kGlsl);
  EXPECT_NE(text.find(" buffer GkB_y0 { uint y0[]; }"), std::string::npos);
  EXPECT_EQ(text.find("writeonly buffer GkB_y0"), std::string::npos) << "atomics read";
  EXPECT_NE(text.find("GK_PUT_PART(y0, i, 4u, (GK_U32((v)) & 15u))"), std::string::npos);
}

TEST(Sources, LiteralsOfF64AreSpeltAsTheLanguageWantsThem) {
  const opmux_tdesc t = kit::tensor(OPMUX_F64, {4});
  kit::Program p(OPMUX_SLOT_MAIN, 1);
  p.out(p.apply(OPMUX_FN_EXP, OPMUX_F64, 0));
  Source s = source();
  ASSERT_FALSE(write_program(p.view(), 0, 0, &t, &t, kAll, s).refused);
  const std::string glsl = s.text(Language::kGlsl), c = s.text(Language::kOpenCl);
  EXPECT_NE(glsl.find("1.4426950408889634lf"), std::string::npos);
  EXPECT_NE(glsl.find("1.9082149292705877e-10lf"), std::string::npos);
  EXPECT_NE(c.find("1.4426950408889634 "), std::string::npos);
  EXPECT_EQ(c.find("1.9082149292705877e-10d"), std::string::npos);
  EXPECT_NE(c.find("gk_exp_d("), std::string::npos);
}

TEST(Sources, EveryKernelFileHasABodyAndWordsForIt) {
  ASSERT_FALSE(kernel_files().empty());
  for (const KernelFile& k : kernel_files()) {
    EXPECT_GT(k.group, 0u) << k.name;
    EXPECT_LE(k.buffers.size() + 2, size_t{26}) << k.name << ": a launch has no more";
    EXPECT_FALSE(k.body.empty()) << k.name;
  }
}

}  // namespace
}  // namespace opmux::gpu
