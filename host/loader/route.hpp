// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "host/loader/plugin.hpp"
#include "opmux/plugin.h"

namespace opmux {

// One way to a piece of hardware: a device of a plugin. Lives as long as its registry. All functions may be
// called from any thread.
class Route {
 public:
  struct Names {
    std::string name;    // "cpu0/cpu"
    std::string alias;   // "cpu", "opencl:0"
    std::string device;  // "cpu0"
  };

  Route(uint32_t id, Names names, const opmux_devinfo& info, Plugin& plugin)
      : id_(id), names_(std::move(names)), info_(info), plugin_(plugin) {}
  ~Route() = default;
  Route(const Route&) = delete;
  Route& operator=(const Route&) = delete;

  uint32_t id() const { return id_; }  // place in Registry::routes()
  const std::string& name() const { return names_.name; }
  const std::string& alias() const { return names_.alias; }
  const std::string& device() const { return names_.device; }
  const opmux_devinfo& info() const { return info_; }
  Plugin& plugin() const { return plugin_; }
  // Maps the plugin on first use; throws Error.
  const Tables& t() const { return plugin_.tables(); }
  // Opens the device on first use; throws Error, OPMUX_E_FORKED in a forked child, OPMUX_E_DEVICE_LOST once
  // disabled.
  opmux_dev dev() {
    if (disabled_.load(std::memory_order_acquire)) refuse();
    if (!opened_.load(std::memory_order_acquire)) open();
    plugin_.check_process();
    return dev_;
  }
  bool is_open() const { return opened_.load(std::memory_order_acquire); }

  bool host_memory() const { return (info_.flags & OPMUX_DF_HOST_MEMORY) != 0; }
  bool sync() const { return (info_.flags & OPMUX_DF_SYNC_QUEUE) != 0; }
  bool never_auto() const { return (plugin_.flags() & OPMUX_PF_NEVER_AUTO) != 0; }

  // How often its device has been lost. What was made of the device in an earlier epoch is of no use.
  uint32_t epoch() const { return epoch_.load(std::memory_order_acquire); }
  // The device is lost in this epoch: it will be opened anew, or after the second loss not again. False, and
  // nothing happens, when that is known already.
  bool lose(uint32_t epoch, const std::string& reason);
  // Not used any more: dev() throws.
  bool disabled() const { return disabled_.load(std::memory_order_acquire); }
  // For a call that has not come back: disables, and keeps the plugin open and mapped until the process ends.
  // What the host holds of the device is left alone from then on, since any call might hang too.
  void abandon(const std::string& reason);
  // Raw blocks of its memory that the host holds; once abandoned nothing of it is given back.
  uint64_t held_bytes() const { return held_bytes_.load(std::memory_order_relaxed); }
  void held(uint64_t added_bytes) { held_bytes_.fetch_add(added_bytes, std::memory_order_relaxed); }
  bool abandoned() const { return abandoned_.load(std::memory_order_acquire); }
  // Why it is disabled.
  std::string reason() const;
  // Throws what the record says of a call of this route, with the route as its origin.
  [[noreturn]] void raise(const ErrRecord& err, opmux_status status, std::string_view doing,
                          uint32_t epoch) const;

  // Closes the device when it is open; its blocks, queues and kernels must be gone.
  void close();

 private:
  void open();
  void disable(const std::string& reason);
  [[noreturn]] void refuse() const;

  uint32_t id_;
  Names names_;
  opmux_devinfo info_;
  Plugin& plugin_;
  std::mutex mutex_;
  std::vector<opmux_dev> lost_;  // devices of earlier epochs, under mutex_
  std::atomic<uint32_t> epoch_{0};
  std::atomic<uint64_t> held_bytes_{0};
  std::atomic<bool> opened_{false}, disabled_{false}, abandoned_{false};
  mutable std::mutex reason_mutex_;  // not mutex_, which a call that hangs may hold
  std::string reason_;               // of disabled_, under reason_mutex_
  opmux_dev dev_ = nullptr;
};

}  // namespace opmux
