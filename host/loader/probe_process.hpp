// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "host/loader/child_clock.hpp"
#include "host/loader/discovery.hpp"
#include "host/loader/probe.hpp"
#include "host/loader/probe_work.hpp"

namespace opmux {

// One run of the probe program for one plugin, watched by the caller's loop: start, then pump until finished.
class ProbeProcess {
 public:
  ProbeProcess(std::string program, std::vector<std::string> arguments, const ProbeLimits& limits);
  ~ProbeProcess();  // kills what still runs
  ProbeProcess(const ProbeProcess&) = delete;
  ProbeProcess& operator=(const ProbeProcess&) = delete;

  bool started() const { return pid_ > 0 || finished_; }
  // False until the program has said its first word; one that ends without a word could not run at all.
  bool spoke() const { return spoke_; }
  const std::string& start_failure() const { return start_failure_; }

  void add_to(std::vector<pollfd>& set) const;
  // Reads what came and watches the limit.
  void pump();
  bool finished() const { return finished_; }

  const ProbeOutcome& outcome() const { return outcome_; }
  // The device at which the program crashed or hung, when the plugin as such had opened.
  std::optional<uint32_t> fatal_device() const { return fatal_device_; }

 private:
  void read_pipe();
  void read_stderr();
  void take_line(std::string_view line);
  void take_stage(std::string_view rest);
  uint64_t limit_ns() const;
  void watch_limit();
  void on_end();
  void end_with(std::string what);
  bool reap(uint64_t patience_ns);
  void kill_group();

  ProbeLimits limits_;
  pid_t pid_ = -1;
  int pipe_ = -1, stderr_ = -1;
  std::string start_failure_, line_, last_words_;
  ProbeStage stage_ = ProbeStage::kLoad;
  uint32_t device_ = 0;
  uint64_t stage_begin_ns_ = 0, charged_ns_ = 0;
  std::optional<ChildClock> clock_;
  bool spoke_ = false, done_ = false, finished_ = false;
  std::optional<int> status_;
  int crash_signal_ = 0;
  std::string crash_library_;
  ProbeOutcome outcome_;
  std::optional<uint32_t> fatal_device_;
};

}  // namespace opmux
