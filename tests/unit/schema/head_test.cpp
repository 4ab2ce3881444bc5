// SPDX-License-Identifier: Apache-2.0
// What all operators share: the head, operand counts, the extension chain, aliases.
#include "tests/unit/schema/build.hpp"

namespace opmux::schema::test {
namespace {

struct Copy : Desc<opmux_op_copy> {
  Copy() : Desc(OPMUX_OP_COPY, {f32({2, 3})}, {f32({2, 3})}) {}
};
struct Gather : Desc<opmux_op_gather> {
  Gather() : Desc(OPMUX_OP_GATHER, {f32({5, 3}), i64({4})}, {f32({4, 3})}) {}
};

TEST(Head, RejectsASizeThatCannotHoldTheHead) {
  Copy c;
  c.op.o.h.size = 103;
  EXPECT_EQ(c.check(), "descriptor: size is 103, must be 104 to 65536");
  EXPECT_EQ(c.last.why, OPMUX_WHY_INVALID);
  c.op.o.h.size = 65537;
  EXPECT_EQ(c.check(), "descriptor: size is 65537, must be 104 to 65536");
}

TEST(Head, ReadsAttributesBeyondASmallStructureAsZero) {
  Gather g;
  g.op.axis = 77;  // not there for the reader
  g.op.o.h.size = sizeof(opmux_opd);
  EXPECT_EQ(g.check(), "");
}

TEST(Head, AcceptsALargerStructureOnlyWithAZeroTail) {
  struct Longer {
    opmux_op_gather op;
    uint32_t tail[4];
  } longer{};
  Gather g;
  g.opd();
  longer.op = g.op;
  longer.op.o.h.size = sizeof(longer);
  Problem p;
  EXPECT_TRUE(validate(longer.op.o, p)) << p.text;
  longer.tail[1] = 0x0500;
  EXPECT_FALSE(validate(longer.op.o, p));
  EXPECT_STREQ(p.text, "gather: byte 117 is 5 beyond the 112 known bytes, must be 0");
  EXPECT_EQ(p.why, OPMUX_WHY_ATTR);
  EXPECT_EQ(p.arg, 117u);
}

TEST(Head, RejectsUnknownOperatorsAndRevisions) {
  Copy c;
  c.op.o.op = 0x00990001;
  EXPECT_EQ(c.check(), "descriptor: operator 0x00990001 is unknown");
  EXPECT_EQ(c.last.why, OPMUX_WHY_OP);
  EXPECT_EQ(c.last.have, 0x00990001);
  c.op.o.op = OPMUX_OP_COPY;
  c.op.o.rev = 2;
  EXPECT_EQ(c.check(), "copy: revision is 2, known are 1 to 1");
  EXPECT_EQ(c.last.why, OPMUX_WHY_REVISION);
  c.op.o.rev = 0;
  EXPECT_EQ(c.check(), "copy: revision is 0, known are 1 to 1");
}

TEST(Head, RejectsUnknownBitsAndReservedWords) {
  Copy c;
  c.op.o.math = 0x80;
  EXPECT_EQ(c.check(), "copy: math is 0x80, only the bits 0xf have a meaning");
  c.op.o.math = OPMUX_MATH_STRICT;
  EXPECT_EQ(c.check(), "");
  c.op.o.reserved2[1] = 1;
  EXPECT_EQ(c.check(), "copy: a reserved word of the head is set");
  c.op.o.reserved2[1] = 0;
  c.op.o.h.tag = 9;
  EXPECT_EQ(c.check(), "copy: the head has tag 0x9, must be 0");
}

TEST(Head, RejectsWrongOperandCounts) {
  Copy c;
  c.in.push_back(f32({2, 3}));
  EXPECT_EQ(c.check(), "copy: has 2 inputs, needs 1 to 1 and 0 for programs");
  c.in.clear();
  EXPECT_EQ(c.check(), "copy: has 0 inputs, needs 1 to 1 and 0 for programs");
  c.in = {f32({2, 3})};
  c.out.push_back(f32({2, 3}));
  EXPECT_EQ(c.check(), "copy: has 2 outputs, needs 1 to 1");
}

TEST(Head, RejectsNullPointersBehindCounts) {
  Copy c;
  Problem p;
  c.opd();
  c.op.o.in = nullptr;
  EXPECT_FALSE(validate(c.op.o, p));
  EXPECT_STREQ(p.text, "copy: has 1 inputs behind a null pointer");
  c.opd();
  c.op.o.out = nullptr;
  EXPECT_FALSE(validate(c.op.o, p));
  EXPECT_STREQ(p.text, "descriptor: has 1 outputs behind a null pointer");
  c.opd();
  c.op.o.list = nullptr;
  c.op.o.n_list = 3;
  EXPECT_FALSE(validate(c.op.o, p));
  EXPECT_STREQ(p.text, "copy: has 3 list entries behind a null pointer");
  c.opd();
  c.op.o.n_list = 0;
  c.op.o.n_prog = 1;
  c.op.o.prog = nullptr;
  EXPECT_FALSE(validate(c.op.o, p));
  EXPECT_STREQ(p.text, "copy: 1 programs behind a null pointer, at most 25 are possible");
}

TEST(Head, SkipsUnknownExtensionsUnlessCritical) {
  Copy c;
  opmux_ext second{sizeof(opmux_ext), 0x00020007u, nullptr}, first{sizeof(opmux_ext), 0x00010001u, &second};
  c.op.o.h.next = &first;
  EXPECT_EQ(c.check(), "");
  second.tag |= OPMUX_EXT_CRITICAL;
  EXPECT_EQ(c.check(), "copy: the critical extension 0x80020007 is unknown");
  second.tag = 0x00020007u;
  second.size = 8;
  EXPECT_EQ(c.check(), "copy: extension 0x20007 says size 8, the least is 16");
}

TEST(Head, RejectsAnEndlessExtensionChain) {
  Copy c;
  opmux_ext loop{sizeof(opmux_ext), 1, nullptr};
  loop.next = &loop;
  c.op.o.h.next = &loop;
  EXPECT_EQ(c.check(), "copy: the extension chain has more than 64 links");
}

TEST(Alias, AcceptsAnInputOfTheSameFormOnly) {
  Copy c;
  c.alias = {1};
  EXPECT_EQ(c.check(), "");
  c.alias = {2};
  EXPECT_EQ(c.check(), "copy: output 0 is an alias of input 1, which is not there");
  EXPECT_EQ(c.last.why, OPMUX_WHY_ALIAS);
  EXPECT_EQ(c.last.arg, 1u);
  c.alias = {1};
  c.in[0].flags = OPMUX_T_CONST;
  EXPECT_EQ(c.check(), "copy: output 0 is an alias of input 0, which is constant");
  Gather g;
  g.alias = {1};
  EXPECT_EQ(g.check(), "gather: output 0 is an alias of input 0, which has another shape");
  g.alias = {2};
  EXPECT_EQ(g.check(), "gather: output 0 is an alias of input 1, whose elements have 64 bits, not 32");
}

TEST(Alias, RejectsTwoOutputsInOnePlace) {
  Desc<opmux_op_pointwise> d(OPMUX_OP_POINTWISE, {f32({4})}, {f32({4}), f32({4})});
  d.program(OPMUX_SLOT_MAIN, 1, {insn(OPMUX_FN_NEG, OPMUX_F32)}, {1, 0});
  EXPECT_EQ(d.check(), "");
  d.alias = {1, 1};
  EXPECT_EQ(d.check(), "pointwise: outputs 0 and 1 are both an alias of input 0");
}

}  // namespace
}  // namespace opmux::schema::test
