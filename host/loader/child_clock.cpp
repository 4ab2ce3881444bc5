// SPDX-License-Identifier: Apache-2.0
#include "host/loader/child_clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "host/platform/clock.hpp"

namespace opmux {

ChildClock::ChildClock(pid_t child) : child_(child), last_ns_(now_ns()) {}

uint64_t ChildClock::charge() {
  const uint64_t now = now_ns(), passed = now - last_ns_;
  last_ns_ = now;
  const bool disk = waits_for_disk();
  const uint64_t queued = queue_delay();
  if (disk || queued >= passed) return 0;
  return passed - queued;
}

// schedstat: time on CPU, time runnable but waiting, slices (Documentation/scheduler/sched-stats of the
// kernel).
uint64_t ChildClock::queue_delay() {
  uint64_t grown = 0;
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", child_), error)) {
    uint64_t on_cpu = 0, waiting = 0;
    std::ifstream in(task.path() / "schedstat");
    if (!(in >> on_cpu >> waiting)) continue;
    const auto tid = static_cast<pid_t>(std::strtol(task.path().filename().c_str(), nullptr, 10));
    uint64_t& before = delay_ns_[tid];
    if (waiting > before) grown += waiting - before;
    before = waiting;
  }
  return grown;
}

// Field 3 of stat is the state (D: waiting for a device), field 12 the major faults. The name in field 2 may
// hold anything, so fields are counted from its closing bracket.
bool ChildClock::waits_for_disk() {
  std::ifstream in(fmt::format("/proc/{}/stat", child_));
  std::string text;
  std::getline(in, text);
  const size_t at = text.rfind(')');
  if (at == std::string::npos || at + 2 >= text.size()) return false;
  const bool blocked = text[at + 2] == 'D';
  size_t field = at + 2;
  for (int i = 3; i < 12 && field != std::string::npos; ++i) {
    field = text.find(' ', field);
    if (field != std::string::npos) ++field;
  }
  if (field == std::string::npos) return blocked;
  const uint64_t faults = std::strtoull(text.c_str() + field, nullptr, 10);
  const bool grew = faults > major_faults_;
  major_faults_ = std::max(major_faults_, faults);
  return blocked || grew;
}

}  // namespace opmux
