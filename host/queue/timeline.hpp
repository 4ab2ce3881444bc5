// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

#include "host/loader/route.hpp"

namespace opmux {

// A monotone counter that work is ordered by; a failure travels to every waiter as the error that it was. The
// plugin's own where it has timelines, else one of the host's. Thread-safe.
class Timeline {
 public:
  explicit Timeline(Route& route, uint64_t value = 0);
  ~Timeline();
  Timeline(const Timeline&) = delete;
  Timeline& operator=(const Timeline&) = delete;

  Route& route() const { return route_; }
  opmux_tl native() const { return handle_; }  // NULL: the host's own

  // Returns when the counter is at least value; throws the failure that it carries, or OPMUX_E_TIMEOUT.
  void wait(uint64_t value, uint64_t timeout_ns);
  // Values never go down: a lower one is an error.
  void signal(uint64_t value);
  // Every wait from now on throws this error; the host's own timelines only.
  void fail(const Error& error);

 private:
  Route& route_;
  opmux_tl handle_ = nullptr;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t value_;
  std::optional<Error> failure_;
};

}  // namespace opmux
