// SPDX-License-Identifier: Apache-2.0
#include "host/memory/pool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

#include "tests/support/mocks.hpp"

namespace opmux {
namespace {

using test::only_mock;
using testing::HasSubstr;

class PoolTest : public testing::Test {
 protected:
  Registry registry_{only_mock("null")};
  Route& route_ = *registry_.find("null");
};

TEST_F(PoolTest, BlocksAreApartAlignedAndMapped) {
  Pool pool(route_);
  std::vector<Block> blocks;
  for (uint64_t size = 1; size < 100'000; size = size * 3 + 1) blocks.push_back(pool.allocate(size, 256));
  for (size_t i = 0; i < blocks.size(); ++i) {
    ASSERT_NE(blocks[i].host(), nullptr);
    EXPECT_EQ((blocks[i].mem() + blocks[i].offset()) % 256, 0u);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(blocks[i].host()) % 256, 0u);
    std::memset(blocks[i].host(), static_cast<int>(i), blocks[i].size());
  }
  for (size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_EQ(blocks[i].host()[0], std::byte(i));
    EXPECT_EQ(blocks[i].host()[blocks[i].size() - 1], std::byte(i));
  }
}

TEST_F(PoolTest, SecondRoundTakesNothingFromThePlugin) {
  Pool pool(route_);
  const auto round = [&] {
    std::vector<Block> blocks;
    for (int i = 1; i < 200; ++i) blocks.push_back(pool.allocate(static_cast<uint64_t>(i) * 1000));
  };
  round();
  const PoolStats first = pool.stats();
  round();
  const PoolStats second = pool.stats();
  EXPECT_EQ(second.raw_allocations, first.raw_allocations);
  EXPECT_EQ(second.allocations, 2 * first.allocations);
  EXPECT_EQ(second.in_use_bytes, 0u);
  EXPECT_EQ(second.peak_bytes, first.peak_bytes);
}

TEST_F(PoolTest, TrimGivesEverythingBack) {
  Pool pool(route_);
  {
    const Block block = pool.allocate(10 << 20);
  }
  EXPECT_GT(pool.stats().reserved_bytes, 0u);
  pool.trim();
  EXPECT_EQ(pool.stats().reserved_bytes, 0u);
  EXPECT_EQ(pool.stats().raw_blocks, 0u);
  EXPECT_EQ(route_.plugin().handles(), 0);
}

TEST_F(PoolTest, ABlockOutlivesItsPool) {
  Block block;
  {
    Pool pool(route_);
    block = pool.allocate(1000);
  }
  std::memset(block.host(), 1, block.size());
  block.reset();
  EXPECT_EQ(route_.plugin().handles(), 0);
}

TEST_F(PoolTest, MovedBlocksAreReturnedOnce) {
  Pool pool(route_);
  Block a = pool.allocate(100);
  Block b = std::move(a);
  EXPECT_FALSE(a);  // NOLINT: that is what is tested
  EXPECT_TRUE(b);
  a = std::move(b);
  EXPECT_EQ(pool.stats().blocks, 1u);
  a = pool.allocate(200);
  EXPECT_EQ(pool.stats().blocks, 1u);
}

TEST_F(PoolTest, BudgetIsKeptAndNamed) {
  PoolOptions options;
  options.budget_bytes = 1 << 20;
  options.raw_block_bytes = 1 << 16;
  Pool pool(route_, options);
  const Block most = pool.allocate(900 << 10);
  try {
    pool.allocate(200 << 10);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), OPMUX_E_OUT_OF_MEMORY);
    EXPECT_NE(e.status() & OPMUX_F_RETRYABLE, 0u);
    EXPECT_THAT(e.text(),
                HasSubstr("cpu0/null: out of memory: 204800 bytes asked, 921600 in use, 921600 reserved, "
                          "limit 1048576"));
  }
  EXPECT_NO_THROW(pool.allocate(100 << 10));
}

TEST_F(PoolTest, AbsurdRequestsAreErrors) {
  Pool pool(route_);
  EXPECT_THROW(pool.allocate(uint64_t{1} << 60), Error);
  EXPECT_THROW(pool.allocate(~uint64_t{0}), Error);
  EXPECT_THROW(pool.allocate(8, 3), Error);
  EXPECT_THROW(pool.allocate(8, 0), Error);
  EXPECT_THROW(pool.allocate(8, 8192), Error);
  EXPECT_FALSE(pool.allocate(0));
}

TEST_F(PoolTest, ThreadsShareIt) {
  Pool pool(route_);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&pool, t] {
      std::vector<Block> blocks;
      for (int i = 0; i < 500; ++i) {
        blocks.push_back(pool.allocate(static_cast<uint64_t>(1 + (i * 37 + t) % 5000)));
        std::memset(blocks.back().host(), t, blocks.back().size());
        if (i % 3 == 0) blocks.erase(blocks.begin());
      }
      for (const Block& block : blocks) EXPECT_EQ(block.host()[0], std::byte(t));
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(pool.stats().blocks, 0u);
}

#ifdef HAVE_PROXIES
TEST(PoolOnAFullCard, TrimsAsksAgainAndThenSaysSo) {
  Registry registry(only_mock("oom"));
  Route* route = registry.find("oom");
  ASSERT_NE(route, nullptr);
  Pool pool(*route);
  // 1 MiB in all: the large default block is refused, and the request itself is served.
  Block a = pool.allocate(600 << 10);
  EXPECT_EQ(a.host(), nullptr);
  EXPECT_EQ(pool.stats().reserved_bytes, 600u << 10);
  try {
    pool.allocate(500 << 10);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), OPMUX_E_OUT_OF_MEMORY);
    EXPECT_THAT(e.text(), HasSubstr("the device has no more"));
  }
  a.reset();
  // The free 600 KiB go back to the card when 1000 KiB are asked.
  EXPECT_NO_THROW(pool.allocate(1000 << 10));
}
#endif

}  // namespace
}  // namespace opmux
