// SPDX-License-Identifier: Apache-2.0
// Programs: pointwise itself, and epilogues.
#include "tests/unit/schema/build.hpp"

namespace opmux::schema::test {
namespace {

struct Pointwise : Desc<opmux_op_pointwise> {
  Pointwise(std::vector<opmux_tdesc> in, std::vector<opmux_tdesc> out)
      : Desc(OPMUX_OP_POINTWISE, std::move(in), std::move(out)) {}
  // One program over all inputs.
  std::string run(std::vector<opmux_insn> code, std::vector<uint32_t> outs) {
    prog.clear();
    program(OPMUX_SLOT_MAIN, static_cast<uint32_t>(in.size()), std::move(code), std::move(outs));
    return check();
  }
};

TEST(Pointwise, InfersTheBroadcastShapeAndTheProgramsTypes) {
  Pointwise d({f32({2, 1, 5}), f32({3, 1})}, {f32({2, 3, 5}), tensor(OPMUX_BOOL, {2, 3, 5})});
  EXPECT_EQ(d.run({insn(OPMUX_FN_ADD, OPMUX_F32, 0, 1), insn(OPMUX_FN_LT, OPMUX_BOOL, 0, 2)}, {2, 3}), "");
  EXPECT_EQ(d.inferred(), "f32[2, 3, 5] bool[2, 3, 5]");
  d.out[1].dtype = OPMUX_U8;
  EXPECT_EQ(d.check(), "pointwise: output y is u8, must be bool");
}

TEST(Pointwise, TakesItsShapeFromTheOutputWithoutInputs) {
  Pointwise d({}, {f32({4, 2})});
  EXPECT_EQ(d.run({insn(OPMUX_FN_CONST, OPMUX_F32)}, {0}), "");
  EXPECT_EQ(d.inferred(true), "f32[4, 2]");
}

TEST(Pointwise, LetsAllInputsBeNarrowerThanTheOutput) {
  Pointwise d({f32({1, 3})}, {f32({4, 3})});
  EXPECT_EQ(d.run({insn(OPMUX_FN_ABS, OPMUX_F32)}, {1}), "");
}

TEST(Pointwise, RejectsShapesThatDoNotBroadcast) {
  Pointwise d({f32({2, 3}), f32({4})}, {f32({2, 3})});
  EXPECT_EQ(d.run({insn(OPMUX_FN_ADD, OPMUX_F32, 0, 1)}, {2}),
            "pointwise: dim 0 of input 1 is 4, which does not broadcast with 3");
  EXPECT_EQ(d.last.why, OPMUX_WHY_DIM);
  EXPECT_EQ(d.last.arg, 1u);
}

TEST(Pointwise, NeedsExactlyItsProgram) {
  Pointwise d({f32({2})}, {f32({2})});
  EXPECT_EQ(d.check(), "pointwise: has 0 programs, needs exactly 1 of slot MAIN");
  d.program(OPMUX_SLOT_MAIN, 2, {insn(OPMUX_FN_ADD, OPMUX_F32, 0, 1)}, {2});
  EXPECT_EQ(d.check(), "pointwise: program 0 has 2 inputs, but there are 1 operands");
  d.prog[0].n_in = 1;
  d.prog_outs[0] = {0, 0};
  d.prog[0].out = d.prog_outs[0].data();
  d.prog[0].n_out = 2;
  EXPECT_EQ(d.check(), "pointwise: program 0 has 2 outputs, but the operator has 1");
  EXPECT_EQ(d.last.why, OPMUX_WHY_PROGRAM);
}

TEST(Program, RejectsUnknownFunctionsWithTheInstructionsNumber) {
  Pointwise d({f32({2})}, {f32({2})});
  EXPECT_EQ(d.run({insn(OPMUX_FN_NEG, OPMUX_F32), insn(999, OPMUX_F32, 1)}, {2}),
            "pointwise: instruction 1 (?) of program 0 has the unknown function 999");
  EXPECT_EQ(d.last.why, OPMUX_WHY_PROGRAM);
  EXPECT_EQ(d.last.arg, 0u);
  EXPECT_EQ(d.last.have, 1);
}

TEST(Program, RejectsValuesThatDoNotExistYet) {
  Pointwise d({f32({2})}, {f32({2})});
  EXPECT_EQ(d.run({insn(OPMUX_FN_ADD, OPMUX_F32, 0, 1)}, {1}),
            "pointwise: instruction 0 (ADD) of program 0 uses value 1, only values below 1 exist there");
  EXPECT_EQ(d.run({insn(OPMUX_FN_NEG, OPMUX_F32)}, {2}),
            "pointwise: output 0 of program 0 is value 2, only 2 exist");
}

TEST(Program, ChecksOperandTypes) {
  Pointwise d({f32({2}), i64({2}), tensor(OPMUX_BOOL, {2})}, {f32({2})});
  EXPECT_EQ(d.run({insn(OPMUX_FN_ADD, OPMUX_F32, 0, 1)}, {3}),
            "pointwise: instruction 0 (ADD) of program 0 mixes operands of the types f32 and i64");
  EXPECT_EQ(d.run({insn(OPMUX_FN_EXP, OPMUX_I64, 1)}, {3}),
            "pointwise: instruction 0 (EXP) of program 0 does not take operands of type i64");
  EXPECT_EQ(d.run({insn(OPMUX_FN_NOT, OPMUX_F32, 0)}, {3}),
            "pointwise: instruction 0 (NOT) of program 0 does not take operands of type f32");
  EXPECT_EQ(d.run({insn(OPMUX_FN_SELECT, OPMUX_F32, 0, 0, 0)}, {3}),
            "pointwise: instruction 0 (SELECT) of program 0 selects by a value of type f32, must be bool");
  EXPECT_EQ(d.run({insn(OPMUX_FN_SELECT, OPMUX_F32, 2, 0, 0)}, {3}), "");
}

TEST(Program, ChecksResultTypes) {
  Pointwise d({f32({2})}, {f32({2})});
  EXPECT_EQ(d.run({insn(OPMUX_FN_NEG, OPMUX_F16)}, {1}),
            "pointwise: instruction 0 (NEG) of program 0 has result type f16, must be f32");
  EXPECT_EQ(d.run({insn(OPMUX_FN_IS_NAN, OPMUX_F32)}, {1}),
            "pointwise: instruction 0 (IS_NAN) of program 0 has result type f32, must be bool");
  EXPECT_EQ(d.run({insn(OPMUX_FN_CAST, 77)}, {1}),
            "pointwise: instruction 0 (CAST) of program 0 has the unknown result type 0x4d");
  d.out[0].dtype = OPMUX_I4;
  EXPECT_EQ(d.run({insn(OPMUX_FN_CAST, OPMUX_I4)}, {1}), "");
}

TEST(Program, ChecksFlagsImmediatesAndUnusedOperands) {
  Pointwise d({f32({2})}, {f32({2})});
  auto i = insn(OPMUX_FN_NEG, OPMUX_F32);
  i.flags = OPMUX_INSN_SATURATE;
  EXPECT_EQ(d.run({i}, {1}),
            "pointwise: instruction 0 (NEG) of program 0 has flags 0x1, only 0x0 may be set");
  i = insn(OPMUX_FN_CAST, OPMUX_F32);
  i.flags = OPMUX_INSN_SATURATE;
  EXPECT_EQ(d.run({i}, {1}), "");
  i = insn(OPMUX_FN_NEG, OPMUX_F32);
  i.imm = 1;
  EXPECT_EQ(d.run({i}, {1}),
            "pointwise: instruction 0 (NEG) of program 0 has an immediate value, only CONST may have one");
  EXPECT_EQ(d.run({insn(OPMUX_FN_NEG, OPMUX_F32), insn(OPMUX_FN_NEG, OPMUX_F32, 0, 1)}, {1}),
            "pointwise: instruction 1 (NEG) of program 0 has 1 in its unused operand 1, must be 0");
}

TEST(Program, KeepsItsLimits) {
  Pointwise d({f32({2})}, {f32({2})});
  EXPECT_EQ(d.run(std::vector<opmux_insn>(64, insn(OPMUX_FN_NEG, OPMUX_F32)), {64}), "");
  EXPECT_EQ(d.run(std::vector<opmux_insn>(65, insn(OPMUX_FN_NEG, OPMUX_F32)), {64}),
            "pointwise: program 0 has 65 instructions, at most 64 are possible");
  Pointwise many(std::vector<opmux_tdesc>(17, f32({2})), {f32({2})});
  EXPECT_EQ(many.run({insn(OPMUX_FN_NEG, OPMUX_F32)}, {0}),
            "pointwise: program 0 has 17 inputs, at most 16 are possible");
  Pointwise outputs({f32({2})}, std::vector<opmux_tdesc>(9, f32({2})));
  EXPECT_EQ(outputs.run({}, std::vector<uint32_t>(9, 0)), "pointwise: has 9 outputs, needs 1 to 8");
}

TEST(Program, TypesAreToldForEveryValue) {
  const opmux_insn code[] = {insn(OPMUX_FN_CAST, OPMUX_F32, 0), insn(OPMUX_FN_GT, OPMUX_BOOL, 2, 1)};
  const uint32_t outs[] = {3}, in[] = {OPMUX_F16, OPMUX_F32};
  const opmux_prog prog{code, outs, 2, 1, OPMUX_SLOT_MAIN, 2};
  uint32_t value[4];
  Problem p;
  ASSERT_TRUE(check_insn_types(prog, in, value, p)) << p.text;
  EXPECT_EQ(value[0], OPMUX_F16);
  EXPECT_EQ(value[2], OPMUX_F32);
  EXPECT_EQ(value[3], OPMUX_BOOL);
  const uint32_t wrong[] = {OPMUX_F16, OPMUX_F16};
  EXPECT_FALSE(check_insn_types(prog, wrong, value, p));
  EXPECT_STREQ(p.text, "instruction 1 (GT) of program 0 mixes operands of the types f32 and f16");
}

struct Softmax : Desc<opmux_op_softmax> {
  explicit Softmax(uint32_t dtype)
      : Desc(OPMUX_OP_SOFTMAX, {tensor(dtype, {4, 5})}, {tensor(dtype, {4, 5})}) {
    op.kind = OPMUX_SOFTMAX_PLAIN;
    op.axis = 1;
  }
};

TEST(Epilogue, SeesTheComputeTypeAndSetsTheOutputType) {
  Softmax s(OPMUX_F16);
  s.program(OPMUX_SLOT_EPILOGUE(0), 2,
            {insn(OPMUX_FN_MUL, OPMUX_F32, 0, 1), insn(OPMUX_FN_CAST, OPMUX_BF16, 2)}, {3});
  s.in.push_back(f32({5}));
  s.out[0].dtype = OPMUX_BF16;
  EXPECT_EQ(s.check(), "");
  EXPECT_EQ(s.inferred(), "bf16[4, 5]");
}

TEST(Epilogue, CountsAndChecksItsExtraOperands) {
  Softmax s(OPMUX_F32);
  s.program(OPMUX_SLOT_EPILOGUE(0), 2, {insn(OPMUX_FN_MUL, OPMUX_F32, 0, 1)}, {2});
  EXPECT_EQ(s.check(), "softmax: has 1 inputs, needs 1 to 1 and 1 for programs");
  s.in.push_back(f32({4}));
  EXPECT_EQ(s.check(),
            "softmax: operand 1 of program 0 (rank 1, last dim 4) does not broadcast to output 0 (rank 2, "
            "last dim 5)");
  EXPECT_EQ(s.last.arg, 1u);
  s.in[1] = f32({4, 1});
  EXPECT_EQ(s.check(), "");
  s.in[1] = none();
  EXPECT_EQ(s.check(), "softmax: operand 1 of program 0 has the unknown type 0x0");
}

TEST(Epilogue, RejectsSlotsThatTheOperatorLacks) {
  Softmax s(OPMUX_F32);
  s.program(OPMUX_SLOT_EPILOGUE(1), 1, {}, {0});
  EXPECT_EQ(s.check(), "softmax: program 0 has slot 0x101, which this operator does not have");
  s.prog[0].slot = OPMUX_SLOT_PROLOGUE(0);
  EXPECT_EQ(s.check(), "softmax: program 0 has slot 0x1, which this operator does not have");
  s.prog[0].slot = OPMUX_SLOT_EPILOGUE(0);
  EXPECT_EQ(s.check(), "");
  s.program(OPMUX_SLOT_EPILOGUE(0), 1, {}, {0});
  EXPECT_EQ(s.check(), "softmax: program 1 is a second epilogue of output 0");
}

TEST(Epilogue, RejectsProgramsWithoutInputOrWithTwoOutputs) {
  Softmax s(OPMUX_F32);
  s.program(OPMUX_SLOT_EPILOGUE(0), 0, {insn(OPMUX_FN_CONST, OPMUX_F32)}, {0});
  EXPECT_EQ(s.check(), "softmax: program 0 has no input, an epilogue has at least 1");
  s.prog.clear();
  s.program(OPMUX_SLOT_EPILOGUE(0), 1, {}, {0, 0});
  EXPECT_EQ(s.check(), "softmax: program 0 has 2 outputs, an epilogue has 1");
}

}  // namespace
}  // namespace opmux::schema::test
