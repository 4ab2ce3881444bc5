// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>

namespace opmux {

// Counts the time that a child process could have used: not the time in which its threads stood in the queue
// of a busy CPU, nor that in which it waited for its pages from disk. A sleeping or spinning process is
// charged in full, so a hang is found in its limit, while a healthy process on a loaded machine gets the time
// it needs.
class ChildClock {
 public:
  explicit ChildClock(pid_t child);
  // Nanoseconds to charge since the last call (or construction).
  uint64_t charge();

 private:
  uint64_t queue_delay();
  bool waits_for_disk();

  pid_t child_;
  uint64_t last_ns_;
  uint64_t major_faults_ = 0;
  std::map<pid_t, uint64_t> delay_ns_;  // per thread, as last seen
};

}  // namespace opmux
