// SPDX-License-Identifier: Apache-2.0
#include "gpu/program.hpp"

#include <gtest/gtest.h>

#include "gpu/kernels/layout.h"
#include "kit/desc.hpp"

namespace opmux::gpu {
namespace {

const std::vector<opmux_tdesc> kInputs(16, kit::tensor(OPMUX_F32, {4}));

std::vector<uint32_t> insn(const ProgramCode& c, uint32_t i) {
  return {c.words.begin() + i * GK_INSN_WORDS, c.words.begin() + (i + 1) * GK_INSN_WORDS};
}

TEST(ProgramCode, OperandsAreLoadedAtFirstUseIntoFreeRegisters) {
  kit::Program p(OPMUX_SLOT_EPILOGUE(0), 3);
  const uint32_t sum = p.apply(OPMUX_FN_ADD, OPMUX_F32, 0, 2);
  p.out(p.apply(OPMUX_FN_RELU, OPMUX_F32, sum));
  ProgramCode c;
  ASSERT_FALSE(translate(p.view(), 1, kInputs.data(), c).refused);
  EXPECT_EQ(c.operands, 2u);
  ASSERT_EQ(c.n_insn, 3u);
  // Value 0 lies in register 0; its last use frees it for the sum.
  EXPECT_EQ(insn(c, 0), (std::vector<uint32_t>{GK_FN_LOAD, 1, 0, 0, 0, 1}));
  EXPECT_EQ(insn(c, 1), (std::vector<uint32_t>{OPMUX_FN_ADD, 0, 0, 1, 0, 0}));
  EXPECT_EQ(insn(c, 2), (std::vector<uint32_t>{OPMUX_FN_RELU, 0, 0, 0, 0, 0}));
  EXPECT_EQ(c.result, 0u);
}

TEST(ProgramCode, AnInputThatIsTheResultIsLoaded) {
  kit::Program p(OPMUX_SLOT_MAIN, 2);
  p.out(1);
  ProgramCode c;
  ASSERT_FALSE(translate(p.view(), 0, kInputs.data(), c).refused);
  ASSERT_EQ(c.n_insn, 1u);
  EXPECT_EQ(insn(c, 0), (std::vector<uint32_t>{GK_FN_LOAD, 0, 0, 0, 0, 1}));
}

TEST(ProgramCode, SixtyFourInstructionsInAChainNeedTwoRegisters) {
  kit::Program p(OPMUX_SLOT_MAIN, 1);
  uint32_t v = 0;
  for (int i = 0; i < 64; ++i) v = p.apply(OPMUX_FN_TANH, OPMUX_F32, v);
  p.out(v);
  ProgramCode c;
  ASSERT_FALSE(translate(p.view(), 0, kInputs.data(), c).refused);
  for (uint32_t i = 0; i < c.n_insn; ++i) EXPECT_LT(insn(c, i)[1], 2u);
}

TEST(ProgramCode, MoreLiveValuesThanRegistersAreRefusedAtTheInstruction) {
  kit::Program p(OPMUX_SLOT_MAIN, 0);
  std::vector<uint32_t> values;
  for (uint32_t i = 0; i <= GK_REGISTERS; ++i) values.push_back(p.constant(OPMUX_F32, i));
  uint32_t sum = values[0];
  for (uint32_t i = 1; i < values.size(); ++i) sum = p.apply(OPMUX_FN_ADD, OPMUX_F32, sum, values[i]);
  p.out(sum);
  ProgramCode c;
  const ProgramRefusal r = translate(p.view(), 0, kInputs.data(), c);
  EXPECT_TRUE(r.refused);
  EXPECT_EQ(r.insn, GK_REGISTERS);
}

TEST(ProgramCode, UnknownFunctionsAndTypesAreRefusedAtTheInstruction) {
  for (uint32_t dtype : {OPMUX_F32, OPMUX_F16}) {
    kit::Program p(OPMUX_SLOT_MAIN, 1);
    const uint32_t a = p.apply(OPMUX_FN_NEG, OPMUX_F32, 0);
    p.out(dtype == OPMUX_F32 ? p.apply(OPMUX_FN_LGAMMA, dtype, a) : p.apply(OPMUX_FN_CAST, dtype, a));
    ProgramCode c;
    const ProgramRefusal r = translate(p.view(), 0, kInputs.data(), c);
    EXPECT_TRUE(r.refused);
    EXPECT_EQ(r.insn, 1u);
  }
}

}  // namespace
}  // namespace opmux::gpu
