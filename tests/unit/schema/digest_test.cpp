// SPDX-License-Identifier: Apache-2.0
// Identity: equal for what means the same, different for everything else.
#include <set>

#include "tests/unit/schema/build.hpp"

namespace opmux::schema::test {
namespace {

struct Conv : Desc<opmux_op_conv> {
  explicit Conv(bool shuffled = false)
      : Desc(OPMUX_OP_CONV, {f32({1, 3, 8, 1}), f32({5, 3, 3, 1}), f32({5, 1, 1})}, {f32({1, 5, 8, 1})}) {
    op.group = 1;
    op.acc_dtype = OPMUX_F32;
    if (shuffled) {
      slice({99, 98});  // other slices lie elsewhere in the pool
      op.pad = slice({1, 0, 1, 0});
      op.dilation = slice({1, 1});
      op.stride = op.dilation;
    } else {
      op.stride = slice({1, 1});
      op.dilation = slice({1, 1});
      op.pad = slice({1, 0, 1, 0});
    }
    program(OPMUX_SLOT_EPILOGUE(0), 2, {insn(OPMUX_FN_ADD, OPMUX_F32, 0, 1)}, {2});
  }
};

TEST(Digest, DoesNotDependOnWhereThingsLie) {
  Conv a, b;
  EXPECT_EQ(digest(a.opd()), digest(b.opd()));
}

TEST(Digest, DoesNotDependOnThePlaceOfSlices) {
  Conv a(false), b(true);
  ASSERT_EQ(b.check(), "");
  EXPECT_EQ(digest(a.opd()), digest(b.opd()));
}

TEST(Digest, IgnoresStridesOfSizeOneDims) {
  Conv a, b;
  b.in[0].stride[0] = 12345;
  b.in[0].stride[3] = -7;
  ASSERT_EQ(b.check(), "");
  EXPECT_EQ(digest(a.opd()), digest(b.opd()));
  b.in[0].stride[1] = 16;
  EXPECT_NE(digest(a.opd()), digest(b.opd()));
}

TEST(Digest, IgnoresStridesOfEmptyTensors) {
  Desc<opmux_op_copy> a(OPMUX_OP_COPY, {f32({0, 4})}, {f32({0, 4})}),
      b(OPMUX_OP_COPY, {f32({0, 4})}, {f32({0, 4})});
  b.in[0].stride[1] = 3;
  EXPECT_EQ(digest(a.opd()), digest(b.opd()));
}

TEST(Digest, TreatsAbsentAliasesAsNone) {
  Conv a, b;
  b.alias = {0};
  EXPECT_EQ(digest(a.opd()), digest(b.opd()));
  b.alias = {1};
  EXPECT_NE(digest(a.opd()), digest(b.opd()));
}

TEST(Digest, TreatsAnAbsentTailAsZero) {
  Desc<opmux_op_gather> full(OPMUX_OP_GATHER, {f32({5, 3}), i64({4})}, {f32({4, 3})});
  Desc<opmux_op_gather> head(OPMUX_OP_GATHER, {f32({5, 3}), i64({4})}, {f32({4, 3})});
  head.op.o.h.size = sizeof(opmux_opd);
  EXPECT_EQ(digest(full.opd()), digest(head.opd()));
}

TEST(Digest, SortsTheExtensionChainAndTrimsZeros) {
  struct Ext {
    opmux_ext h;
    uint64_t value[2];
  };
  Ext one{{sizeof(Ext), 1, nullptr}, {7, 0}}, two{{24, 2, nullptr}, {8, 0}};
  Conv a, b;
  one.h.next = &two.h;
  a.op.o.h.next = &one.h;
  const Digest forward = digest(a.opd());
  one.h = {24, 1, nullptr};
  two.h = {sizeof(Ext), 2, &one.h};
  b.op.o.h.next = &two.h;
  EXPECT_EQ(forward, digest(b.opd()));
  one.value[0] = 9;
  EXPECT_NE(forward, digest(b.opd()));
}

TEST(Digest, EveryFieldThatMattersChangesIt) {
  std::set<Digest> seen;
  Conv plain;
  seen.insert(digest(plain.opd()));
  size_t n = 1;
  const auto differs = [&](auto&& change) {
    Conv c;
    change(c);
    seen.insert(digest(c.opd()));
    EXPECT_EQ(seen.size(), ++n);
  };
  differs([](Conv& c) { c.op.o.math = OPMUX_MATH_STRICT; });
  differs([](Conv& c) { c.op.o.rev = 2; });
  differs([](Conv& c) { c.op.group = 3; });
  differs([](Conv& c) { c.list[0] = 2; });
  differs([](Conv& c) { c.list[5] = 2; });
  differs([](Conv& c) { c.in[0].dim[2] = 9; });
  differs([](Conv& c) { c.in[0].dtype = OPMUX_F16; });
  differs([](Conv& c) { c.in[1].flags = OPMUX_T_CONST; });
  differs([](Conv& c) { c.in[1].layout = 3; });
  differs([](Conv& c) { c.in[1].layout = 3, c.in[1].layout_arg = 1; });
  differs([](Conv& c) { c.in[1].stride[0] = 27; });
  differs([](Conv& c) { c.out[0].stride[1] = 11; });
  differs([](Conv& c) { c.insns[0][0].op = OPMUX_FN_SUB; });
  differs([](Conv& c) { c.insns[0][0].b = 0; });
  differs([](Conv& c) { c.prog_outs[0][0] = 0; });
  differs([](Conv& c) { c.prog[0].slot = OPMUX_SLOT_PROLOGUE(0); });
  differs([](Conv& c) { c.prog.clear(); });
  differs([](Conv& c) { c.in.pop_back(); });
}

TEST(Digest, HasNoCollisionsOverAGridOfShapes) {
  std::set<uint64_t> lo, hi;
  size_t n = 0;
  for (int64_t i = 0; i < 60; ++i)
    for (int64_t j = 0; j < 60; ++j)
      for (uint32_t axis = 0; axis < 4; ++axis) {
        Desc<opmux_op_softmax> d(OPMUX_OP_SOFTMAX, {f32({i, j})}, {f32({i, j})});
        d.op.axis = axis;
        const Digest g = digest(d.opd());
        lo.insert(g.lo);
        hi.insert(g.hi);
        ++n;
      }
  EXPECT_EQ(lo.size(), n);
  EXPECT_EQ(hi.size(), n);
}

TEST(Serialise, AppendsTheSameBytesForEqualDescriptors) {
  Conv a, b(true);
  std::vector<std::byte> x{std::byte{1}}, y;
  serialise(a.opd(), x);
  serialise(b.opd(), y);
  ASSERT_GT(y.size(), 100u);
  EXPECT_EQ(y.size() % 8, 0u);
  EXPECT_EQ(std::vector<std::byte>(x.begin() + 1, x.end()), y);
}

}  // namespace
}  // namespace opmux::schema::test
