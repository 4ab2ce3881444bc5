// SPDX-License-Identifier: Apache-2.0
// What a run does when a device fails it: each kind of failure at a place that is known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "host/platform/clock.hpp"
#include "host/platform/error.hpp"
#include "host/platform/log.hpp"
#include "opmux/opmux.h"
#include "tests/fault/fault_models.hpp"
#include "tests/support/two_threads.hpp"

namespace opmux::test {
namespace {

using fault::Kind;
using testing::HasSubstr;

class Failover : public testing::Test {
 protected:
  void SetUp() override {
    log::set_sink([](log::Level, std::string_view, std::string_view) {});
    fault::disarm();
    runtime_ = faulty_machine();
    // Now, so that no fault strikes a measurement.
    for (const char* card : {"slow:0", "slow:1"}) runtime_->links.of(*runtime_->registry.find(card));
    const auto healthy = start("liar", OPMUX_FALLBACK_FORBID);
    want_ = run_once(*healthy, input_);
  }
  void TearDown() override {
    fault::release();
    fault::disarm();
    log::set_sink({});
  }

  std::unique_ptr<RunContext> start(const char* device, uint32_t fallback, uint64_t deadline_ns = 0) {
    const FaultyModel m = faulty_model(runtime_, 1);
    input_ = m.input;
    return std::make_unique<RunContext>(
        std::make_shared<Plan>(m.model, plan_options(device, fallback, deadline_ns)));
  }
  static nlohmann::json report(const RunContext& c) { return nlohmann::json::parse(c.report()); }
  Error failure(RunContext& c) {
    try {
      run_once(c, input_);
    } catch (const Error& e) {
      return e;
    }
    return {OPMUX_OK, "(none)"};
  }
  bool uses(const RunContext& c, const char* route) { return report(c)["routes"].contains(route); }

  std::shared_ptr<Runtime> runtime_;
  HostTensor input_;
  std::vector<float> want_;
};

TEST_F(Failover, ALostDeviceIsDoneWithoutThenOpenedAnewAndAfterTheSecondLossNotUsed) {
  const auto c = start("slow:0", OPMUX_FALLBACK_REPORT);
  EXPECT_EQ(run_once(*c, input_), want_);
  EXPECT_TRUE(uses(*c, "accel0/slow"));
  EXPECT_TRUE(report(*c)["recoveries"].empty());

  fault::arm({"slow", Kind::kLost, 2, 1});
  EXPECT_EQ(run_once(*c, input_), want_);
  EXPECT_FALSE(uses(*c, "accel0/slow"));
  const auto events = report(*c)["recoveries"];
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0]["route"], "accel0/slow");
  EXPECT_EQ(events[0]["status"], "device lost");
  EXPECT_THAT(events[0]["reason"].get<std::string>(), HasSubstr("the device has left the bus"));
  EXPECT_EQ(events[0]["action"], "run again on the other devices");

  EXPECT_EQ(run_once(*c, input_), want_);
  EXPECT_TRUE(uses(*c, "accel0/slow")) << "opened anew";
  EXPECT_TRUE(report(*c)["recoveries"].empty());

  fault::arm({"slow", Kind::kLost, 3, 1});
  EXPECT_EQ(run_once(*c, input_), want_);
  EXPECT_EQ(report(*c)["recoveries"][0]["action"], "the device is not used any more");
  fault::disarm();
  EXPECT_EQ(run_once(*c, input_), want_);
  EXPECT_FALSE(uses(*c, "accel0/slow"));
  try {
    start("slow:0", OPMUX_FALLBACK_REPORT);
    FAIL() << "a device that is not used any more was accepted";
  } catch (const Error& e) {
    EXPECT_THAT(e.text(),
                HasSubstr("device 'slow:0' cannot be used any more: lost 2 times, the last time: "));
  }
}

TEST_F(Failover, OtherContextsOfALostDeviceOpenItAnewToo) {
  const auto a = start("slow:0", OPMUX_FALLBACK_REPORT), b = start("slow:0", OPMUX_FALLBACK_REPORT);
  EXPECT_EQ(run_once(*a, input_), want_);
  EXPECT_EQ(run_once(*b, input_), want_);
  fault::arm({"slow", Kind::kLost, 1, 1});
  EXPECT_EQ(run_once(*a, input_), want_);
  EXPECT_EQ(run_once(*b, input_), want_);
  EXPECT_TRUE(uses(*b, "accel0/slow"));
  EXPECT_EQ(report(*b)["recoveries"][0]["action"], "another run had noticed; run again");
  EXPECT_FALSE(runtime_->registry.find("slow:0")->disabled()) << "it was lost once";
}

TEST_F(Failover, WithFallbackForbiddenALossIsAnErrorAndTheNextRunOpensTheDeviceAnew) {
  const auto c = start("slow:0", OPMUX_FALLBACK_FORBID);
  EXPECT_EQ(run_once(*c, input_), want_);
  fault::arm({"slow", Kind::kLost, 1, 1});
  const Error e = failure(*c);
  EXPECT_EQ(e.code(), OPMUX_E_DEVICE_LOST);
  EXPECT_THAT(e.text(), HasSubstr("accel0/slow: "));
  EXPECT_EQ(run_once(*c, input_), want_);
  EXPECT_TRUE(uses(*c, "accel0/slow"));
}

TEST_F(Failover, WantOfMemoryIsTriedAgainOnceThenElsewhere) {
  auto c = start("slow:0", OPMUX_FALLBACK_REPORT);
  fault::arm({"slow", Kind::kAlloc, 1, 2});  // the pool itself asks twice
  EXPECT_EQ(run_once(*c, input_), want_);
  EXPECT_TRUE(uses(*c, "accel0/slow"));
  ASSERT_EQ(report(*c)["recoveries"].size(), 1u);
  EXPECT_EQ(report(*c)["recoveries"][0]["action"], "unused memory given back, run again");

  c = start("slow:1", OPMUX_FALLBACK_REPORT);
  fault::arm({"slow", Kind::kAlloc, 1, 4});
  EXPECT_EQ(run_once(*c, input_), want_);
  EXPECT_FALSE(uses(*c, "accel1/slow"));
  ASSERT_EQ(report(*c)["recoveries"].size(), 2u);
  EXPECT_EQ(report(*c)["recoveries"][1]["action"], "run again on the other devices");
}

TEST_F(Failover, AFailedLaunchMovesTheRunElsewhere) {
  const auto c = start("slow:0", OPMUX_FALLBACK_REPORT);
  fault::arm({"slow", Kind::kLaunch, 1, 1});
  EXPECT_EQ(run_once(*c, input_), want_);
  EXPECT_FALSE(uses(*c, "accel0/slow"));
  EXPECT_THAT(report(*c)["recoveries"][0]["reason"].get<std::string>(), HasSubstr("the launch failed"));
}

TEST_F(Failover, ACorruptCopyIsNeverTaken) {
  const auto c = start("slow:0", OPMUX_FALLBACK_FORBID);
  EXPECT_EQ(run_once(*c, input_), want_);
  fault::disarm();
  run_once(*c, input_);
  const uint64_t copies = fault::calls("slow", Kind::kCorrupt);
  ASSERT_GE(copies, 2u) << "input in, output out";
  for (uint64_t nth = 1; nth <= copies; ++nth) {
    fault::arm({"slow", Kind::kCorrupt, nth, 1});
    EXPECT_EQ(run_once(*c, input_), want_) << nth;
    EXPECT_EQ(fault::struck(), 1u);
    EXPECT_EQ(report(*c)["recoveries"].size(), 1u);
  }
}

TEST_F(Failover, AHangCostsTheDeadlineAndTheDeviceAndItsMemoryIsQuarantined) {
  const auto c = start("slow:0", OPMUX_FALLBACK_REPORT, 1'000'000'000);
  EXPECT_EQ(run_once(*c, input_), want_);
  fault::arm({"slow", Kind::kHang, 2, 1});
  const uint64_t begin = now_ns();
  EXPECT_EQ(run_once(*c, input_), want_);
  EXPECT_GE(now_ns() - begin, 1'000'000'000u);
  EXPECT_EQ(fault::hanging(), 1u);
  const auto event = report(*c)["recoveries"][0];
  EXPECT_EQ(event["route"], "accel0/slow");
  EXPECT_EQ(event["status"], "timed out");
  EXPECT_GE(event["quarantined_bytes"].get<uint64_t>(), uint64_t{32} << 20) << "a raw block of its pool";
  EXPECT_TRUE(runtime_->registry.find("slow:0")->disabled());
  EXPECT_EQ(run_once(*c, input_), want_);
  EXPECT_TRUE(report(*c)["recoveries"].empty());
}

TEST_F(Failover, AHangWithFallbackForbiddenIsAnError) {
  const auto c = start("slow:0", OPMUX_FALLBACK_FORBID, 1'000'000'000);
  EXPECT_EQ(run_once(*c, input_), want_);
  fault::arm({"slow", Kind::kHang, 1, 1});
  const Error e = failure(*c);
  EXPECT_EQ(e.code(), OPMUX_E_TIMEOUT);
  EXPECT_THAT(e.text(), HasSubstr("accel0/slow: a call has not come back after 1000 ms"));
  const Error after = failure(*c);
  EXPECT_EQ(after.code(), OPMUX_E_DEVICE_LOST);
  EXPECT_THAT(after.text(),
              HasSubstr("device 'slow:0' cannot be used any more: accel0/slow: a call has not come"));
}

TEST_F(Failover, WhenAllDevicesFailTheErrorNamesTheFirst) {
  const auto c = start("slow:0", OPMUX_FALLBACK_REPORT);
  runtime_->registry.find("liar")->lose(0, "test");
  runtime_->registry.find("liar")->lose(1, "test");
  fault::arm({"slow", Kind::kLost, 1, 1000});
  const Error e = failure(*c);
  EXPECT_EQ(e.code(), OPMUX_E_DEVICE_LOST);
  EXPECT_THAT(e.text(), HasSubstr("accel0/slow: "));
}

TEST(FaultPoint, IsReadFromText) {
  const fault::Point p = fault::parse("slow:hang:17:3");
  EXPECT_EQ(p.plugin, "slow");
  EXPECT_EQ(p.kind, Kind::kHang);
  EXPECT_EQ(p.nth, 17u);
  EXPECT_EQ(p.times, 3u);
  EXPECT_EQ(fault::parse("cpu:alloc:1").times, 1u);
  for (const char* bad :
       {"", "slow", "slow:hang", "slow:nap:1", "slow:hang:0", "slow:hang:x", "a:lost:1:1:1"})
    EXPECT_THROW(fault::parse(bad), Error) << bad;
}

}  // namespace
}  // namespace opmux::test
