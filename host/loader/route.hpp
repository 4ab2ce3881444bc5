// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <mutex>
#include <string>

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

  // From now on dev() throws with this reason: the device is lost for good, or a call has not come back.
  void disable(const std::string& reason);
  bool disabled() const { return disabled_.load(std::memory_order_acquire); }
  // For a call that has not come back: disables, and keeps the plugin open and mapped until the process ends.
  void abandon(const std::string& reason);

  // Closes the device when it is open; its blocks, queues and kernels must be gone.
  void close();

 private:
  void open();
  [[noreturn]] void refuse();

  uint32_t id_;
  Names names_;
  opmux_devinfo info_;
  Plugin& plugin_;
  std::mutex mutex_;
  std::atomic<bool> opened_{false}, disabled_{false};
  std::mutex reason_mutex_;  // not mutex_, which a call that hangs may hold
  std::string reason_;       // of disabled_, under reason_mutex_
  opmux_dev dev_ = nullptr;
};

}  // namespace opmux
