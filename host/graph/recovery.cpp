// SPDX-License-Identifier: Apache-2.0
#include "host/graph/recovery.hpp"

#include <algorithm>

#include "host/platform/error.hpp"
#include "host/platform/log.hpp"
#include "opmux/opmux.h"

namespace opmux {
namespace {

// Beyond that, devices fail faster than they can be done without.
constexpr size_t kEvents = 16;

// Whose fault it is: of what the caller gave or asked for, wherever it runs.
bool of_the_caller(uint32_t code) {
  switch (code) {
    case OPMUX_E_INVALID:
    case OPMUX_E_CANCELLED:
    case OPMUX_E_FAULT:
    case OPMUX_E_FORKED:
      return true;
    default:
      return false;
  }
}

bool holds(const Without& list, const Route* r) {
  return std::find(list.begin(), list.end(), r) != list.end();
}

}  // namespace

Route* route_of(const Error& error, const Registry& registry) {
  for (const auto& r : registry.routes()) {
    if (r.get() == error.origin()) return r.get();
  }
  return nullptr;
}

void Recovery::begin(const Registry& registry) {
  events_.clear();
  retried_.clear();
  without_ = failed_;
  for (const auto& r : registry.routes()) {
    if (r->disabled()) leave_out(*r);
  }
}

void Recovery::leave_out(const Route& route) {
  if (holds(without_, &route)) return;
  without_.push_back(&route);
  std::sort(without_.begin(), without_.end(), std::less<>());
}

void Recovery::note(const Route* route, opmux_status status, std::string reason, std::string action,
                    const Plan& plan, uint64_t quarantined_bytes) {
  events_.push_back(
      {route ? route->name() : "", status, std::move(reason), std::move(action), quarantined_bytes});
  const Event& e = events_.back();
  if (plan.options().policy.fallback != OPMUX_FALLBACK_ALLOW)
    log::warning("run", "{}: {}", e.reason, e.action);
}

Recovery::Next Recovery::elsewhere(Route& route, Plan& plan) {
  if (plan.options().policy.fallback == OPMUX_FALLBACK_FORBID) return Next::kGiveUp;
  leave_out(route);
  return Next::kElsewhere;
}

Recovery::Next Recovery::decide(const Error& error, Plan& plan) {
  Runtime& rt = *plan.model().runtime();
  Route* const route = route_of(error, rt.registry);
  if (!route || of_the_caller(error.code()) || events_.size() >= kEvents) return Next::kGiveUp;
  if (error.code() == OPMUX_E_DEVICE_LOST) {
    const bool news = route->lose(error.epoch(), error.text());
    rt.kernels.forget(*route);
    rt.constants.forget(*route);
    plan.renew();
    if (!news && !route->disabled()) {
      note(route, error.status(), error.text(), "another run had noticed; run again", plan);
      return Next::kAgain;
    }
    note(route, error.status(), error.text(),
         route->disabled() ? "the device is not used any more" : "run again on the other devices", plan);
    return elsewhere(*route, plan);
  }
  const bool may_pass = (error.status() & OPMUX_F_RETRYABLE) != 0 || error.code() == OPMUX_E_OUT_OF_MEMORY;
  if (may_pass && !holds(retried_, route)) {
    retried_.push_back(route);
    note(route, error.status(), error.text(), "unused memory given back, run again", plan);
    return Next::kAgain;
  }
  note(route, error.status(), error.text(), "run again on the other devices", plan);
  if (!holds(failed_, route)) failed_.push_back(route);
  return elsewhere(*route, plan);
}

Recovery::Next Recovery::decide_hang(Route* route, uint64_t deadline_ns, uint64_t quarantined_bytes,
                                     Plan& plan) {
  plan.renew();  // a compilation may hold its mutex
  const std::string reason = fmt::format("{}: a call has not come back after {} ms",
                                         route ? route->name() : "the run", deadline_ns / 1'000'000);
  if (!route && events_.empty()) {  // it waited for one of another run that hangs
    note(route, OPMUX_E_TIMEOUT, reason, "run again", plan, quarantined_bytes);
    return Next::kAgain;
  }
  if (!route || events_.size() >= kEvents) {
    note(route, OPMUX_E_TIMEOUT, reason, "given up", plan, quarantined_bytes);
    return Next::kGiveUp;
  }
  route->abandon(reason);
  note(route, OPMUX_E_TIMEOUT, reason, "the device is not used any more", plan, quarantined_bytes);
  return elsewhere(*route, plan);
}

Error Recovery::combined(const Error& last) const {
  const Event& first = events_.front();
  return {first.status, fmt::format("{}; tried again: {}", first.reason, last.text())};
}

}  // namespace opmux
