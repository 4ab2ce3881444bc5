// SPDX-License-Identifier: Apache-2.0
#include "host/trace/trace.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "host/platform/error.hpp"

namespace opmux {
namespace {

nlohmann::json events_named(const std::string& name) {
  nlohmann::json out = nlohmann::json::array();
  const auto all = nlohmann::json::parse(trace::to_json());
  for (const auto& e : all.at("traceEvents")) {
    if (e.at("name") == name) out.push_back(e);
  }
  return out;
}

TEST(Trace, IsEmptyWhileOff) {
  trace::start();
  trace::stop();
  {
    const trace::Span span("host", "unseen");
  }
  EXPECT_TRUE(events_named("unseen").empty());
}

TEST(Trace, WritesSpansWithTimeInMicroseconds) {
  trace::start();
  trace::complete("cpu0/cpu", "MATMUL", 7, 2'000'000, 2'500'500);
  trace::stop();
  const auto found = events_named("MATMUL");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]["ph"], "X");
  EXPECT_EQ(found[0]["cat"], "cpu0/cpu");
  EXPECT_DOUBLE_EQ(found[0]["ts"].get<double>(), 2000.0);
  EXPECT_DOUBLE_EQ(found[0]["dur"].get<double>(), 500.5);
  EXPECT_EQ(found[0]["args"]["id"], 7);
}

TEST(Trace, NamesEachTrackOnce) {
  trace::start();
  trace::complete("a", "x", 0, 1, 2);
  trace::complete("b", "x", 0, 1, 2);
  trace::complete("a", "x", 0, 3, 4);
  trace::stop();
  EXPECT_EQ(events_named("process_name").size(), 2u);
  EXPECT_EQ(events_named("x").size(), 3u);
}

TEST(Trace, TakesCountersAndRefusesUnknownPhases) {
  trace::start();
  trace::record(trace::Phase::kCounter, "host", "bytes", 1234, 5);
  trace::record(static_cast<trace::Phase>(99), "host", "nonsense", 0, 5);
  trace::stop();
  EXPECT_EQ(events_named("bytes")[0]["args"]["value"], 1234);
  EXPECT_TRUE(events_named("nonsense").empty());
}

TEST(Trace, CountsWhatDoesNotFit) {
  trace::start(2);
  for (int i = 0; i < 5; ++i) trace::complete("host", "y", 0, 1, 2);
  trace::stop();
  EXPECT_EQ(events_named("y").size(), 2u);
  EXPECT_EQ(nlohmann::json::parse(trace::to_json())["otherData"]["dropped_events"], 3);
}

TEST(Trace, SurvivesNamesThatAreNoText) {
  trace::start();
  trace::complete("host", "bad \xff\xfe name", 0, 1, 2);
  trace::stop();
  EXPECT_EQ(nlohmann::json::parse(trace::to_json())["traceEvents"].size(), 2u);
}

}  // namespace
}  // namespace opmux
