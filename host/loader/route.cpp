// SPDX-License-Identifier: Apache-2.0
#include "host/loader/route.hpp"

namespace opmux {

void Route::open() {
  const opmux_plugin plugin = plugin_.handle();
  std::lock_guard lock(mutex_);
  if (opened_.load(std::memory_order_relaxed)) return;
  ErrRecord err;
  opmux_dev dev = nullptr;
  err.check(t().dev.open(plugin, info_.index, &dev, err.get()),
            fmt::format("{}: cannot open the device", name()));
  dev_ = dev;
  opened_.store(true, std::memory_order_release);
}

void Route::disable(const std::string& reason) {
  const std::lock_guard lock(reason_mutex_);
  if (disabled_.load(std::memory_order_relaxed)) return;
  reason_ = reason;
  disabled_.store(true, std::memory_order_release);
}

void Route::abandon(const std::string& reason) {
  plugin_.handle_made();  // of the call; it is never given back
  disable(reason);
}

void Route::refuse() {
  const std::lock_guard lock(reason_mutex_);
  fail(OPMUX_E_DEVICE_LOST, "{} is not used any more: {}", name(), reason_);
}

void Route::close() {
  std::lock_guard lock(mutex_);
  if (!opened_.exchange(false)) return;
  t().dev.close(dev_);
  dev_ = nullptr;
}

}  // namespace opmux
