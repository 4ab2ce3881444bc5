// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "host/platform/deadline.hpp"
#include "host/platform/thread_pool.hpp"

namespace opmux {
namespace {

auto threads_of_process() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}

TEST(OneThread, MakesNoOther) {
  setenv("OPMUX_THREADS", "1", 1);
  ASSERT_EQ(threads::concurrency(), 1u);
  const auto before = threads_of_process();
  uint64_t sum = 0;
  threads::parallel(
      1000, 1, [](void* ctx, uint64_t b, uint64_t, uint32_t) { *static_cast<uint64_t*>(ctx) += b; }, &sum);
  EXPECT_EQ(sum, 499500u);
  EXPECT_EQ(threads_of_process(), before);
}

// There is nobody to watch the clock: the work is done whole, on the caller's thread.
TEST(OneThread, HasNoDeadlines) {
  setenv("OPMUX_THREADS", "1", 1);
  ASSERT_EQ(threads::concurrency(), 1u);
  std::thread::id where;
  EXPECT_TRUE(run_within(1, [&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    where = std::this_thread::get_id();
  }));
  EXPECT_EQ(where, std::this_thread::get_id());
}

}  // namespace
}  // namespace opmux
