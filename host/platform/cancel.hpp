// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

namespace opmux {

// Source of a cancel token, the `cancel` of opmux_run; must outlive the runs that carry its token. Token 0 is
// never cancelled.
class CancelSource {
 public:
  uint64_t token() const { return static_cast<uint64_t>(reinterpret_cast<uintptr_t>(&flag_)); }
  void cancel() { flag_.store(1, std::memory_order_relaxed); }
  void reset() { flag_.store(0, std::memory_order_relaxed); }

 private:
  std::atomic<uint32_t> flag_{0};
};

inline bool is_cancelled(uint64_t token) {
  if (token == 0) return false;
  const auto* flag = reinterpret_cast<const std::atomic<uint32_t>*>(static_cast<uintptr_t>(token));
  return flag->load(std::memory_order_relaxed) != 0;
}

}  // namespace opmux
