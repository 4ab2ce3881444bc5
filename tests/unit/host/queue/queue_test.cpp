// SPDX-License-Identifier: Apache-2.0
#include "host/queue/queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdlib>

#include "host/kernel/kernel_cache.hpp"
#include "kit/desc.hpp"
#include "tests/conformance/plugin_calls.hpp"
#include "tests/support/allocation_count.hpp"
#include "tests/support/mocks.hpp"

namespace opmux {
namespace {

using test::only;
using test::only_mock;
using testing::HasSubstr;

// c[2,2] = a[2,3] b[3,2] on a route, with its memory.
struct Product {
  explicit Product(Route& r) : route(r), pool(r), queue(r) {
    d.in(kit::tensor(OPMUX_F32, {2, 3}))
        .in(kit::tensor(OPMUX_F32, {3, 2}))
        .out(kit::tensor(OPMUX_F32, {2, 2}));
    d->acc_dtype = OPMUX_F32;
    kernel = kernels.prepare(route, *d.opd(), kernels.query(route, *d.opd()));
    a = pool.allocate(24);
    b = pool.allocate(24);
    c = pool.allocate(16);
    ws = pool.allocate(kernel->capability().cap.ws_min);
    const std::array<float, 6> one_to_six = {1, 2, 3, 4, 5, 6}, ones = {1, 1, 1, 1, 1, 1};
    queue.upload(a, 0, one_to_six.data(), 24);
    queue.upload(b, 0, ones.data(), 24);
    args = {a.bind(), b.bind(), c.bind()};
  }

  opmux_run run() {
    opmux_run r = cts::run_of(kernel->get(), args);
    if (ws) r.ws = ws.bind();
    return r;
  }
  std::array<float, 4> result() {
    std::array<float, 4> out{};
    queue.download(c, 0, out.data(), 16);
    queue.finish();
    return out;
  }
  void clear() {
    const std::array<float, 4> zeros{};
    queue.upload(c, 0, zeros.data(), 16);
  }

  Route& route;
  Pool pool;
  Queue queue;
  KernelCache kernels;
  kit::Desc<opmux_op_matmul> d{OPMUX_OP_MATMUL};
  std::shared_ptr<Kernel> kernel;
  Block a, b, c, ws;
  std::array<opmux_bind, 3> args{};
};

constexpr std::array<float, 4> kSums = {6, 6, 15, 15};

// native: records by itself; missing_entries: the host's default does it.
class RecordReplay : public testing::TestWithParam<const char*> {
 protected:
  Registry registry_{only_mock(GetParam())};
  Route& route_ = *registry_.routes()[0];
};
INSTANTIATE_TEST_SUITE_P(Mocks, RecordReplay, testing::Values("null", "missing_entries", "slow"));

TEST_P(RecordReplay, ComputesLikeEnqueue) {
  Product p(route_);
  const opmux_run run = p.run();
  p.queue.enqueue({&run, 1});
  EXPECT_EQ(p.result(), kSums);
  p.clear();
  Commands commands = p.queue.record({&run, 1});
  EXPECT_EQ(commands.native(), std::string(GetParam()) != "missing_entries");
  EXPECT_EQ(commands.size(), 1u);
  p.queue.replay(commands);
  EXPECT_EQ(p.result(), kSums);
}

TEST_P(RecordReplay, KeepsItsOwnCopyOfBinds) {
  Product p(route_);
  const opmux_run run = p.run();
  Commands commands = p.queue.record({&run, 1});
  p.args = {};
  p.queue.replay(commands);
  EXPECT_EQ(p.result(), kSums);
}

TEST_P(RecordReplay, ReplacesBindsForThisAndLaterReplays) {
  Product p(route_);
  const opmux_run run = p.run();
  Commands commands = p.queue.record({&run, 1});
  const opmux_rebind rebind = {0, 1, p.a.bind()};  // [1 2; 3 4; 5 6] for b
  p.queue.replay(commands, {&rebind, 1});
  EXPECT_EQ(p.result(), (std::array<float, 4>{22, 28, 49, 64}));
  p.clear();
  p.queue.replay(commands);
  EXPECT_EQ(p.result(), (std::array<float, 4>{22, 28, 49, 64}));
}

TEST_P(RecordReplay, RefusesARebindThatIsNotThere) {
  Product p(route_);
  const opmux_run run = p.run();
  Commands commands = p.queue.record({&run, 1});
  for (const opmux_rebind bad : {opmux_rebind{1, 0, p.a.bind()}, opmux_rebind{0, 3, p.a.bind()}}) {
    EXPECT_THROW(p.queue.replay(commands, {&bad, 1}), Error);
  }
}

// Of kernels that allocate nothing themselves; slow stands on the reference, whose kernels do.
class Quiet : public RecordReplay {};
INSTANTIATE_TEST_SUITE_P(Mocks, Quiet, testing::Values("null", "missing_entries"));

TEST_P(Quiet, AllocatesNothingPerReplay) {
  Product p(route_);
  const opmux_run run = p.run();
  Commands commands = p.queue.record({&run, 1});
  const opmux_rebind rebind = {0, 0, p.a.bind()};
  p.queue.replay(commands, {&rebind, 1});
  p.queue.finish();
  if (!test::counting()) return;  // the sanitizer's allocator cannot be counted
  const uint64_t before = test::allocations(), served = route_.plugin().allocations().allocations;
  for (int i = 0; i < 100; ++i) {
    p.queue.replay(commands);
    p.queue.replay(commands, {&rebind, 1});
    p.queue.enqueue({&run, 1});
  }
  p.queue.finish();
  EXPECT_EQ(test::allocations() - before, 0u);
  EXPECT_EQ(route_.plugin().allocations().allocations, served);
}

TEST(Queue, CountsTheAllocationsOfThisProgram) {
  if (!test::counting()) return;
  const uint64_t before = test::allocations();
  void* (*volatile take)(size_t) = std::malloc;  // a compiler may leave out a pair that it sees
  std::free(take(1));
  EXPECT_EQ(test::allocations() - before, 1u) << "else the test above proves nothing";
}

TEST(Queue, CopiesBeyondABlockAreErrors) {
  Registry registry(only_mock("null"));
  Product p(*registry.find("null"));
  char bytes[32] = {};
  EXPECT_THROW(p.queue.upload(p.a, 0, bytes, 25), Error);
  EXPECT_THROW(p.queue.upload(p.a, 25, bytes, 0), Error);
  EXPECT_THROW(p.queue.download(p.a, 20, bytes, 8), Error);
  EXPECT_NO_THROW(p.queue.download(p.a, 20, bytes, 4));
}

TEST(Queue, ErrorsNameTheRouteAndKeepThePluginsWords) {
  Registry registry(only_mock("null"));
  Product p(*registry.find("null"));
  opmux_run run = p.run();
  run.n_arg = 2;
  try {
    p.queue.enqueue({&run, 1});
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.text(), testing::StartsWith("cpu0/null: enqueue: "));
    EXPECT_THAT(e.text(), HasSubstr("2 operands bound, it has 3"));
  }
}

TEST(LostDevice, IsLostFromThenOn) {
  Registry registry(only_mock("lost"));
  Product p(*registry.find("lost"));
  const opmux_run run = p.run();
  for (int i = 0; i < 3; ++i) EXPECT_NO_THROW(p.queue.enqueue({&run, 1}));
  for (int i = 0; i < 2; ++i) {
    try {
      p.queue.enqueue({&run, 1});
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), OPMUX_E_DEVICE_LOST);
      EXPECT_NE(e.status() & OPMUX_F_STICKY, 0u);
      EXPECT_EQ(e.text(), "cpu0/lost: enqueue: the device has left the bus");
    }
  }
  EXPECT_THROW(p.queue.finish(), Error);
}

// Two cards with clocks of their own: ten launches of 20 ms on each take 200 ms together when they overlap.
TEST(TwoClocks, RunBesideEachOther) {
  LoaderOptions options = only_mock("slow");
  options.config["slow.launch_ns"] = "20000000";
  Registry registry(options);
  ASSERT_EQ(registry.routes().size(), 2u);
  Product first(*registry.routes()[0]), second(*registry.routes()[1]);
  const opmux_run a = first.run(), b = second.run();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 10; ++i) {
    first.queue.enqueue({&a, 1});
    second.queue.enqueue({&b, 1});
  }
  first.queue.finish();
  second.queue.finish();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(took.count(), 0.195);
  EXPECT_LT(took.count(), 0.39);
  EXPECT_EQ(first.result(), kSums);
  EXPECT_EQ(second.result(), kSums);
}

}  // namespace
}  // namespace opmux
