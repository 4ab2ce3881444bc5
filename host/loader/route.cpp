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

void Route::close() {
  std::lock_guard lock(mutex_);
  if (!opened_.exchange(false)) return;
  t().dev.close(dev_);
  dev_ = nullptr;
}

}  // namespace opmux
