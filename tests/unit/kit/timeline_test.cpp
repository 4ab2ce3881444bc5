// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <thread>

#include "kit/desc.hpp"
#include "kit/raw_loader.hpp"
#include "tests/conformance/plugin_calls.hpp"

namespace {

using namespace opmux::kit;

class Timeline : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(p.queue.tl_create(p.device, 3, &tl, err), OPMUX_OK); }
  void TearDown() override { p.queue.tl_destroy(tl); }
  // A run whose operator succeeds (axis 1) or faults (axis 7).
  opmux_status run(uint32_t axis, const opmux_wait* wait, const opmux_wait* signal) {
    Desc<opmux_op_softmax> d(OPMUX_OP_SOFTMAX);
    d.in(tensor(OPMUX_F32, {1})).out(tensor(OPMUX_F32, {1}));
    d->axis = axis;
    opmux_kernel k = p.prepare(d.opd());
    opmux_bind binds[2] = {};
    binds[0].mem = opmux_mem(reinterpret_cast<uintptr_t>(&x));
    binds[1].mem = opmux_mem(reinterpret_cast<uintptr_t>(&y));
    opmux_run r = opmux::cts::run_of(k, binds);
    r.wait = wait;
    r.n_wait = wait ? 1 : 0;
    r.signal = signal;
    r.n_signal = signal ? 1 : 0;
    const opmux_status s = p.queue.enqueue_many(p.line, &r, sizeof r, 1, err);
    p.op.release(k);
    return s;
  }
  RawPlugin p{TOY_C};
  RawError err;
  opmux_tl tl = nullptr;
  float x = 1, y = 0;
};

TEST_F(Timeline, WaitsForAValueThatIsThere) { EXPECT_EQ(p.queue.tl_wait(tl, 3, 0, err), OPMUX_OK); }
TEST_F(Timeline, GivesUpAfterItsTimeWithBothValues) {
  EXPECT_EQ(p.queue.tl_wait(tl, 4, 1'000'000, err), OPMUX_E_TIMEOUT);
  EXPECT_EQ(err.text(), "timeline is at 3, waited for 4 during 1000000 ns");
}
TEST_F(Timeline, NeverGoesBack) {
  EXPECT_EQ(p.queue.tl_signal(tl, 3, err), OPMUX_E_INVALID);
  EXPECT_EQ(p.queue.tl_signal(tl, 9, err), OPMUX_OK);
  EXPECT_EQ(p.queue.tl_signal(tl, 8, err), OPMUX_E_INVALID);
}
TEST_F(Timeline, WakesAWaiterOnAnotherThread) {
  std::thread other([&] { EXPECT_EQ(p.queue.signal(p.line, tl, 5, nullptr), OPMUX_OK); });
  EXPECT_EQ(p.queue.wait(p.line, tl, 5, err), OPMUX_OK);
  other.join();
}
TEST_F(Timeline, IsSignalledByARunThatWaitedForIt) {
  const opmux_wait wait{tl, 3}, signal{tl, 4};
  EXPECT_EQ(run(1, &wait, &signal), OPMUX_OK) << err.text();
  EXPECT_EQ(p.queue.tl_wait(tl, 4, 0, err), OPMUX_OK);
}
TEST_F(Timeline, CarriesAFailureWithItsSentenceToEveryWaiter) {
  const opmux_wait signal{tl, 4};
  EXPECT_EQ(run(7, nullptr, &signal), OPMUX_E_FAULT);
  for (int i = 0; i < 2; ++i) {
    RawError e;
    EXPECT_EQ(p.queue.tl_wait(tl, 4, UINT64_MAX, e), OPMUX_E_FAULT);
    EXPECT_EQ(e.text(), "softmax: axis 7 is at fault");
  }
  EXPECT_EQ(run(1, &signal, nullptr), OPMUX_E_FAULT) << "a run that waits for a failed one fails too";
}

}  // namespace
