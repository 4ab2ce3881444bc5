// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace opmux::cts {
namespace {

constexpr const char* kOutcome[] = {"passed", "failed", "skipped", "expected failure"};

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else
      out += static_cast<unsigned char>(c) < 32 ? ' ' : c;
  }
  return out;
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

std::string number(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", v);
  return text;
}

}  // namespace

bool matches(const std::string& glob, const std::string& name) {
  size_t g = 0, n = 0, star = std::string::npos, back = 0;
  while (n < name.size()) {
    if (g < glob.size() && (glob[g] == '?' || glob[g] == name[n])) {
      ++g;
      ++n;
    } else if (g < glob.size() && glob[g] == '*') {
      star = g++;
      back = n;
    } else if (star != std::string::npos) {
      g = star + 1;
      n = ++back;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

void Errors::add(double signed_error) {
  const double size = std::fabs(signed_error);
  ++count;
  bias += (signed_error - bias) / static_cast<double>(count);
  most = std::max(most, size);
  int e = -62;
  if (size > 0) std::frexp(size, &e);
  ++bin[std::clamp(e + 63, 0, 63)];
}

void Errors::add(const Errors& e) {
  if (e.count == 0) return;
  bias = (bias * static_cast<double>(count) + e.bias * static_cast<double>(e.count)) /
         static_cast<double>(count + e.count);
  count += e.count;
  most = std::max(most, e.most);
  for (int i = 0; i < 64; ++i) bin[i] += e.bin[i];
}

double Errors::quantile(double q) const {
  uint64_t seen = 0;
  for (int i = 0; i < 64; ++i) {
    seen += bin[i];
    if (static_cast<double>(seen) >= q * static_cast<double>(count))
      return std::min(most, std::ldexp(1.0, i - 63));
  }
  return most;
}

// Lines of an XFAIL file: a glob of test names, blanks, the reason; # begins a comment.
Report::Report(const Options& options) : options_(options) {
  if (options.xfail.empty()) return;
  std::ifstream in(options.xfail);
  if (!in) throw std::runtime_error("cannot read " + options.xfail);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    const size_t gap = line.find_first_of(" \t");
    const size_t text = gap == std::string::npos ? gap : line.find_first_not_of(" \t", gap);
    if (text == std::string::npos)
      throw std::runtime_error(options.xfail + ":" + std::to_string(number) + ": there is no reason");
    xfail_.push_back({line.substr(0, gap), line.substr(text)});
  }
}

bool Report::expected(const std::string& name, std::string& reason) {
  for (Xfail& x : xfail_) {
    if (!matches(x.glob, name)) continue;
    x.used = true;
    reason = x.reason;
    return true;
  }
  return false;
}

void Report::print_failure(const Result& r) const {
  std::cout << "FAILED " << r.name << "\n  " << r.text << "\n  again: opmux-cts " << options_.plugin
            << " --filter '" << r.name << "' --seed " << options_.seed;
  if (options_.device != 0) std::cout << " --device " << options_.device;
  if (options_.determinism) std::cout << " --determinism";
  std::cout << "\n" << std::flush;
}

void Report::add(Result r) {
  const std::lock_guard guard(lock_);
  std::string reason;
  if (r.outcome != Outcome::kSkipped && expected(r.name, reason)) {
    if (r.outcome == Outcome::kFailed) {
      r.outcome = Outcome::kExpected;
    } else {
      r.outcome = Outcome::kFailed;
      r.text = "passes, but stands in the list of expected failures: " + reason;
    }
  }
  if (r.outcome == Outcome::kFailed) failed_ = true;
  if (options_.tap) {
    const bool good = r.outcome != Outcome::kFailed;
    std::cout << (good ? "ok " : "not ok ") << results_.size() + 1 << " - " << r.name;
    if (r.outcome == Outcome::kSkipped) std::cout << " # SKIP " << r.text;
    std::cout << "\n";
    if (!good) std::cout << "# " << r.text << "\n";
  } else if (r.outcome == Outcome::kFailed && !options_.json) {
    print_failure(r);
  }
  results_.push_back(std::move(r));
}

void Report::add_errors(const std::string& op, const std::string& dtype, const Errors& e) {
  const std::lock_guard guard(lock_);
  errors_[{op, dtype}].add(e);
}

void Report::add_support(const std::string& op, const std::string& dtype, bool yes,
                         const std::string& reason) {
  const std::lock_guard guard(lock_);
  Support& s = support_[{op, dtype}];
  ++(yes ? s.yes : s.no);
  if (!yes) ++s.reasons[reason];
}

std::string Report::summary() const {
  uint64_t n[4] = {};
  for (const Result& r : results_) ++n[static_cast<int>(r.outcome)];
  std::string text = std::to_string(n[0]) + " passed, " + std::to_string(n[1]) + " failed, " +
                     std::to_string(n[2]) + " skipped";
  if (n[3] != 0) text += ", " + std::to_string(n[3]) + " expected failures";
  return text;
}

std::string Report::json() const {
  using Json = nlohmann::ordered_json;
  Json all = {{"plugin", plugin_}, {"seed", options_.seed}, {"summary", summary()}};
  Json tests = Json::array(), accuracy = Json::array(), support = Json::array();
  for (const Result& r : results_) {
    Json t = {{"name", r.name}, {"outcome", kOutcome[static_cast<int>(r.outcome)]}, {"seconds", r.seconds}};
    if (!r.text.empty()) t["text"] = r.text;
    tests.push_back(std::move(t));
  }
  for (const auto& [key, e] : errors_)
    accuracy.push_back({{"operator", key.first},
                        {"dtype", key.second},
                        {"elements", e.count},
                        {"max", e.most},
                        {"p999", e.quantile(0.999)},
                        {"bias", e.bias}});
  for (const auto& [key, s] : support_)
    support.push_back({{"operator", key.first},
                       {"dtype", key.second},
                       {"yes", s.yes},
                       {"no", s.no},
                       {"reasons", s.reasons}});
  all["tests"] = std::move(tests);
  all["accuracy"] = std::move(accuracy);
  all["support"] = std::move(support);
  return all.dump(1) + "\n";
}

std::string Report::junit() const {
  uint64_t failed = 0, skipped = 0;
  std::ostringstream body;
  for (const Result& r : results_) {
    const size_t slash = r.name.find('/');
    body << "  <testcase classname=\"" << escaped(r.name.substr(0, slash)) << "\" name=\"" << escaped(r.name)
         << "\" time=\"" << r.seconds << "\"";
    if (r.outcome == Outcome::kPassed) {
      body << "/>\n";
      continue;
    }
    failed += r.outcome == Outcome::kFailed;
    skipped += r.outcome != Outcome::kFailed;
    body << "><" << (r.outcome == Outcome::kFailed ? "failure" : "skipped") << " message=\""
         << escaped(r.text) << "\"/></testcase>\n";
  }
  std::ostringstream out;
  out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"opmux-cts\" tests=\""
      << results_.size() << "\" failures=\"" << failed << "\" skipped=\"" << skipped << "\">\n"
      << body.str() << "</testsuite>\n";
  return out.str();
}

// One row for each operator and type: does the plugin take it, and how accurate is it?
std::string Report::markdown() const {
  std::ostringstream out;
  out << "# " << plugin_ << "\n\n"
      << summary() << ". Errors are in units of the allowed error.\n\n"
      << "| operator | type | cases taken | max | p99.9 | bias | refused because |\n"
      << "| --- | --- | --- | --- | --- | --- | --- |\n";
  for (const auto& [key, s] : support_) {
    const auto e = errors_.find(key);
    std::string why;
    uint64_t most = 0;
    for (const auto& [reason, count] : s.reasons)
      if (count > most) most = count, why = reason;
    std::replace(why.begin(), why.end(), '|', '/');
    out << "| " << key.first << " | " << key.second << " | " << s.yes << " of " << s.yes + s.no << " | ";
    if (e == errors_.end())
      out << "exact | exact | | ";
    else
      out << number(e->second.most) << " | " << number(e->second.quantile(0.999)) << " | "
          << number(e->second.bias) << " | ";
    out << why << " |\n";
  }
  return out.str();
}

int Report::finish() {
  for (const Xfail& x : xfail_)
    if (!x.used && options_.filter == "*")
      add({"xfail/" + x.glob, Outcome::kFailed, "no test fits this line of the list of expected failures",
           0});
  if (!options_.junit.empty()) write_file(options_.junit, junit());
  if (!options_.markdown.empty()) write_file(options_.markdown, markdown());
  if (options_.json)
    std::cout << json();
  else if (options_.tap)
    std::cout << "1.." << results_.size() << "\n# " << summary() << "\n";
  else
    std::cout << summary() << "\n";
  return std::any_of(results_.begin(), results_.end(),
                     [](const Result& r) { return r.outcome == Outcome::kFailed; })
             ? 1
             : 0;
}

}  // namespace opmux::cts
