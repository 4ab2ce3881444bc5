// SPDX-License-Identifier: Apache-2.0
#include "host/queue/timeline.hpp"

#include <algorithm>
#include <chrono>

#include "host/loader/quarantine.hpp"

namespace opmux {

Timeline::Timeline(Route& route, uint64_t value) : route_(route), value_(value) {
  if (!route.t().present.timelines) return;
  ErrRecord err;
  const opmux_dev dev = route.dev();
  err.check(route.t().queue.tl_create(dev, value, &handle_, err.get()),
            route.name() + ": cannot make a timeline");
  route.plugin().handle_made();
}

Timeline::~Timeline() {
  if (handle_ == nullptr) return;
  if (route_.abandoned()) {
    quarantine(handle_);
    return;
  }
  route_.t().queue.tl_destroy(handle_);
  route_.plugin().handle_gone();
}

void Timeline::wait(uint64_t value, uint64_t timeout_ns) {
  if (handle_ != nullptr) {
    ErrRecord err;
    err.check(route_.t().queue.tl_wait(handle_, value, timeout_ns, err.get()), route_.name() + ": timeline");
    return;
  }
  std::unique_lock lock(mutex_);
  const auto ready = [&] { return failure_ || value_ >= value; };
  constexpr uint64_t kLongestNs = uint64_t{365} * 24 * 3600 * 1'000'000'000;
  const auto patience = std::chrono::nanoseconds(std::min(timeout_ns, kLongestNs));
  if (!changed_.wait_for(lock, patience, ready)) {
    opmux::fail(OPMUX_E_TIMEOUT, "{}: timeline is at {} after {} ns, waited for {}", route_.name(), value_,
                timeout_ns, value);
  }
  if (failure_) throw *failure_;
}

void Timeline::signal(uint64_t value) {
  if (handle_ != nullptr) {
    ErrRecord err;
    err.check(route_.t().queue.tl_signal(handle_, value, err.get()), route_.name() + ": timeline");
    return;
  }
  std::lock_guard lock(mutex_);
  if (value < value_) {
    opmux::fail(OPMUX_E_INVALID, "{}: timeline cannot go from {} down to {}", route_.name(), value_, value);
  }
  value_ = value;
  changed_.notify_all();
}

void Timeline::fail(const Error& error) {
  std::lock_guard lock(mutex_);
  if (!failure_) failure_ = error;
  changed_.notify_all();
}

}  // namespace opmux
