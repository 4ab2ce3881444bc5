// SPDX-License-Identifier: Apache-2.0
// Descriptors that no honest host sends: each is refused with a reason, and nothing is read out of bounds.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <string>

#include "kit/desc.hpp"
#include "kit/raw_loader.hpp"

namespace {

using namespace opmux::kit;

struct Hostile : testing::Test {
  Hostile() {
    d.in(tensor(OPMUX_F32, {})).out(tensor(OPMUX_F32, {2, 2}));
    d.opd();
  }
  // The reason after `spoil` has changed the linked descriptor; query and prepare must agree.
  opmux_cap refused(const std::function<void(opmux_opd*)>& spoil) {
    opmux_opd* o = d.opd();
    spoil(o);
    const opmux_cap cap = p.query(o);
    EXPECT_EQ(cap.verdict, OPMUX_NO);
    EXPECT_NE(cap.why, OPMUX_WHY_NONE);
    opmux_kernel k = nullptr;
    RawError err;
    const opmux_status s = p.op.prepare(p.device, o, 2, &k, err);
    EXPECT_EQ(s, cap.why == OPMUX_WHY_INVALID ? OPMUX_E_INVALID : OPMUX_E_UNSUPPORTED);
    EXPECT_GT(err.text().size(), 20u);
    EXPECT_EQ(k, nullptr);
    return cap;
  }
  RawPlugin p{TOY_C};
  Desc<opmux_op_fill> d{OPMUX_OP_FILL};
};

TEST_F(Hostile, NullDescriptor) {
  EXPECT_EQ(p.query(nullptr).why, OPMUX_WHY_INVALID);
  opmux_kernel k = nullptr;
  RawError err;
  EXPECT_EQ(p.op.prepare(p.device, nullptr, 0, &k, err), OPMUX_E_INVALID);
}
TEST_F(Hostile, MissingArguments) {
  RawError err;
  opmux_cap cap{};
  const opmux_opd* o = d.opd();
  EXPECT_EQ(p.op.query(nullptr, 1, &o, &cap, sizeof cap, err), OPMUX_E_INVALID);
  EXPECT_EQ(p.op.query(&p.info, 1, nullptr, &cap, sizeof cap, err), OPMUX_E_INVALID);
  EXPECT_EQ(p.op.query(&p.info, 1, &o, nullptr, sizeof cap, err), OPMUX_E_INVALID);
  EXPECT_EQ(p.op.query(&p.info, 0, nullptr, nullptr, 0, err), OPMUX_OK);
}
TEST_F(Hostile, NullPointersAreFineWhereCountsAreZero) {
  opmux_opd* o = d.opd();
  o->prog = nullptr;
  o->list = nullptr;
  o->alias = nullptr;
  EXPECT_EQ(p.query(o).verdict, OPMUX_YES);
}
TEST_F(Hostile, NullPointersBehindCounts) {
  EXPECT_EQ(refused([](opmux_opd* o) { o->in = nullptr; }).why_arg, 0u);
  EXPECT_EQ(refused([](opmux_opd* o) { o->out = nullptr; }).why_arg, 1u);
  refused([](opmux_opd* o) { o->list = nullptr, o->n_list = 3; });
  refused([](opmux_opd* o) { o->prog = nullptr, o->n_prog = 1; });
}
TEST_F(Hostile, AbsurdCounts) {
  EXPECT_EQ(refused([](opmux_opd* o) { o->n_in = UINT32_MAX; }).why_limit, 128);
  refused([](opmux_opd* o) { o->n_out = UINT32_MAX; });
  refused([](opmux_opd* o) { o->n_prog = UINT32_MAX; });
  static const int64_t list = 0;
  refused([](opmux_opd* o) { o->list = &list, o->n_list = UINT32_MAX; });
}
TEST_F(Hostile, HeaderSizes) {
  for (uint32_t size : {0u, 1u, 16u, 103u, 4097u, UINT32_MAX})
    EXPECT_EQ(refused([&](opmux_opd* o) { o->h.size = size; }).why, OPMUX_WHY_INVALID) << size;
}
TEST_F(Hostile, RanksDimsAndStrides) {
  auto out = [&]() -> opmux_tdesc& { return d.outputs()[0]; };
  const opmux_tdesc good = out();
  out().rank = 9;
  EXPECT_EQ(refused([](opmux_opd*) {}).why, OPMUX_WHY_RANK);
  out() = good;
  out().dim[1] = -1;
  EXPECT_EQ(refused([](opmux_opd*) {}).why_axis, 1u);
  out() = good;
  out().dim[0] = out().dim[1] = int64_t(1) << 40;
  EXPECT_EQ(refused([](opmux_opd*) {}).why, OPMUX_WHY_DIM);
  out() = good;
  out().stride[0] = INT64_MIN;
  EXPECT_EQ(refused([](opmux_opd*) {}).why, OPMUX_WHY_STRIDE);
  out().stride[0] = INT64_MAX;
  EXPECT_EQ(refused([](opmux_opd*) {}).why, OPMUX_WHY_STRIDE);
  out() = good;
  out().dim[5] = 4;
  EXPECT_EQ(refused([](opmux_opd*) {}).why_axis, 5u);
  out() = good;
  out().dtype = 0xffffffff;
  EXPECT_EQ(refused([](opmux_opd*) {}).why, OPMUX_WHY_DTYPE);
}
TEST_F(Hostile, ReservedWordsAndUnknownMathBits) {
  EXPECT_EQ(refused([](opmux_opd* o) { o->reserved = 1; }).why_arg, offsetof(opmux_opd, reserved));
  d.opd()->reserved = 0;
  EXPECT_EQ(refused([](opmux_opd* o) { o->reserved2[1] = 1; }).why, OPMUX_WHY_ATTR);
  d.opd()->reserved2[1] = 0;
  EXPECT_EQ(refused([](opmux_opd* o) { o->math = 1u << 31; }).why_arg, offsetof(opmux_opd, math));
}
TEST_F(Hostile, AliasOfAnInputThatIsNotThere) {
  static const uint32_t alias[] = {2};
  EXPECT_EQ(refused([](opmux_opd* o) { o->alias = alias; }).why, OPMUX_WHY_ALIAS);
}
TEST_F(Hostile, ChainNodes) {
  opmux_ext skipped{sizeof skipped, 0x00010001, nullptr};
  opmux_opd* o = d.opd();
  o->h.next = &skipped;
  EXPECT_EQ(p.query(o).verdict, OPMUX_YES) << "an unknown node is skipped";
  opmux_ext critical{sizeof critical, OPMUX_EXT_CRITICAL | 5, nullptr};
  skipped.next = &critical;
  EXPECT_EQ(refused([](opmux_opd*) {}).why, OPMUX_WHY_ATTR);
  skipped.next = &skipped;
  EXPECT_EQ(refused([](opmux_opd*) {}).why, OPMUX_WHY_INVALID) << "a cycle";
  skipped.next = nullptr;
  skipped.size = 3;
  EXPECT_EQ(refused([](opmux_opd*) {}).why, OPMUX_WHY_INVALID);
}
TEST_F(Hostile, Programs) {
  const opmux_insn add{OPMUX_FN_ADD, OPMUX_F32, 0, 0, 0, 0, 0};
  const uint32_t outs[] = {1, 0};
  const opmux_prog good{&add, outs, 1, 1, OPMUX_SLOT_EPILOGUE(0), 1};
  auto why = [&](opmux_prog q) { return refused([&](opmux_opd* o) { o->prog = &q, o->n_prog = 1; }).why; };
  {
    opmux_opd* o = d.opd();
    o->prog = &good;
    o->n_prog = 1;
    EXPECT_EQ(p.query(o).verdict, OPMUX_YES);
  }
  opmux_prog q = good;
  q.n_insn = 65;
  EXPECT_EQ(why(q), OPMUX_WHY_PROGRAM);
  q = good;
  q.n_in = 17;
  EXPECT_EQ(why(q), OPMUX_WHY_PROGRAM);
  q.n_in = 0;
  EXPECT_EQ(why(q), OPMUX_WHY_PROGRAM);
  q.n_in = 9;
  EXPECT_EQ(why(q), OPMUX_WHY_PROGRAM) << "8 extra inputs that the descriptor lacks";
  q = good;
  q.out = nullptr;
  EXPECT_EQ(why(q), OPMUX_WHY_PROGRAM);
  q = good;
  q.insn = nullptr;
  EXPECT_EQ(why(q), OPMUX_WHY_PROGRAM);
  opmux_insn bad = add;
  bad.b = 1;
  q = good;
  q.insn = &bad;
  EXPECT_EQ(why(q), OPMUX_WHY_PROGRAM) << "an instruction that reads itself";
  bad = add;
  bad.op = 5;
  EXPECT_EQ(why(q), OPMUX_WHY_PROGRAM);
  const uint32_t beyond[] = {2};
  q = good;
  q.out = beyond;
  EXPECT_EQ(why(q), OPMUX_WHY_PROGRAM);
}
TEST_F(Hostile, ATailThatIsNotZero) {
  struct {
    opmux_op_fill fill;
    uint32_t more[4];
  } wide{*reinterpret_cast<opmux_op_fill*>(d.opd()), {}};
  wide.fill.o.h.size = sizeof wide;
  EXPECT_EQ(p.query(&wide.fill.o).verdict, OPMUX_YES) << "a zero tail is no attribute";
  wide.more[2] = 1;
  const opmux_cap cap = p.query(&wide.fill.o);
  EXPECT_EQ(cap.why, OPMUX_WHY_ATTR);
  EXPECT_EQ(cap.why_arg, sizeof(opmux_op_fill) + 8);
}

// A descriptor at the end of a page whose successor is not mapped: reading past h.size ends the test program.
TEST_F(Hostile, NeverReadsPastTheSizeOfADescriptor) {
  const size_t page = size_t(sysconf(_SC_PAGESIZE));
  auto* pages =
      static_cast<char*>(mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(pages, MAP_FAILED);
  ASSERT_EQ(mprotect(pages + page, page, PROT_NONE), 0);
  Desc<opmux_op_softmax> s(OPMUX_OP_SOFTMAX);
  s.in(tensor(OPMUX_F32, {1})).out(tensor(OPMUX_F32, {1}));
  s->kind = 1;
  s.opd();
  for (uint32_t size : {104u, 112u}) {  // without and with kind and axis
    char* at = pages + page - size;
    std::memcpy(at, s.operator->(), size);
    auto* o = reinterpret_cast<opmux_opd*>(at);
    o->h.size = size;
    EXPECT_EQ(p.query(o).verdict, OPMUX_YES);
    float x = 1, y = 0;
    void* const args[] = {&x, &y};
    RawError err;
    ASSERT_EQ(p.run(o, args, err), OPMUX_OK) << err.text();
    EXPECT_EQ(y, size == 104 ? 1 : 11) << "absent attributes read as zero";
  }
  munmap(pages, 2 * page);
}
// The same for answers: an older host's opmux_cap is shorter.
TEST_F(Hostile, WritesAnswersOnlyAsFarAsTheyGo) {
  const opmux_opd* o = d.opd();
  for (uint32_t size = sizeof(opmux_hdr); size <= sizeof(opmux_cap); ++size) {
    unsigned char raw[sizeof(opmux_cap) + 8];
    std::memset(raw, 0xcd, sizeof raw);
    auto* cap = reinterpret_cast<opmux_cap*>(raw);
    cap->h.size = size;
    if (size == sizeof(opmux_cap)) cap->in_layout = nullptr;
    ASSERT_EQ(p.op.query(&p.info, 1, &o, cap, sizeof raw, nullptr), OPMUX_OK);
    for (size_t i = size; i < sizeof raw; ++i) ASSERT_EQ(raw[i], 0xcd) << size;
  }
}

}  // namespace
