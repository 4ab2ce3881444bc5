// SPDX-License-Identifier: Apache-2.0
#include "host/loader/route.hpp"

#include <utility>

#include "host/loader/watch.hpp"

namespace opmux {

namespace {

constexpr uint32_t kLossesAllowed = 1;

}  // namespace

void Route::open() {
  const opmux_plugin plugin = plugin_.handle();
  std::lock_guard lock(mutex_);
  if (opened_.load(std::memory_order_relaxed)) return;
  ErrRecord err;
  opmux_dev dev = nullptr;
  const Watch::Inside inside(*this);
  const opmux_status status = t().dev.open(plugin, info_.index, &dev, err.get());
  if (status != OPMUX_OK) raise(err, status, fmt::format("{}: cannot open the device", name()), epoch());
  dev_ = dev;
  opened_.store(true, std::memory_order_release);
}

void Route::raise(const ErrRecord& err, opmux_status status, std::string_view doing, uint32_t epoch) const {
  throw err.error(status, doing).from(this, epoch);
}

bool Route::lose(uint32_t epoch, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  if (epoch != epoch_.load(std::memory_order_relaxed)) return false;
  if (opened_.exchange(false)) lost_.push_back(std::exchange(dev_, nullptr));
  epoch_.store(epoch + 1, std::memory_order_release);
  if (epoch + 1 > kLossesAllowed) disable(fmt::format("lost {} times, the last time: {}", epoch + 1, reason));
  return true;
}

void Route::disable(const std::string& reason) {
  const std::lock_guard lock(reason_mutex_);
  if (disabled_.load(std::memory_order_relaxed)) return;
  reason_ = reason;
  disabled_.store(true, std::memory_order_release);
}

void Route::abandon(const std::string& reason) {
  plugin_.handle_made();  // of the call; it is never given back
  abandoned_.store(true, std::memory_order_release);
  disable(reason);
}

std::string Route::reason() const {
  const std::lock_guard lock(reason_mutex_);
  return reason_;
}

void Route::refuse() const {
  throw Error(OPMUX_E_DEVICE_LOST, fmt::format("{} is not used any more: {}", name(), reason()))
      .from(this, epoch());
}

void Route::close() {
  std::lock_guard lock(mutex_);
  for (opmux_dev dev : lost_) t().dev.close(dev);
  lost_.clear();
  if (!opened_.exchange(false)) return;
  t().dev.close(dev_);
  dev_ = nullptr;
}

}  // namespace opmux
