// SPDX-License-Identifier: Apache-2.0
// What a run context does when a device fails a run.
//   Out of memory, or an error that may pass (OPMUX_F_RETRYABLE): memory that nobody uses is given back and
//   the run is begun again, once per route and run.
//   The device is lost: the run is begun again on the others. The next run opens it anew; after the second
//   loss it is not used any more.
//   A call has not come back by the deadline: likewise, and the device is not used any more at once.
//   Any other failure of a plugin, and what fails again: likewise, and this context does without the route.
// With fallback forbidden, nothing is moved to others. Faults of the data are never tried again.
#pragma once

#include <string>
#include <vector>

#include "host/graph/plan.hpp"

namespace opmux {

class Recovery {
 public:
  struct Event {
    std::string route;
    opmux_status status = OPMUX_OK;
    std::string reason, action;
    uint64_t quarantined_bytes = 0;  // of a call that hangs
  };
  enum class Next : uint8_t { kGiveUp, kAgain, kElsewhere };

  // A run begins.
  void begin(const Registry& registry);
  // What failed, and whether to try again.
  Next decide(const Error& error, Plan& plan);
  // A call on the route (null: unknown) has not come back.
  Next decide_hang(Route* route, uint64_t deadline_ns, uint64_t quarantined_bytes, Plan& plan);

  // Routes that the next attempt does without, in order of their addresses.
  const Without& without() const { return without_; }
  const std::vector<Event>& events() const { return events_; }
  // The error of the whole run when attempts after the first failure ended with `last`.
  Error combined(const Error& last) const;

 private:
  Next elsewhere(Route& route, Plan& plan);
  void leave_out(const Route& route);
  void note(const Route* route, opmux_status status, std::string reason, std::string action, const Plan& plan,
            uint64_t quarantined_bytes = 0);

  Without failed_;   // by this context, in any run
  Without without_;  // now
  Without retried_;  // in this run
  std::vector<Event> events_;
};

// The route that the error came from, or null.
Route* route_of(const Error& error, const Registry& registry);

}  // namespace opmux
