// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "host/memory/pool.hpp"
#include "host/platform/log.hpp"
#include "host/queue/queue.hpp"
#include "tests/support/mocks.hpp"

namespace opmux {
namespace {

using test::mock;
using test::only_mock;
using testing::HasSubstr;
using testing::SizeIs;

bool mapped(const std::string& name) {
  void* handle = dlopen(mock(name).c_str(), RTLD_NOW | RTLD_NOLOAD);
  if (handle != nullptr) dlclose(handle);
  return handle != nullptr;
}

// Runs f in a forked child and returns what it returned.
template <class F>
int in_child(F f) {
  const pid_t child = fork();
  if (child == 0) _exit(f());
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Names, OfAPluginWithOneCpuDevice) {
  const Registry registry(only_mock("null"));
  Route* route = registry.find("cpu0/null");
  ASSERT_NE(route, nullptr);
  EXPECT_EQ(route->alias(), "null");
  EXPECT_EQ(route->device(), "cpu0");
  EXPECT_EQ(registry.find("null"), route);
  EXPECT_EQ(registry.find("nul"), nullptr);
  EXPECT_TRUE(route->never_auto());
  EXPECT_TRUE(route->host_memory());
  EXPECT_TRUE(route->sync());
  EXPECT_EQ(registry.devices()[0].routes[0], route);
}

TEST(Names, OfAPluginWithTwoCards) {
  const Registry registry(only_mock("probed"));
  ASSERT_THAT(registry.routes(), SizeIs(2));
  EXPECT_EQ(registry.find("accel0/probed"), registry.find("probed:0"));
  EXPECT_EQ(registry.find("accel1/probed"), registry.find("probed:1"));
  EXPECT_EQ(registry.find("probed"), nullptr) << "two routes have that name";
}

TEST(Shutdown, UnmapsAPluginThatSaysItMayBe) {
  Registry registry(only_mock("null"));
  registry.find("null")->dev();
  EXPECT_TRUE(mapped("null"));
  registry.shutdown();
  EXPECT_FALSE(mapped("null"));
  registry.shutdown();
}

TEST(Shutdown, KeepsOneMappedThatDoesNotSaySo) {
  {
    const Registry registry(only_mock("missing_entries"));
  }
  EXPECT_TRUE(mapped("missing_entries"));
}

TEST(Shutdown, LeavesAPluginAloneWhoseMemoryIsInUse) {
  std::string said;
  log::set_sink([&](log::Level, std::string_view, std::string_view text) { said += text; });
  Block block;
  {
    Registry registry(only_mock("broken_promise"));
    block = Pool(*registry.find("broken_promise")).allocate(1000);
  }
  log::set_sink({});
  EXPECT_THAT(said, HasSubstr("broken_promise at shutdown: 1 handles are still in use"));
  block.host()[999] = std::byte{1};
  block.reset();
}

TEST(Shutdown, ARouteIsNotOpenedAgain) {
  Registry registry(only_mock("missing_entries"));
  Route& route = *registry.routes()[0];
  registry.shutdown();
  EXPECT_THROW(route.dev(), Error);
}

TEST(Shutdown, AHundredTimesOver) {
  for (int i = 0; i < 100; ++i) {
    Registry registry(only_mock("null"));
    const Queue queue(*registry.find("null"));
  }
  EXPECT_FALSE(mapped("null"));
}

TEST(Registry, TwoAtOnceAreIndependent) {
  Registry a(only_mock("null")), b(only_mock("null"));
  Queue queue(*b.find("null"));
  a.shutdown();
  EXPECT_NO_THROW(queue.finish());
}

TEST(Registry, DevicesAreOpenedByManyThreadsOnce) {
  Registry registry(only_mock("null"));
  Route& route = *registry.find("null");
  std::vector<std::thread> threads;
  std::atomic<opmux_dev> seen{nullptr};
  std::atomic<int> different{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      opmux_dev mine = route.dev(), expected = nullptr;
      if (!seen.compare_exchange_strong(expected, mine) && expected != mine) ++different;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(different.load(), 0);
}

TEST(Fork, TheChildSeesThatThePluginDidNotSurvive) {
  Registry registry(only_mock("null"));
  Route& route = *registry.find("null");
  Queue queue(route);
  const auto forked = [](auto f) {
    try {
      f();
      return false;
    } catch (const Error& e) {
      return e.code() == OPMUX_E_FORKED;
    }
  };
  const int right = in_child(
      [&] { return (forked([&] { queue.finish(); }) ? 1 : 0) | (forked([&] { route.dev(); }) ? 2 : 0); });
  EXPECT_EQ(right, 3);
  EXPECT_NO_THROW(queue.finish());
}

TEST(Fork, TheChildMayStartAnew) {
  Registry parent(only_mock("null"));
  parent.find("null")->dev();
  const int right = in_child([] {
    try {
      Registry own(only_mock("null"));
      return own.find("null")->dev() != nullptr ? 1 : 0;
    } catch (const std::exception&) {
      return 0;
    }
  });
  EXPECT_EQ(right, 1);
}

}  // namespace
}  // namespace opmux
