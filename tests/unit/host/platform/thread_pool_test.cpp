// SPDX-License-Identifier: Apache-2.0
#include "host/platform/thread_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace opmux {
namespace {

struct Chunk {
  uint64_t begin, end;
  uint32_t worker;
  auto operator<=>(const Chunk&) const = default;
};

struct Record {
  std::mutex mutex;
  std::vector<Chunk> chunks;
};

void note(void* ctx, uint64_t begin, uint64_t end, uint32_t worker) {
  auto& record = *static_cast<Record*>(ctx);
  std::lock_guard lock(record.mutex);
  record.chunks.push_back({begin, end, worker});
}

// More threads than this machine may have, so that several take part everywhere.
class Parallel : public testing::Test {
 protected:
  void SetUp() override { threads::configure(4); }
};

TEST_F(Parallel, CoversTheRangeInChunksThatDependOnNAndGrainOnly) {
  for (const auto& [n, grain] :
       {std::pair<uint64_t, uint64_t>(1000, 7), {64, 64}, {65, 64}, {5, 100}, {1, 1}, {100, 1}}) {
    Record record;
    threads::parallel(n, grain, note, &record);
    std::ranges::sort(record.chunks);
    uint64_t at = 0;
    for (const Chunk& c : record.chunks) {
      EXPECT_EQ(c.begin, at);
      EXPECT_EQ(c.end, std::min(at + grain, n));
      EXPECT_LT(c.worker, threads::concurrency());
      at = c.end;
    }
    EXPECT_EQ(at, n);
  }
}

TEST_F(Parallel, DoesNothingForNothing) {
  Record record;
  threads::parallel(0, 8, note, &record);
  EXPECT_TRUE(record.chunks.empty());
}

TEST_F(Parallel, GrainZeroCountsAsOne) {
  Record record;
  threads::parallel(3, 0, note, &record);
  EXPECT_EQ(record.chunks.size(), 3u);
}

TEST_F(Parallel, NestedCallsRunOnTheThreadThatMakesThem) {
  struct Outer {
    std::atomic<uint64_t> inner{0}, elsewhere{0};
  } outer;
  const auto body = [](void* ctx, uint64_t begin, uint64_t end, uint32_t) {
    struct Inner {
      Outer* outer;
      std::thread::id self;
    } inner{static_cast<Outer*>(ctx), std::this_thread::get_id()};
    for (uint64_t i = begin; i < end; ++i) {
      threads::parallel(
          10, 1,
          [](void* p, uint64_t b, uint64_t e, uint32_t) {
            auto& in = *static_cast<Inner*>(p);
            in.outer->inner += e - b;
            if (std::this_thread::get_id() != in.self) ++in.outer->elsewhere;
          },
          &inner);
    }
  };
  threads::parallel(50, 1, body, &outer);
  EXPECT_EQ(outer.inner.load(), 500u);
  EXPECT_EQ(outer.elsewhere.load(), 0u);
}

// A worker's number names a slot of scratch memory, so no two threads may hold one at the same time.
TEST_F(Parallel, WorkersAreUniqueAtAnyTime) {
  struct Slots {
    std::atomic<int> busy[64] = {};
    std::atomic<int> clashes{0};
  } slots;
  const auto body = [](void* ctx, uint64_t, uint64_t, uint32_t worker) {
    auto& s = *static_cast<Slots*>(ctx);
    if (s.busy[worker].fetch_add(1) != 0) ++s.clashes;
    for (std::atomic<int> spin = 0; spin < 500; ++spin) {
    }
    s.busy[worker].fetch_sub(1);
  };
  for (int round = 0; round < 20; ++round) threads::parallel(200, 1, body, &slots);
  EXPECT_EQ(slots.clashes.load(), 0);
}

TEST_F(Parallel, ManyCallersAtOnceAllFinish) {
  std::vector<std::thread> callers;
  std::atomic<uint64_t> total{0};
  for (int i = 0; i < 6; ++i) {
    callers.emplace_back([&total] {
      for (int round = 0; round < 50; ++round) {
        threads::parallel(
            40, 3,
            [](void* ctx, uint64_t b, uint64_t e, uint32_t) {
              *static_cast<std::atomic<uint64_t>*>(ctx) += e - b;
            },
            &total);
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(total.load(), 6u * 50u * 40u);
}

TEST_F(Parallel, TheCountIsChosenOnce) {
  threads::concurrency();
  EXPECT_EQ(threads::configure(threads::concurrency()), true);
  EXPECT_EQ(threads::configure(threads::concurrency() + 1), false);
}

}  // namespace
}  // namespace opmux
