// SPDX-License-Identifier: Apache-2.0
#include "host/loader/registry.hpp"

#include <algorithm>
#include <mutex>

#include "host/platform/cache_dir.hpp"
#include "host/platform/environment.hpp"
#include "host/platform/log.hpp"

namespace opmux {
namespace {

constexpr uint64_t kQuiesceNs = 2'000'000'000;

// The private folder for the host's files, or nothing with a log line.
std::string usable_cache(const LoaderOptions& options) {
  if (!options.use_cache) return {};
  std::string why;
  const auto directory = cache_dir(options.cache_dir, why);
  if (directory) return *directory;
  log::warning("cache", "nothing is cached: {}", why);
  return {};
}

// Plugins that could not be closed, with their routes: alive until the process ends.
template <class T>
void abandon(std::unique_ptr<T> object) {
  static std::mutex mutex;
  static auto* abandoned = new std::vector<std::unique_ptr<T>>;
  std::lock_guard lock(mutex);
  abandoned->push_back(std::move(object));
}

std::shared_ptr<BlobCache> open_blobs(const std::string& cache, uint64_t limit_bytes) {
  std::string why;
  if (cache.empty()) return nullptr;
  if (make_private_dir(cache + "/blobs", why))
    return std::make_shared<BlobCache>(cache + "/blobs", limit_bytes);
  log::warning("cache", "{}", why);
  return nullptr;
}

}  // namespace

Registry::Registry(const LoaderOptions& options)
    : device_filter_(options.device_filter.empty() ? environment::get("OPMUX_DEVICES").value_or("")
                                                   : options.device_filter),
      devices_(find_hardware()) {
  const std::string cache = usable_cache(options);
  blobs_ = open_blobs(cache, options.blob_limit_bytes);
  const auto candidates = discover(options, refusals_);
  const auto outcomes = probe_all(options, cache, candidates);
  for (size_t i = 0; i < candidates.size(); ++i) {
    add_plugin(options, candidates[i], outcomes[i] ? &*outcomes[i] : nullptr);
  }
  for (auto& route : routes_) {
    auto device = std::ranges::find(devices_, route->device(), &PhysicalDevice::name);
    device->routes.push_back(route.get());
  }
  log::info("loader", "{} routes of {} plugins", routes_.size(), plugins_.size());
  for (const auto& refusal : refusals_) {
    log::debug("loader", "{} ({}) is not used: {}", refusal.plugin, refusal.path, refusal.reason);
  }
}

Registry::~Registry() { shutdown(); }

void Registry::refuse(const Plugin& plugin, std::string stage, std::string reason) {
  refusals_.push_back({plugin.name(), plugin.path(), std::move(stage), std::move(reason)});
}

void Registry::add_plugin(const LoaderOptions& options, const Candidate& candidate,
                          const ProbeOutcome* probed) {
  auto plugin = std::make_unique<Plugin>(
      Plugin::Origin{candidate.manifest, candidate.path, options.abi, options.config, blobs_});
  const char* stage = "load";
  try {
    if (probed != nullptr) {
      for (const auto& [device, reason] : probed->bad_devices) {
        refuse(*plugin, "device", fmt::format("device {}: {}", device, reason));
      }
      if (!probed->refusal.empty()) {
        refuse(*plugin, "probe", probed->refusal);
      } else if (!probed->infos.empty() || probed->bad_devices.empty()) {
        add_routes(*plugin, probed->infos);
        plugins_.push_back(std::move(plugin));
      }
      return;
    }
    plugin->tables();
    stage = "open";
    plugin->handle();
    stage = "enumerate";
    add_routes(*plugin, plugin->enumerate());
  } catch (const Error& e) {
    std::string left;
    refuse(*plugin, stage, e.text());
    if (!plugin->shutdown(kQuiesceNs, left)) log::warning("loader", "{}: {}", plugin->name(), left);
    return;
  }
  plugins_.push_back(std::move(plugin));
}

void Registry::add_routes(Plugin& plugin, std::span<const opmux_devinfo> infos) {
  if (infos.empty()) refuse(plugin, "enumerate", "it found no device");
  for (const auto& info : infos) {
    if (info.kind < OPMUX_DEV_CPU || info.kind > OPMUX_DEV_ACCEL) {
      refuse(plugin, "device", fmt::format("device {}: unknown kind {}", info.index, info.kind));
      continue;
    }
    const PhysicalDevice& device = devices_[place_device(devices_, plugin.name(), info)];
    const bool plain =
        infos.size() == 1 && info.kind == OPMUX_DEV_CPU && (plugin.flags() & OPMUX_PF_PROBE) == 0;
    Route::Names names{device.name + "/" + plugin.name(),
                       plain ? plugin.name() : fmt::format("{}:{}", plugin.name(), info.index), device.name};
    if (find(names.name) != nullptr) names.name += fmt::format(".{}", info.index);
    if (!matches_filter(device_filter_, {names.name, names.alias, device.name, device.id})) {
      refuse(plugin, "filter",
             fmt::format("device {}: {} is excluded by the filter '{}'", info.index, names.name,
                         device_filter_));
      continue;
    }
    const auto id = static_cast<uint32_t>(routes_.size());
    routes_.push_back(std::make_unique<Route>(id, std::move(names), info, plugin));
  }
}

Route* Registry::find(std::string_view wanted) const {
  for (const auto& route : routes_) {
    if (route->name() == wanted || route->alias() == wanted) return route.get();
  }
  Route* only = nullptr;
  for (const auto& route : routes_) {
    if (route->plugin().name() != wanted) continue;
    if (only != nullptr) return nullptr;
    only = route.get();
  }
  return only;
}

void Registry::shutdown() {
  for (auto& plugin : plugins_) {
    if (!plugin) continue;
    std::string left;
    if (plugin->handles() == 0) {
      for (auto& route : routes_) {
        if (&route->plugin() == plugin.get()) route->close();
      }
    }
    const bool closed = plugin->shutdown(kQuiesceNs, left);
    if (!left.empty()) {
      // Memory that stays mapped harms nobody; a plugin that stays open is worth a word.
      log::write(closed ? log::Level::kInfo : log::Level::kWarning, "loader",
                 fmt::format("{} at shutdown: {}", plugin->name(), left));
    }
    if (closed) continue;
    // Whatever still holds its handles must find the plugin and its routes when it lets go of them.
    for (auto& route : routes_) {
      if (&route->plugin() == plugin.get()) abandon(std::move(route));
    }
    std::erase_if(routes_, [](const auto& route) { return route == nullptr; });
    abandon(std::move(plugin));
  }
  std::erase_if(plugins_, [](const auto& plugin) { return plugin == nullptr; });
}

}  // namespace opmux
