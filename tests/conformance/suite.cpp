// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/suite.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <thread>

#include <unistd.h>

namespace opmux::cts {
namespace {

thread_local char current[256];

// A plugin that crashes takes the suite with it; say at least in which test.
void crashed(int number) {
  char text[512];
  const int n =
      std::snprintf(text, sizeof text, "\nFAILED %s\n  the plugin crashed with signal %d\n", current, number);
  if (n > 0 && write(2, text, static_cast<size_t>(n)) < 0) _exit(3);
  _exit(1);
}

void watch_for_crashes() {
  for (const int s : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) std::signal(s, crashed);
}

}  // namespace

// --every takes by the name (FNV-1a), so that new tests leave the choice among the others as it was.
bool Suite::wanted(const std::string& name) const {
  uint32_t hash = 2166136261u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return matches(options.filter, name) && hash % options.every == 0;
}

void Suite::add_alone(std::string name, std::function<void()> run) {
  if (wanted(name)) alone_.push_back({std::move(name), [run = std::move(run)](Lane*) { run(); }});
}

void Suite::add(std::string name, std::function<void(Lane&)> run) {
  if (wanted(name)) tests_.push_back({std::move(name), [run = std::move(run)](Lane* lane) { run(*lane); }});
}

void Suite::print_names() const {
  for (const auto* list : {&alone_, &tests_})
    for (const Test& t : *list) std::cout << t.name << "\n";
}

void Suite::one(const Test& t, Lane* lane) {
  std::snprintf(current, sizeof current, "%s", t.name.c_str());
  Result r{t.name, Outcome::kPassed, "", 0};
  const auto start = std::chrono::steady_clock::now();
  try {
    t.run(lane);
  } catch (const Skip& s) {
    r.outcome = Outcome::kSkipped;
    r.text = s.why;
  } catch (const Failure& f) {
    r.outcome = Outcome::kFailed;
    r.text = f.what;
  } catch (const std::exception& e) {
    r.outcome = Outcome::kFailed;
    r.text = e.what();
  }
  r.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  report.add(std::move(r));
}

void Suite::run_on_lanes() {
  Host host(options.threads);
  const kit::RawPlugin plugin(options.plugin, host.api(), options.device);
  if (!options.reference.empty()) oracle_ = std::make_unique<Oracle>(options.reference);
  report.set_plugin(std::string(plugin.answer.name.data, plugin.answer.name.size) + " " +
                    std::string(plugin.answer.version.data, plugin.answer.version.size) + " on " +
                    plugin.info.name + ", " + plugin.info.driver);
  std::atomic<size_t> next{0};
  auto work = [&] {
    Lane lane(plugin, host);
    for (size_t i; (i = next++) < tests_.size() && !stop();) one(tests_[i], &lane);
  };
  std::vector<std::thread> others;
  for (uint32_t i = 1; i < options.jobs; ++i) others.emplace_back(work);
  work();
  for (std::thread& t : others) t.join();
  one({"object/memory/host allocations are freed as they were made",
       [&](Lane*) {
         if (host.misuse() != 0)
           fail_test("%llu frees named another size", static_cast<unsigned long long>(host.misuse()));
       }},
      nullptr);
}

void Suite::run() {
  watch_for_crashes();
  for (const Test& t : alone_)
    if (!stop()) one(t, nullptr);
  if (tests_.empty() || stop()) return;
  try {
    run_on_lanes();
  } catch (const std::exception& e) {
    report.add({"loader/open", Outcome::kFailed, e.what(), 0});
  } catch (const Failure& f) {
    report.add({"loader/open", Outcome::kFailed, f.what, 0});
  }
}

}  // namespace opmux::cts
