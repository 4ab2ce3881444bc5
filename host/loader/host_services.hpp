// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "host/loader/blob_cache.hpp"
#include "opmux/plugin.h"

namespace opmux {

// Values of host->config per "plugin.key"; OPMUX_<PLUGIN>_<KEY> is asked after it.
using Config = std::map<std::string, std::string>;

// The services that one plugin is given at core.open; every call is accounted to it. Stands still in memory:
// the plugin keeps pointers into it until core.close.
class HostServices {
 public:
  struct Stats {
    uint64_t bytes = 0;        // allocated now
    uint64_t allocations = 0;  // made so far
  };

  HostServices(std::string plugin, std::string build_id, const Config& config,
               std::shared_ptr<BlobCache> blobs);
  HostServices(const HostServices&) = delete;
  HostServices& operator=(const HostServices&) = delete;

  const opmux_host_api* api() const { return &api_; }
  Stats stats() const;

 private:
  static void* OPMUX_CALL alloc(opmux_host, uint64_t size_bytes, uint64_t align);
  static void OPMUX_CALL release(opmux_host, void* p, uint64_t size_bytes, uint64_t align);
  static void OPMUX_CALL log(opmux_host, uint32_t level, opmux_str where, opmux_str text);
  static opmux_status OPMUX_CALL config(opmux_host, opmux_str key, opmux_str* value);
  static opmux_status OPMUX_CALL parallel(opmux_host, uint64_t n, uint64_t grain, opmux_body body, void* ctx);
  static uint32_t OPMUX_CALL concurrency(opmux_host);
  static opmux_status OPMUX_CALL blob_get(opmux_host, opmux_span key, opmux_span* out);
  static opmux_status OPMUX_CALL blob_put(opmux_host, opmux_span key, opmux_span value);
  static void OPMUX_CALL trace(opmux_host, uint32_t phase, uint64_t id, opmux_str name, uint64_t time_ns);
  static uint32_t OPMUX_CALL cancelled(opmux_host, uint64_t token);

  const std::string* look_up(const std::string& key);

  opmux_host_api api_{};
  std::string plugin_, build_id_;
  std::shared_ptr<BlobCache> blobs_;
  std::atomic<uint64_t> bytes_{0}, allocations_{0};
  std::mutex mutex_;
  Config config_;  // under mutex_; values are never changed once handed out
};

}  // namespace opmux
