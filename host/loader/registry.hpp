// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/loader/discovery.hpp"
#include "host/loader/hardware.hpp"
#include "host/loader/plugin.hpp"
#include "host/loader/probe.hpp"
#include "host/loader/route.hpp"

namespace opmux {

// All plugins, hardware and routes of this process's view. Made whole by the constructor, which throws only
// when the options make no sense: a plugin that cannot be used becomes a refusal.
class Registry {
 public:
  explicit Registry(const LoaderOptions& options = {});
  ~Registry();  // shutdown()
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // In order of the plugins (priority, then name) and their devices.
  std::span<const std::unique_ptr<Route>> routes() const { return routes_; }
  std::span<const PhysicalDevice> devices() const { return devices_; }
  std::span<const std::unique_ptr<Plugin>> plugins() const { return plugins_; }
  std::span<const Refusal> refusals() const { return refusals_; }
  // The disk cache of this process; null when nothing is cached.
  const std::shared_ptr<BlobCache>& blobs() const { return blobs_; }
  // By name ("cpu0/cpu"), alias ("cpu", "opencl:0"), or plugin name when that plugin has one route; NULL when
  // unknown.
  Route* find(std::string_view name_or_alias) const;

  // Closes devices and plugins. Kernels, blocks and queues must be gone; what is still in use keeps its
  // plugin open and mapped, with a log line. May be called again.
  void shutdown();

 private:
  void add_plugin(const LoaderOptions& options, const Candidate& candidate, const ProbeOutcome* probed);
  void add_routes(Plugin& plugin, std::span<const opmux_devinfo> infos);
  void refuse(const Plugin& plugin, std::string stage, std::string reason);

  std::string device_filter_;
  std::shared_ptr<BlobCache> blobs_;
  std::vector<PhysicalDevice> devices_;
  std::vector<std::unique_ptr<Plugin>> plugins_;
  std::vector<std::unique_ptr<Route>> routes_;
  std::vector<Refusal> refusals_;
};

}  // namespace opmux
