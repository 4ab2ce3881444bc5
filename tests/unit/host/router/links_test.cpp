// SPDX-License-Identifier: Apache-2.0
#include "host/router/links.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "host/platform/clock.hpp"
#include "host/platform/error.hpp"
#include "host/platform/log.hpp"
#include "tests/support/mocks.hpp"

namespace opmux {
namespace {

namespace fs = std::filesystem;
using test::TempDir;

// A card whose copies take 300 us and 2 us a KiB: half a byte a nanosecond, 8.5 ms for 4 MiB.
LoaderOptions slow_card(const std::string& cache = "", const char* latency_ns = "300000") {
  LoaderOptions options = test::only_mock("slow");
  options.config = {{"slow.copy_latency_ns", latency_ns}, {"slow.copy_ns_per_kib", "2000"}};
  options.use_cache = !cache.empty();
  options.cache_dir = cache;
  return options;
}

class LinksTest : public testing::Test {
 protected:
  void SetUp() override {
    log::set_sink(
        [this](log::Level, std::string_view, std::string_view text) { said_ += std::string(text) + "\n"; });
  }
  void TearDown() override { log::set_sink({}); }

  std::string said_;
};

TEST_F(LinksTest, ACardOfKnownSpeedIsMeasured) {
  Registry registry(slow_card());
  const LinkTimes t = measure_links(*registry.find("slow:0"));
  ASSERT_EQ(t.samples.size(), 3u);
  // The card's clock is exact, so nothing is faster; a busy machine wakes up late, by far less than a copy.
  for (const LinkSample& s : t.samples) {
    const double true_ns = 300e3 + static_cast<double>(s.size_bytes) / 1024 * 2000;
    for (uint64_t ns : {s.up_ns, s.down_ns}) {
      EXPECT_GE(static_cast<double>(ns), true_ns) << s.size_bytes;
      EXPECT_LE(static_cast<double>(ns), true_ns * 1.5 + 2e6) << s.size_bytes;
    }
  }
  // Beside its clock the mock copies the bytes in earnest, which takes most where memory is watched.
  for (double ns : {t.up.ns_per_byte, t.down.ns_per_byte}) {
    EXPECT_GE(ns, 2000. / 1024 - 0.5);
    EXPECT_LE(ns, 2 * 2000. / 1024);
  }
}

TEST_F(LinksTest, ACardTooSmallForTheLongestCopyIsMeasuredWithTheOthers) {
  Registry registry(test::only_mock("oom"));  // it has 1 MiB
  const LinkTimes t = measure_links(*registry.find("oom"));
  ASSERT_EQ(t.samples.size(), 2u);
  EXPECT_EQ(t.samples[1].size_bytes, 256u << 10);
  EXPECT_GE(t.up.ns_per_byte, 0);
}

TEST_F(LinksTest, LatencyAndBandwidthAreTheLineThroughTheSamples) {
  const std::vector<LinkSample> samples = {{1000, 1500, 900}, {3000, 9999, 800}, {11000, 6500, 700}};
  const auto up = fit_link(samples, &LinkSample::up_ns);
  EXPECT_TRUE(up.there);
  EXPECT_DOUBLE_EQ(up.ns_per_byte, 0.5);
  EXPECT_DOUBLE_EQ(up.latency_ns, 1000);
  const auto down = fit_link(samples, &LinkSample::down_ns);  // noise: larger and yet faster
  EXPECT_DOUBLE_EQ(down.ns_per_byte, 0);
  EXPECT_DOUBLE_EQ(down.latency_ns, 900);
  const auto one = fit_link({{1000, 1500, 900}}, &LinkSample::up_ns);
  EXPECT_DOUBLE_EQ(one.time_ns(2000), 3000);
}

TEST_F(LinksTest, WhatTheDiskKnowsIsNotMeasuredAgain) {
  const TempDir cache;
  {
    Registry registry(slow_card(cache.path()));
    Links links(registry.blobs());
    const LinkTimes t = links.of(*registry.find("slow:0"));
    EXPECT_EQ(t.date.size(), 20u) << t.date;
    EXPECT_EQ(t.driver, registry.find("slow:0")->info().driver);
  }
  // Now the card is a hundred times slower; the measurement of before is what is told.
  Registry registry(slow_card(cache.path(), "30000000"));
  Links links(registry.blobs());
  EXPECT_LT(links.of(*registry.find("slow:0")).samples[0].up_ns, 30'000'000u);
  EXPECT_GE(links.of(*registry.find("slow:1")).samples[0].up_ns, 30'000'000u) << "another card";
}

TEST_F(LinksTest, ACopyThatNeverComesBackCostsTheDeadlineOnceAndTheRoute) {
  LoaderOptions options = slow_card("", "1000");
  options.config["slow.copies"] = "20";  // in the midst of the second size
  Registry registry(options);
  Route& route = *registry.find("slow:0");
  Links links(nullptr, 300'000'000);
  const auto failure = [&]() -> Error {
    try {
      links.of(route);
    } catch (const Error& e) {
      return e;
    }
    return {OPMUX_OK, "(none)"};
  };
  const Error first = failure();
  EXPECT_EQ(first.code(), OPMUX_E_TIMEOUT);
  EXPECT_EQ(first.text(), "accel0/slow: a copy has not come back after 300 ms");
  EXPECT_TRUE(route.disabled());
  const uint64_t begin = now_ns();
  const Error second = failure();
  EXPECT_LT(now_ns() - begin, 300'000'000u);
  EXPECT_EQ(second.code(), OPMUX_E_DEVICE_LOST);
  EXPECT_EQ(second.text(), "accel0/slow is not used any more: a copy has not come back after 300 ms");
  registry.shutdown();
  EXPECT_NE(said_.find("slow at shutdown: "), std::string::npos) << said_;
  EXPECT_NE(said_.find("handles are still in use"), std::string::npos) << said_;
}

TEST_F(LinksTest, ADamagedEntryIsMeasuredAnew) {
  const TempDir cache;
  {
    Registry registry(slow_card(cache.path()));
    Links(registry.blobs()).of(*registry.find("slow:0"));
  }
  for (const auto& file : fs::directory_iterator(cache.path() + "/blobs")) {
    std::fstream f(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    f.seekp(-3, std::ios::end);
    f.put('\x7f');
  }
  Registry registry(slow_card(cache.path(), "30000000"));
  Links links(registry.blobs());
  EXPECT_GE(links.of(*registry.find("slow:0")).samples[0].up_ns, 30'000'000u);
  EXPECT_NE(said_.find("its checksum is wrong"), std::string::npos) << said_;
}

TEST_F(LinksTest, AnEntryThatMakesNoSenseIsRefusedWithTheReason) {
  const auto reason = [](const char* text) -> std::string {
    try {
      LinkTimes::from_json(text);
    } catch (const Error& e) {
      return e.text();
    }
    return "(none)";
  };
  EXPECT_EQ(reason(R"({"date": "d", "driver": "r", "samples": [[4096, 10, 12], [8192, 20, 22]]})"), "(none)");
  EXPECT_EQ(reason("not JSON"), "it has no date, driver or samples");
  EXPECT_EQ(reason(R"({"date": 3, "driver": "r", "samples": []})"),
            "its date, driver or samples are of another type");
  EXPECT_EQ(reason(R"({"date": "d", "driver": "r", "samples": []})"), "it has no samples");
  EXPECT_EQ(reason(R"({"date": "d", "driver": "r", "samples": [[4096, 0, 12]]})"),
            "sample 0 is not three positive numbers");
  EXPECT_EQ(reason(R"({"date": "d", "driver": "r", "samples": [[4096, -1, 12]]})"),
            "sample 0 is not three positive numbers");
  EXPECT_EQ(reason(R"({"date": "d", "driver": "r", "samples": [[4096, 1, 1], [4096, 1, 1]]})"),
            "sample 1 has 4096 bytes, no more than the one before");
}

TEST_F(LinksTest, TimesSurviveTheWayOverText) {
  const LinkTimes t{"2026-11-23T01:02:03Z", "1.0", {{4096, 10, 12}, {8192, 20, 22}}, {}, {}};
  const LinkTimes back = LinkTimes::from_json(t.json());
  EXPECT_EQ(back.date, t.date);
  EXPECT_EQ(back.driver, t.driver);
  ASSERT_EQ(back.samples.size(), 2u);
  EXPECT_EQ(back.samples[1].down_ns, 22u);
  EXPECT_GT(back.up.ns_per_byte, 0);
}

}  // namespace
}  // namespace opmux
