// SPDX-License-Identifier: Apache-2.0
#include "gpu/program.hpp"

#include <gtest/gtest.h>

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
  const opmux_tdesc t = kit::tensor(OPMUX_F32, {4});
  for (uint32_t dtype : {OPMUX_F32, OPMUX_E4M3FN}) {
    kit::Program p(OPMUX_SLOT_MAIN, 1);
    const uint32_t a = p.apply(OPMUX_FN_NEG, OPMUX_F32, 0);
    p.out(dtype == OPMUX_F32 ? p.apply(OPMUX_FN_LGAMMA, dtype, a) : p.apply(OPMUX_FN_CAST, dtype, a));
    Source s = source();
    const ProgramRefusal r = write_program(p.view(), 0, 0, &t, &t, kAll, s);
    EXPECT_TRUE(r.refused);
    EXPECT_EQ(r.insn, 1u);
    EXPECT_EQ(r.feature, 0u);
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
