// SPDX-License-Identifier: Apache-2.0
// Faults at random points of models' runs: each run ends with the right bits or an error that says why.
// OPMUX_FAULT_POINTS says how many points (default 60).
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <thread>

#include "host/platform/clock.hpp"
#include "host/platform/error.hpp"
#include "host/platform/log.hpp"
#include "opmux/opmux.h"
#include "tests/fault/fault_models.hpp"
#include "tests/support/two_threads.hpp"

namespace opmux::test {
namespace {

using fault::Kind;

constexpr uint64_t kDeadlineNs = 500'000'000;
constexpr int kRuns = 3;  // the first compiles and records, the others replay

struct Row {
  int points = 0, struck = 0, right = 0, recovered = 0, errors = 0, wrong = 0;
};

struct Case {
  uint32_t model = 0;
  const char* device = "auto";
  uint32_t fallback = OPMUX_FALLBACK_REPORT;
  bool measured = true;  // links, before the fault is armed; else they can be struck too
  auto operator<=>(const Case&) const = default;
};

void measure_links_of(Runtime& runtime) {
  for (const char* card : {"slow:0", "slow:1"}) runtime.links.of(*runtime.registry.find(card));
}

// Threads of this process.
size_t thread_count() {
  const std::filesystem::directory_iterator all("/proc/self/task");
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

template <class F>
bool soon(F holds) {
  for (int k = 0; k < 1000 && !holds(); ++k) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return holds();
}

class Campaign : public testing::Test {
 protected:
  void SetUp() override {
    log::set_sink([](log::Level, std::string_view, std::string_view) {});
    for (uint32_t m = 0; m < kFaultyModels; ++m) {
      fault::disarm();
      const auto runtime = faulty_machine();
      const FaultyModel f = faulty_model(runtime, m);
      RunContext context(std::make_shared<Plan>(f.model, plan_options("liar", OPMUX_FALLBACK_FORBID, 0)));
      want_.push_back(run_once(context, f.input));
    }
  }
  void TearDown() override { log::set_sink({}); }

  // Calls that the kind can strike in a healthy run of the case.
  uint64_t calls(const Case& c, const char* plugin, Kind kind) {
    Case healthy = c;
    healthy.fallback = OPMUX_FALLBACK_REPORT;
    auto& known = calls_[{healthy, plugin}];
    if (known[0] == 0) {
      const auto runtime = faulty_machine();
      if (c.measured) measure_links_of(*runtime);
      fault::disarm();
      const FaultyModel f = faulty_model(runtime, c.model);
      RunContext context(std::make_shared<Plan>(f.model, plan_options(c.device, OPMUX_FALLBACK_REPORT, 0)));
      for (int k = 0; k < kRuns; ++k) run_once(context, f.input);
      for (uint32_t k = 0; k < fault::kKinds; ++k) known[k] = fault::calls(plugin, static_cast<Kind>(k)) + 1;
    }
    return known[static_cast<size_t>(kind)] - 1;
  }

  void point(const Case& c, const fault::Point& p, Row& row) {
    std::weak_ptr<Runtime> alive;
    {
      const auto runtime = faulty_machine();
      alive = runtime;
      fault::disarm();
      if (c.measured) measure_links_of(*runtime);
      fault::arm(p);
      const FaultyModel f = faulty_model(runtime, c.model);
      const uint64_t deadline = p.kind == Kind::kHang ? kDeadlineNs : 0;
      RunContext context(std::make_shared<Plan>(f.model, plan_options(c.device, c.fallback, deadline)));
      bool recovered = false, failed = false;
      for (int k = 0; k < kRuns; ++k) {
        try {
          const auto have = run_once(context, f.input);
          if (have != want_[c.model]) {
            ++row.wrong;
            ADD_FAILURE() << "wrong: model " << c.model << " on " << c.device << ", " << p.plugin << ":"
                          << fault::name(p.kind) << ":" << p.nth << ":" << p.times << ", run " << k;
          }
          recovered |= context.report().find("\"recoveries\":[]") == std::string::npos;
        } catch (const Error& e) {
          failed = true;
          EXPECT_GT(e.text().size(), 20u) << "a sentence";
          EXPECT_TRUE(c.fallback == OPMUX_FALLBACK_FORBID || p.plugin == "liar") << e.text();
        }
      }
      ++row.points;
      row.struck += fault::struck() != 0;
      (failed ? row.errors : recovered ? row.recovered : row.right) += 1;
      fault::disarm();  // what comes back shall not hang again
      fault::release();
    }
    EXPECT_TRUE(soon([&] { return alive.expired(); }))
        << "something keeps the runtime: " << fault::name(p.kind);
  }

  std::vector<std::vector<float>> want_;
  std::map<std::pair<Case, std::string>, std::array<uint64_t, fault::kKinds>> calls_;
};

TEST_F(Campaign, EveryRunEndsWithTheRightResultOrAnError) {
  const char* wanted = std::getenv("OPMUX_FAULT_POINTS");
  const int points = wanted ? std::atoi(wanted) : 60;
  std::mt19937 random(20261123);
  const auto upto = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  std::array<Row, fault::kKinds> rows;
  const uint64_t begin = now_ns();
  const size_t threads_before = thread_count();
  for (int k = 0; k < points;) {
    const char* const devices[] = {"auto", "slow:0", "slow:1"};
    Case c;
    c.model = upto(kFaultyModels);
    c.device = devices[upto(3)];
    c.fallback = upto(5) == 0 ? OPMUX_FALLBACK_FORBID : OPMUX_FALLBACK_REPORT;
    c.measured = upto(4) != 0;
    const auto kind = static_cast<Kind>(k % fault::kKinds);
    const char* plugin = upto(5) == 0 ? "liar" : "slow";
    const uint64_t most = calls(c, plugin, kind);
    if (most == 0) continue;  // the plugin has no part in it
    ++k;
    const uint64_t times[] = {1, 2, 1'000'000};
    point(c, {plugin, kind, 1 + random() % most, times[upto(3)]}, rows[static_cast<size_t>(kind)]);
  }
  fault::disarm();
  std::printf(
      "| fault | points | struck | no effect on the run | recovered | error | wrong "
      "|\n|---|---|---|---|---|---|---|\n");
  for (uint32_t k = 0; k < fault::kKinds; ++k) {
    const Row& r = rows[k];
    std::printf("| %s | %d | %d | %d | %d | %d | %d |\n", fault::name(static_cast<Kind>(k)), r.points,
                r.struck, r.right, r.recovered, r.errors, r.wrong);
    EXPECT_EQ(r.wrong, 0);
  }
  std::printf("%.0f s; %u calls hang\n", static_cast<double>(now_ns() - begin) / 1e9, fault::hanging());
  EXPECT_EQ(fault::hanging(), 0u);
  EXPECT_TRUE(soon([&] { return thread_count() <= threads_before + threads::concurrency(); }))
      << thread_count() << " threads, " << threads_before << " before";
}

}  // namespace
}  // namespace opmux::test
