// SPDX-License-Identifier: Apache-2.0
// Results of tests, and the forms in which they leave the program.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tests/conformance/options.hpp"

namespace opmux::cts {

enum class Outcome { kPassed, kFailed, kSkipped, kExpected };

struct Result {
  std::string name;  // "operator/gather/0.f32.sliced"
  Outcome outcome = Outcome::kPassed;
  std::string text;  // why it failed or was skipped
  double seconds = 0;
};

// Errors of one operator and type, in units of the allowed error.
struct Errors {
  uint64_t count = 0;
  double most = 0;        // allowed: 1
  double bias = 0;        // mean of the signed errors
  uint64_t bin[64] = {};  // by power of two: bin 63 is (1/2, 1]
  void add(double signed_error);
  void add(const Errors& e);
  double quantile(double q) const;  // upper edge of the bin in which it lies
};

// How far an operator is there: "YES" or the sentence of the most frequent refusal.
struct Support {
  uint64_t yes = 0, no = 0, failed = 0;
  std::map<std::string, uint64_t> reasons;
};

class Report {
 public:
  explicit Report(const Options& options);
  void add(Result r);
  void add_errors(const std::string& op, const std::string& dtype, const Errors& e);
  void add_support(const std::string& op, const std::string& dtype, bool yes, const std::string& reason);
  void set_plugin(const std::string& text) { plugin_ = text; }
  // Prints what was asked for; the exit status: 0 or 1.
  int finish();
  bool failed() const { return failed_; }

 private:
  bool expected(const std::string& name, std::string& reason);
  void print_failure(const Result& r) const;
  std::string summary() const;
  std::string json() const;
  std::string junit() const;
  std::string markdown() const;
  const Options& options_;
  std::mutex lock_;
  std::atomic<bool> failed_{false};
  std::vector<Result> results_;
  std::map<std::pair<std::string, std::string>, Errors> errors_;
  std::map<std::pair<std::string, std::string>, Support> support_;
  struct Xfail {
    std::string glob, reason;
    bool used = false;
  };
  std::vector<Xfail> xfail_;
  std::string plugin_;
};

}  // namespace opmux::cts
