// SPDX-License-Identifier: Apache-2.0
#include "host/queue/timeline.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "host/queue/queue.hpp"
#include "tests/support/mocks.hpp"

namespace opmux {
namespace {

using test::only_mock;

// null brings timelines; missing_entries leaves them to the host.
class TimelineTest : public testing::TestWithParam<const char*> {
 protected:
  Registry registry_{only_mock(GetParam())};
  Route& route_ = *registry_.routes()[0];
};
INSTANTIATE_TEST_SUITE_P(Mocks, TimelineTest, testing::Values("null", "missing_entries"));

TEST_P(TimelineTest, WaitsForAValueFromAnotherThread) {
  Timeline timeline(route_, 5);
  timeline.wait(5, 0);
  std::thread other([&] { timeline.signal(7); });
  timeline.wait(6, Queue::kForever);
  other.join();
  timeline.wait(7, 0);
}

TEST_P(TimelineTest, TimesOutWithTheStatus) {
  Timeline timeline(route_);
  try {
    timeline.wait(1, 1'000'000);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), OPMUX_E_TIMEOUT);
  }
}

TEST_P(TimelineTest, NeverGoesDown) {
  Timeline timeline(route_, 9);
  EXPECT_THROW(timeline.signal(8), Error);
}

TEST_P(TimelineTest, IsSignalledByAQueueInOrder) {
  Timeline timeline(route_);
  Queue queue(route_);
  queue.signal(timeline, 1);
  queue.finish();
  timeline.wait(1, 1'000'000'000);
  queue.wait(timeline, 1);
}

TEST(HostTimeline, CarriesTheFailureAsItWas) {
  Registry registry(only_mock("missing_entries"));
  Timeline timeline(*registry.routes()[0]);
  timeline.fail(Error(OPMUX_E_DEVICE_LOST, "the device has left the bus", -4, OPMUX_NATIVE_CUDA));
  timeline.fail(Error(OPMUX_E_BUSY, "a later one does not count"));
  try {
    timeline.wait(1, Queue::kForever);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), OPMUX_E_DEVICE_LOST);
    EXPECT_EQ(e.native(), -4);
    EXPECT_EQ(e.text(), "the device has left the bus");
  }
}

}  // namespace
}  // namespace opmux
