// SPDX-License-Identifier: Apache-2.0
// Types that the NumPy tests cannot hold: sub-byte integers and 8-bit floats.
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "kit/desc.hpp"
#include "kit/raw_loader.hpp"
#include "tests/support/paths.h"

namespace {

using namespace opmux::kit;

struct SmallTypes : testing::Test {
  RawPlugin p{opmux::test::plugin_dir() + "/opmux_reference.so"};
  RawError err;
};

TEST_F(SmallTypes, CopiesATransposeOfNibbles) {
  // [[1, 2, 3], [4, 5, 6]] as u4, low nibble first; the transpose needs single nibbles moved.
  std::array<unsigned char, 3> x = {0x21, 0x43, 0x65}, y = {};
  Desc<opmux_op_copy> d(OPMUX_OP_COPY);
  d.in(strided(OPMUX_U4, {3, 2}, {1, 3})).out(tensor(OPMUX_U4, {3, 2}));
  void* const args[] = {x.data(), y.data()};
  ASSERT_EQ(p.run(d.opd(), args, err), OPMUX_OK) << err.text();
  EXPECT_EQ(y, (std::array<unsigned char, 3>{0x41, 0x52, 0x63}));
}

TEST_F(SmallTypes, PadsNibblesAndLeavesTheRestOfTheLastByte) {
  std::array<unsigned char, 1> x = {0x87};  // 7, -8
  std::array<unsigned char, 2> y = {0, 0xf0};
  Desc<opmux_op_pad> d(OPMUX_OP_PAD);
  d.in(tensor(OPMUX_I4, {2})).out(tensor(OPMUX_I4, {3}));
  d->mode = OPMUX_PAD_EDGE;
  d->pad = d.list({0, 1});
  void* const args[] = {x.data(), y.data()};
  ASSERT_EQ(p.run(d.opd(), args, err), OPMUX_OK) << err.text();
  EXPECT_EQ(y, (std::array<unsigned char, 2>{0x87, 0xf8}));
}

TEST_F(SmallTypes, CastsToEightBitFloatsWithAndWithoutSaturation) {
  const std::array<float, 4> x = {0.3f, 1000.0f, -1000.0f, 17.0f};
  for (const bool saturate : {false, true}) {
    std::array<unsigned char, 4> y = {};
    Program prog(OPMUX_SLOT_MAIN, 1);
    prog.out(prog.apply(OPMUX_FN_CAST, OPMUX_E4M3FN, 0, 0, 0, saturate ? OPMUX_INSN_SATURATE : 0));
    Desc<opmux_op_pointwise> d(OPMUX_OP_POINTWISE);
    d.in(tensor(OPMUX_F32, {4})).out(tensor(OPMUX_E4M3FN, {4})).program(prog);
    void* const args[] = {const_cast<float*>(x.data()), y.data()};
    ASSERT_EQ(p.run(d.opd(), args, err), OPMUX_OK) << err.text();
    // 0.3 lies between 0.28125 (0x29) and 0.3125 (0x2a); 17 is the tie of 16 (0x58) and 18 (0x59).
    const unsigned char big = saturate ? 0x7e : 0x7f, low = saturate ? 0xfe : 0xff;
    EXPECT_EQ(y, (std::array<unsigned char, 4>{0x2a, big, low, 0x58}));
  }
}

TEST_F(SmallTypes, ReadsAHostScalarFromTheParametersOfARun) {
  std::array<int64_t, 3> y = {};
  Desc<opmux_op_iota> d(OPMUX_OP_IOTA);
  d.in(tensor(OPMUX_I64, {})).in(tensor(OPMUX_I64, {})).out(tensor(OPMUX_I64, {3}));
  d.inputs()[0].flags = d.inputs()[1].flags = OPMUX_T_HOST_SCALAR;
  const uint64_t scalars[] = {10, uint64_t(-4)};
  void* const args[] = {nullptr, nullptr, y.data()};
  ASSERT_EQ(p.run(d.opd(), args, err, scalars), OPMUX_OK) << err.text();
  EXPECT_EQ(y, (std::array<int64_t, 3>{10, 6, 2}));
}

}  // namespace
