// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "host/loader/host_services.hpp"
#include "host/loader/library.hpp"
#include "host/loader/manifest.hpp"
#include "host/loader/negotiation.hpp"
#include "host/loader/tables.hpp"
#include "host/platform/error.hpp"

namespace opmux {

// One plugin library. Its file is mapped when its tables are first asked for, and opened (core.open, which
// may look for drivers) when its handle is; both throw Error, and a failure stays: a driver that failed once
// is not asked again. All functions may be called from any thread except shutdown.
class Plugin {
 public:
  struct Origin {
    Manifest manifest;
    std::string path;  // absolute
    AbiRange abi;
    Config config;
    std::shared_ptr<BlobCache> blobs;  // may be empty
  };

  explicit Plugin(Origin origin);
  ~Plugin();
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  const std::string& name() const { return origin_.manifest.name; }
  const std::string& version() const { return origin_.manifest.version; }
  const std::string& build_id() const { return origin_.manifest.build_id; }
  const std::string& path() const { return origin_.path; }
  uint32_t flags() const { return origin_.manifest.flags; }
  uint32_t opset() const { return origin_.manifest.opset; }

  const Tables& tables() const {
    if (!loaded_.load(std::memory_order_acquire)) load();
    return tables_;
  }
  opmux_plugin handle() const {
    if (!opened_.load(std::memory_order_acquire)) open();
    check_process();
    return handle_;
  }
  bool is_open() const { return opened_.load(std::memory_order_acquire); }

  // Throws OPMUX_E_FORKED when the plugin was opened before a fork that it does not survive.
  void check_process() const;

  // What the plugin finds now, with every field made sound (texts terminated, sizes within bounds).
  std::vector<opmux_devinfo> enumerate() const;

  // Handles of the plugin that the host holds: devices, memory, queues, kernels, recordings, timelines.
  void handle_made() const { handles_.fetch_add(1, std::memory_order_relaxed); }
  void handle_gone() const { handles_.fetch_sub(1, std::memory_order_relaxed); }
  int64_t handles() const { return handles_.load(std::memory_order_relaxed); }
  HostServices::Stats allocations() const { return services_->stats(); }

  // Quiesces and closes; unmaps when the plugin says that it may be. Returns false and says what is left when
  // handles are alive or the plugin does not come to rest: it then stays open and mapped.
  bool shutdown(uint64_t deadline_ns, std::string& left);

 private:
  void load() const;
  void open() const;
  void load_once() const;
  void unload(std::string& left);

  Origin origin_;
  std::unique_ptr<HostServices> services_;
  mutable std::mutex mutex_;
  mutable std::atomic<bool> loaded_{false}, opened_{false};
  mutable std::optional<Error> failure_;  // under mutex_
  mutable std::unique_ptr<Library> library_;
  mutable Tables tables_{};
  mutable opmux_plugin handle_ = nullptr;
  mutable uint32_t forks_ = 0;
  mutable std::atomic<int64_t> handles_{0};
};

}  // namespace opmux
