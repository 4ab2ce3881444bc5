// SPDX-License-Identifier: Apache-2.0
// All tests of a run, and what they share.
#pragma once

#include <functional>

#include "tests/conformance/bounds.hpp"
#include "tests/conformance/options.hpp"
#include "tests/conformance/report.hpp"
#include "tests/conformance/runner.hpp"

namespace opmux::cts {

class Suite {
 public:
  Suite(const Options& o, Report& r) : options(o), report(r) {}
  const Options& options;
  Report& report;

  // A test that needs no device of the suite's; these run first, one by one, before the plugin is opened.
  void add_alone(std::string name, std::function<void()> run);
  // A test on a lane; many run at a time.
  void add(std::string name, std::function<void(Lane&)> run);
  bool wanted(const std::string& name) const;
  void print_names() const;
  void run();
  const Oracle& oracle() const { return *oracle_; }
  uint64_t seed() const { return options.seed; }

 private:
  struct Test {
    std::string name;
    std::function<void(Lane*)> run;
  };
  void one(const Test& t, Lane* lane);
  bool stop() const { return options.fail_fast && report.failed(); }
  void run_on_lanes();
  std::vector<Test> alone_, tests_;
  std::unique_ptr<Oracle> oracle_;
};

// How a case is to be run.
struct Manner {
  Flavour flavour = Flavour::kOrdinary;
  uint32_t math = 0;
  bool extras = true;      // also with constants packed, and in place, where the plugin offers that
  bool count = true;       // in the table of support and the statistics of errors
  bool may_fault = false;  // a value out of range is right where the reference says so too
  // Instead of the schema's values, where set.
  void (*fill)(const opmux_opd& d, Image& image, Random& random) = nullptr;
};

// Query, prepare, run, compare. Throws Failure or Skip.
void check_case(Suite& suite, Lane& lane, Case c, const Manner& manner);

void add_loader_tests(Suite& suite);
void add_object_tests(Suite& suite);
void add_operator_tests(Suite& suite);
void add_accuracy_tests(Suite& suite);
void add_promise_tests(Suite& suite);
void add_fault_tests(Suite& suite);
void add_determinism_tests(Suite& suite);

}  // namespace opmux::cts
