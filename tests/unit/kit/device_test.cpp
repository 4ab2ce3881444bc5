// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "kit/desc.hpp"
#include "kit/raw_loader.hpp"
#include "tests/conformance/plugin_calls.hpp"

namespace {

using namespace opmux::kit;
using opmux::cts::copy_of;

Desc<opmux_op_fill> fill_of(std::initializer_list<int64_t> dims, uint32_t rev = 1) {
  Desc<opmux_op_fill> d(OPMUX_OP_FILL, rev);
  d.in(tensor(OPMUX_F32, {})).out(tensor(OPMUX_F32, dims));
  return d;
}
Desc<opmux_op_softmax> attr_of(uint32_t axis, uint32_t kind) {
  Desc<opmux_op_softmax> d(OPMUX_OP_SOFTMAX);
  d.in(tensor(OPMUX_F32, {1})).out(tensor(OPMUX_F32, {1}));
  d->axis = axis;
  d->kind = kind;
  return d;
}
opmux_bind bind(void* p) { return {opmux_mem(reinterpret_cast<uintptr_t>(p)), 0, 0, nullptr}; }

class Device : public testing::TestWithParam<const char*> {
 protected:
  RawPlugin p{GetParam()};
  RawError err;
  opmux_run run_of(opmux_kernel k, std::span<const opmux_bind> binds) {
    opmux_run r = opmux::cts::run_of(k, binds);
    r.ws = bind(ws.data());
    r.ws.size = sizeof ws;
    return r;
  }
  alignas(64) std::array<float, 16> ws{};
};
INSTANTIATE_TEST_SUITE_P(Languages, Device, testing::Values(TOY_C, TOY_CPP));

TEST_P(Device, DescribesItself) {
  EXPECT_STREQ(p.info.name, "toy");
  EXPECT_EQ(p.info.kind, OPMUX_DEV_CPU);
  EXPECT_EQ(p.info.flags & (OPMUX_DF_HOST_MEMORY | OPMUX_DF_SYNC_QUEUE),
            OPMUX_DF_HOST_MEMORY | OPMUX_DF_SYNC_QUEUE);
  EXPECT_GT(p.info.memory_bytes, 1u << 20);
  opmux_dev none = nullptr;
  EXPECT_EQ(p.dev.open(p.plugin, 1, &none, err), OPMUX_E_INVALID);
  EXPECT_EQ(err.text(), "open: device 1, there is 1");
}
TEST_P(Device, GivesEveryByteBack) {
  auto d = fill_of({2, 2});
  opmux_kernel k = p.prepare(d.opd());
  EXPECT_GT(p.host.live_blocks(), 3);
  p.op.release(k);
  p.queue.destroy(p.line);
  p.dev.close(p.device);
  p.core.close(p.plugin);
  p.line = nullptr;
  p.device = nullptr;
  p.plugin = nullptr;
  EXPECT_EQ(p.host.live_blocks(), 0);
  EXPECT_EQ(p.host.live_bytes(), 0);
}

TEST_P(Device, TakesTheFirstVariantThatAccepts) {
  EXPECT_EQ(p.query(fill_of({3}).opd()).impl_key, 1u);
  EXPECT_EQ(p.query(fill_of({3, 3}).opd()).impl_key, 2u);
  EXPECT_EQ(p.query(fill_of({3}).opd()).ws_min, 64u);
  EXPECT_EQ(p.query(fill_of({3}).opd()).cost_ns, 100u);
}
TEST_P(Device, RefusesWithTheReasonOfTheLastVariant) {
  auto d = fill_of({101, 1});
  const opmux_cap cap = p.query(d.opd());
  EXPECT_EQ(cap.verdict, OPMUX_NO);
  EXPECT_EQ(cap.impl_key, 0u);
  EXPECT_EQ(cap.why, OPMUX_WHY_DIM);
  EXPECT_EQ(cap.why_arg, 1u);
  EXPECT_EQ(cap.why_have, 101);
  EXPECT_EQ(cap.why_limit, 100);
  opmux_kernel k = nullptr;
  EXPECT_EQ(p.op.prepare(p.device, d.opd(), 0, &k, err), OPMUX_E_UNSUPPORTED);
  EXPECT_EQ(err.text(), "operator 0x00010001: extent not supported: operand 1, axis 0 is 101, limit 100");
  EXPECT_EQ(err->arg_index, 1u);
  EXPECT_EQ(k, nullptr);
}
TEST_P(Device, RefusesAKeyThatIsNotForTheDescriptor) {
  auto d = fill_of({3});
  opmux_kernel k = nullptr;
  EXPECT_EQ(p.op.prepare(p.device, d.opd(), 3, &k, err), OPMUX_E_INVALID);
  EXPECT_EQ(p.op.prepare(p.device, d.opd(), 999, &k, err), OPMUX_E_INVALID);
  EXPECT_EQ(p.op.prepare(p.device, d.opd(), 2, &k, err), OPMUX_E_UNSUPPORTED);
}
TEST_P(Device, AsksEachVariantForItsRevision) {
  EXPECT_EQ(p.query(fill_of({3}, 2).opd()).why,
            OPMUX_WHY_RANK);  // "row" knows revision 1, "square" wants rank 2
  EXPECT_EQ(p.query(fill_of({3, 3}, 2).opd()).impl_key, 2u);
  const opmux_cap cap = p.query(fill_of({3, 3}, 3).opd());
  EXPECT_EQ(cap.why, OPMUX_WHY_REVISION);
  EXPECT_EQ(cap.why_have, 3);
  EXPECT_EQ(cap.why_limit, 2);
}
TEST_P(Device, NamesAnUnknownOperator) {
  Desc<opmux_op_iota> d(OPMUX_OP_IOTA);
  const opmux_cap cap = p.query(d.opd());
  EXPECT_EQ(cap.why, OPMUX_WHY_OP);
  EXPECT_EQ(cap.why_have, OPMUX_OP_IOTA);
}
TEST_P(Device, HandsTheValidatorsReasonOn) {
  auto d = fill_of({3});
  d.out(tensor(OPMUX_F32, {3}));
  const opmux_cap cap = p.query(d.opd());
  EXPECT_EQ(cap.why, OPMUX_WHY_INVALID);
  EXPECT_EQ(cap.why_have, 2);
}
TEST_P(Device, AnswersABatchWithAStride) {
  struct Wide {
    opmux_cap cap;
    uint64_t more[3];
  } caps[2] = {};
  auto a = fill_of({3}), b = fill_of({101, 1});
  const opmux_opd* both[] = {a.opd(), b.opd()};
  for (Wide& w : caps) w.cap.h.size = sizeof(opmux_cap), w.more[0] = 0x5555;
  ASSERT_EQ(p.op.query(&p.info, 2, both, &caps[0].cap, sizeof(Wide), err), OPMUX_OK);
  EXPECT_EQ(caps[0].cap.verdict, OPMUX_YES);
  EXPECT_EQ(caps[1].cap.verdict, OPMUX_NO);
  EXPECT_EQ(caps[1].more[0], 0x5555u);
}

TEST_P(Device, RunsWithWorkspaceAndState) {
  float value = 2.5f, y[6] = {};
  auto row = fill_of({6});
  void* const args[] = {&value, y};
  ASSERT_EQ(p.run(row.opd(), args, err), OPMUX_OK) << err.text();
  for (float v : y) EXPECT_EQ(v, 2.5f);
  value = -1;
  auto square = fill_of({2, 2});
  square.outputs()[0].stride[0] = 3;
  ASSERT_EQ(p.run(square.opd(), args, err), OPMUX_OK) << err.text();
  EXPECT_EQ(std::vector<float>(y, y + 6), (std::vector<float>{-1, -1, 2.5f, -1, -1, 2.5f}));
}
TEST_P(Device, KeepsItsOwnCopyOfTheDescriptor) {
  float value = 4, y[4] = {};
  const opmux_bind binds[] = {bind(&value), bind(y)};
  opmux_kernel k = nullptr;
  {
    auto d = fill_of({2, 2});
    k = p.prepare(d.opd());
    d.outputs()[0].dim[0] = 1000;
  }
  const opmux_run r = run_of(k, binds);
  ASSERT_EQ(p.queue.enqueue_many(p.line, &r, sizeof r, 1, err), OPMUX_OK);
  EXPECT_EQ(y[3], 4);
  p.op.release(k);
}
TEST_P(Device, PassesScalarsByValue) {
  auto d = fill_of({2});
  d.inputs()[0].flags = OPMUX_T_HOST_SCALAR;
  float y[2] = {}, value = 8;
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  void* const args[] = {nullptr, y};
  ASSERT_EQ(p.run(d.opd(), args, err, {&bits, 1}), OPMUX_OK) << err.text();
  EXPECT_EQ(y[1], 8);
  EXPECT_EQ(p.run(d.opd(), args, err), OPMUX_E_INVALID);
  EXPECT_EQ(err.text(), "operator 0x00010001: 0 bytes of parameters, it needs 8");
}
TEST_P(Device, RefusesRunsThatDoNotFitTheKernel) {
  auto d = fill_of({2});
  opmux_kernel k = p.prepare(d.opd());
  float value = 1;
  alignas(8) char y[16] = {};
  auto text = [&](opmux_run r) {
    RawError e;
    EXPECT_EQ(p.queue.enqueue_many(p.line, &r, sizeof r, 1, e), OPMUX_E_INVALID);
    return e.text();
  };
  const opmux_bind good[] = {bind(&value), bind(y)}, odd[] = {bind(&value), bind(y + 1)};
  opmux_bind unbound[] = {bind(&value), bind(nullptr)};
  opmux_run r = run_of(k, std::span(good, 1));
  EXPECT_EQ(text(r), "operator 0x00010001: 1 operands bound, it has 2");
  EXPECT_EQ(text(run_of(k, unbound)), "operator 0x00010001: operand 1 is not bound to memory");
  EXPECT_NE(text(run_of(k, odd)).find("which 4 does not divide"), std::string::npos);
  r = run_of(k, good);
  r.ws.size = 63;
  EXPECT_EQ(text(r), "operator 0x00010001: 63 bytes of workspace, it needs 64");
  r = run_of(nullptr, good);
  EXPECT_NE(text(r).find("no kernel"), std::string::npos);
  opmux_tdesc other = tensor(OPMUX_F32, {5});
  opmux_bind reshaped[] = {bind(&value), bind(y)};
  reshaped[1].actual = &other;
  EXPECT_NE(text(run_of(k, reshaped)).find("another shape"), std::string::npos);
  p.op.release(k);
}
TEST_P(Device, LetsEmptyOperandsBeUnbound) {
  auto d = fill_of({0});
  float value = 1;
  void* const args[] = {&value, nullptr};
  EXPECT_EQ(p.run(d.opd(), args, err), OPMUX_OK) << err.text();
}
TEST_P(Device, ReportsTheFaultOfARun) {
  float x = 1, y = 0;
  void* const args[] = {&x, &y};
  EXPECT_EQ(p.run(attr_of(7, 1).opd(), args, err), OPMUX_E_FAULT);
  EXPECT_EQ(err.text(), "softmax: axis 7 is at fault");
}
TEST_P(Device, HonoursACancelToken) {
  auto d = attr_of(1, 1);
  opmux_kernel k = p.prepare(d.opd());
  float x = 1, y = 0;
  const opmux_bind binds[] = {bind(&x), bind(&y)};
  opmux_run r = run_of(k, binds);
  r.cancel = 17;
  EXPECT_EQ(p.queue.enqueue_many(p.line, &r, sizeof r, 1, err), OPMUX_OK);
  p.host.cancelled_token = 17;
  EXPECT_EQ(p.queue.enqueue_many(p.line, &r, sizeof r, 1, err), OPMUX_E_CANCELLED);
  p.op.release(k);
}

TEST_P(Device, ReplaysARecordingWithOtherBindsAndNoAllocation) {
  opmux_kernel a = p.prepare(attr_of(1, 1).opd()), b = p.prepare(attr_of(2, 2).opd());
  float x = 100, mid = 0, y = 0, x2 = 1000, y2 = 0;
  const opmux_bind first[] = {bind(&x), bind(&mid)}, second[] = {bind(&mid), bind(&y)};
  opmux_commands c = nullptr;
  {
    const opmux_run runs[] = {run_of(a, first), run_of(b, second)};
    ASSERT_EQ(p.queue.record(p.line, runs, sizeof runs[0], 2, &c, err), OPMUX_OK) << err.text();
  }
  const uint64_t before = p.host.allocations();
  ASSERT_EQ(p.queue.replay(p.line, c, nullptr, 0, err), OPMUX_OK);
  EXPECT_EQ(y, 100 + 11 + 22);
  const opmux_rebind other[] = {{0, 0, bind(&x2)}, {1, 1, bind(&y2)}};
  ASSERT_EQ(p.queue.replay(p.line, c, other, 2, err), OPMUX_OK);
  EXPECT_EQ(y2, 1000 + 11 + 22);
  y2 = 0;
  ASSERT_EQ(p.queue.replay(p.line, c, nullptr, 0, err), OPMUX_OK);
  EXPECT_EQ(y2, 1033) << "a rebind stays";
  EXPECT_EQ(p.host.allocations(), before);
  const opmux_rebind wrong[] = {{2, 0, bind(&x2)}};
  EXPECT_EQ(p.queue.replay(p.line, c, wrong, 1, err), OPMUX_E_INVALID);
  p.queue.release(c);
  p.op.release(a);
  p.op.release(b);
}
TEST_P(Device, RecordsTheValuesOfScalars) {
  auto d = fill_of({1});
  d.inputs()[0].flags = OPMUX_T_HOST_SCALAR;
  opmux_kernel k = p.prepare(d.opd());
  float y = 0, value = 6;
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  const opmux_bind binds[] = {bind(nullptr), bind(&y)};
  opmux_run r = run_of(k, binds);
  r.params = &bits;
  r.params_size = 8;
  opmux_commands c = nullptr;
  ASSERT_EQ(p.queue.record(p.line, &r, sizeof r, 1, &c, err), OPMUX_OK) << err.text();
  bits = 0;
  ASSERT_EQ(p.queue.replay(p.line, c, nullptr, 0, err), OPMUX_OK);
  EXPECT_EQ(y, 6);
  p.queue.release(c);
  p.op.release(k);
}
TEST_P(Device, RefusesToRecordABadRun) {
  opmux_kernel k = p.prepare(fill_of({1}).opd());
  const opmux_bind binds[] = {bind(nullptr), bind(nullptr)};
  const opmux_run r = run_of(k, binds);
  opmux_commands c = nullptr;
  const int64_t before = p.host.live_bytes();
  EXPECT_EQ(p.queue.record(p.line, &r, sizeof r, 1, &c, err), OPMUX_E_INVALID);
  EXPECT_EQ(c, nullptr);
  EXPECT_EQ(p.host.live_bytes(), before);
  p.op.release(k);
}

TEST_P(Device, PacksAConstantOperandAndStillTakesThePlainOne) {
  Desc<opmux_op_matmul> d(OPMUX_OP_MATMUL);
  d.in(tensor(OPMUX_F32, {1, 1})).in(tensor(OPMUX_F32, {1, 1})).out(tensor(OPMUX_F32, {1, 1}));
  uint32_t layout[2] = {5, 5};
  EXPECT_EQ(p.query(d.opd(), layout).verdict, OPMUX_YES);
  EXPECT_EQ(layout[1], 0u);
  d.inputs()[1].flags = OPMUX_T_CONST;
  const opmux_cap cap = p.query(d.opd(), layout);
  EXPECT_EQ(layout[0], 0u);
  ASSERT_EQ(layout[1], 9u);
  uint64_t size = 0, arg = 0;
  ASSERT_EQ(p.op.packed_size(&p.info, d.opd(), 1, 9, &size, &arg, err), OPMUX_OK);
  EXPECT_EQ(size, 4u);
  EXPECT_EQ(arg, 77u);
  EXPECT_EQ(p.op.packed_size(&p.info, d.opd(), 1, 8, &size, &arg, err), OPMUX_E_UNSUPPORTED);
  EXPECT_EQ(p.op.packed_size(&p.info, d.opd(), 2, 9, &size, &arg, err), OPMUX_E_INVALID);
  float a = 3, b = 5, packed = 0, y = 0;
  const opmux_bind src = bind(&b), dst = bind(&packed);
  ASSERT_EQ(p.op.pack(p.line, d.opd(), 1, 9, &src, &dst, err), OPMUX_OK);
  EXPECT_EQ(packed, 10);
  void* const plain[] = {&a, &b, &y};
  ASSERT_EQ(p.run(d.opd(), plain, err), OPMUX_OK);
  EXPECT_EQ(y, 15);
  d.inputs()[1].layout = 9;
  d.inputs()[1].layout_arg = arg;
  EXPECT_EQ(p.query(d.opd()).impl_key, cap.impl_key);
  void* const args[] = {&a, &packed, &y};
  y = 0;
  ASSERT_EQ(p.run(d.opd(), args, err), OPMUX_OK);
  EXPECT_EQ(y, 15);
}

TEST_P(Device, AllocatesAlignedMemoryWhoseHandleIsItsAddress) {
  for (uint64_t align : {0, 1, 64, 4096, 1 << 20}) {
    opmux_mem m = 0;
    ASSERT_EQ(p.mem.alloc(p.device, OPMUX_MEM_DEVICE, 100, align, &m, err), OPMUX_OK) << align;
    EXPECT_EQ(m % (align < 64 ? 64 : align), 0u);
    void* at = nullptr;
    ASSERT_EQ(p.mem.map(p.device, m, &at, err), OPMUX_OK);
    EXPECT_EQ(uint64_t(reinterpret_cast<uintptr_t>(at)), m);
    std::memset(at, 1, 100);
    p.mem.free_(p.device, m);
  }
  opmux_mem m = 0;
  EXPECT_EQ(p.mem.alloc(p.device, OPMUX_MEM_DEVICE, uint64_t(1) << 60, 64, &m, err), OPMUX_E_OUT_OF_MEMORY);
  EXPECT_EQ(p.mem.alloc(p.device, OPMUX_MEM_DEVICE, 8, 3, &m, err), OPMUX_E_INVALID);
  EXPECT_EQ(p.mem.alloc(p.device, 9, 8, 8, &m, err), OPMUX_E_INVALID);
}
TEST_P(Device, NeverFreesImportedMemory) {
  std::vector<char> mine(64, 'x');
  opmux_mem m = 0;
  ASSERT_EQ(p.mem.import_host(p.device, mine.data(), mine.size(), &m, err), OPMUX_OK);
  p.mem.free_(p.device, m);
  EXPECT_EQ(mine[63], 'x');
}
TEST_P(Device, KeepsABlockWhileItsImportLives) {
  opmux_mem own = 0, again = 0;
  ASSERT_EQ(p.mem.alloc(p.device, OPMUX_MEM_HOST, 8, 8, &own, err), OPMUX_OK);
  auto* at = reinterpret_cast<char*>(uintptr_t(own));
  ASSERT_EQ(p.mem.import_host(p.device, at, 8, &again, err), OPMUX_OK);
  p.mem.free_(p.device, own);
  at[7] = 'y';
  EXPECT_EQ(at[7], 'y');
  p.mem.free_(p.device, again);
}
TEST_P(Device, CopiesBetweenBlocksAndHostMemory) {
  std::array<char, 8> a{"abcdefg"}, b{};
  const opmux_mem block = bind(b.data()).mem;
  opmux_copy c[] = {copy_of({0, a.data(), 0}, {block, nullptr, 2}, 4),
                    copy_of({block, nullptr, 2}, {0, a.data(), 0}, 1)};
  ASSERT_EQ(p.queue.copy(p.line, c, 2, err), OPMUX_OK);
  EXPECT_EQ(std::string(b.data() + 2, 4), "abcd");
  c[0].src_host = nullptr;
  EXPECT_EQ(p.queue.copy(p.line, c, 1, err), OPMUX_E_INVALID);
  EXPECT_EQ(err.text(), "copy 0: no source");
}
TEST_P(Device, SurvivesEveryFailingAllocation) {
  auto d = fill_of({2, 2});
  const int64_t before = p.host.live_bytes();
  for (int64_t n = 0; n < 2; ++n) {
    p.host.fail_after = n;
    opmux_kernel k = nullptr;
    EXPECT_EQ(OPMUX_CODE(p.op.prepare(p.device, d.opd(), 0, &k, err)), OPMUX_E_OUT_OF_MEMORY) << n;
    EXPECT_EQ(k, nullptr);
    EXPECT_EQ(p.host.live_bytes(), before);
  }
  p.host.fail_after = -1;
}
TEST_P(Device, AnswersQueriesFromManyThreadsAlike) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      auto yes = fill_of({3}), no = fill_of({101, 1});
      for (int i = 0; i < 500; ++i)
        if (p.query(yes.opd()).impl_key != 1 || p.query(no.opd()).why_have != 101) ++wrong;
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(wrong, 0);
}
TEST_P(Device, FillsServicesThatAHostLacks) {
  opmux_plugin bare = nullptr;
  ASSERT_EQ(p.core.open(nullptr, &bare, err), OPMUX_OK);
  opmux_dev dev = nullptr;
  ASSERT_EQ(p.dev.open(bare, 0, &dev, err), OPMUX_OK);
  auto d = fill_of({2, 2});
  opmux_kernel k = nullptr;
  ASSERT_EQ(p.op.prepare(dev, d.opd(), 0, &k, err), OPMUX_OK);
  p.op.release(k);
  p.dev.close(dev);
  p.core.close(bare);
}

}  // namespace
