// SPDX-License-Identifier: Apache-2.0
// The kernels that a device has made ready, and what the host's disk cache keeps of them.
#pragma once

#include <future>
#include <mutex>
#include <unordered_map>

#include "gpu/backend.hpp"
#include "kit/host_api.h"

namespace opmux::gpu {

class Programs {
 public:
  // Both outlive this.
  Programs(Device& device, const opmux_host_api& host);
  ~Programs();

  // [mt] Of equal texts the first is built, others wait for it. Throws DriverError; a text that failed is
  // tried again.
  const Program* get(const Source& source);

 private:
  using Made = std::shared_ptr<const Program>;
  Made make(const Source& source, const std::string& text);
  Bytes load(const std::string& key) const;
  bool wants_binaries() const;
  void save(const std::string& key, const Bytes& value) const;
  void log(const std::string& text) const;

  Device& device_;
  const opmux_host_api& host_;
  const std::string compiler_, driver_key_;
  const bool wanted_;   // are binaries kept?
  Bytes driver_cache_;  // as it was at the start
  std::mutex lock_;     // guards made_; neither the driver nor the host is called under it
  std::unordered_map<std::string, std::shared_future<Made>> made_;  // by text
};

}  // namespace opmux::gpu
