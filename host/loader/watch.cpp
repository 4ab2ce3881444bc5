// SPDX-License-Identifier: Apache-2.0
#include "host/loader/watch.hpp"

#include "host/platform/clock.hpp"

namespace opmux {

thread_local Watch::Mine Watch::mine_;

Route* Watch::oldest() const {
  Route* out = nullptr;
  uint64_t since = ~uint64_t{0};
  for (const Slot& s : slots_) {
    Route* const route = s.route.load(std::memory_order_acquire);
    const uint64_t began = s.since_ns.load(std::memory_order_relaxed);
    if (!route || began >= since) continue;
    out = route;
    since = began;
  }
  return out;
}

Watch* Watch::current() { return mine_.watch; }

Watch::Scope::Scope(Watch* watch) {
  if (!watch || mine_.watch) return;
  for (Slot& s : watch->slots_) {
    if (s.taken.exchange(true, std::memory_order_acquire)) continue;
    mine_ = {watch, &s};
    entered_ = true;
    return;
  }
}

Watch::Scope::~Scope() {
  if (!entered_) return;
  mine_.slot->taken.store(false, std::memory_order_release);
  mine_ = {};
}

Watch::Inside::Inside(Route& route) {
  Slot* const slot = mine_.slot;
  if (!slot) return;
  before_ = slot->route.load(std::memory_order_relaxed);
  before_since_ = slot->since_ns.load(std::memory_order_relaxed);
  slot->since_ns.store(now_ns(), std::memory_order_relaxed);
  slot->route.store(&route, std::memory_order_release);
}

Watch::Inside::~Inside() {
  Slot* const slot = mine_.slot;
  if (!slot) return;
  slot->since_ns.store(before_since_, std::memory_order_relaxed);
  slot->route.store(before_, std::memory_order_release);
}

}  // namespace opmux
