// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/loader/host_services.hpp"
#include "host/loader/manifest.hpp"
#include "host/loader/negotiation.hpp"

namespace opmux {

// Limits of one stage of a probe, in time that the child could use: waiting for a busy machine's CPU or disk
// is not counted.
struct ProbeLimits {
  uint64_t load_ns = 3'000'000'000;      // mapping, opening the plugin, enumerating: together
  uint64_t device_ns = 10'000'000'000;   // opening a device, a copy
  uint64_t compile_ns = 30'000'000'000;  // preparing and running the first kernel
};

struct LoaderOptions {
  std::vector<std::string> plugins;  // absolute files or directories, searched first
  bool search = true;                // false: nothing but `plugins`
  std::string plugin_filter;         // globs as in OPMUX_PLUGINS, which it replaces
  std::string device_filter;         // as OPMUX_DEVICES, which it replaces
  Config config;                     // "plugin.key" -> value
  AbiRange abi;
  std::string cache_dir;  // replaces OPMUX_CACHE_DIR
  bool use_cache = true;  // false: no inventory, no blobs on disk
  uint64_t blob_limit_bytes = uint64_t{256} << 20;
  bool probe = true;          // false: no child process, every plugin is opened in this one
  std::string probe_program;  // absolute; empty: opmux-probe in libexec relative to libopmux
  ProbeLimits limits;
};

// A plugin that is not used, and why.
struct Refusal {
  std::string plugin;  // its name; the file's name when the manifest could not be read
  std::string path;
  std::string
      stage;  // file, manifest, version, sanitizer, filter, duplicate, load, open, probe, enumerate, device
  std::string reason;
};

struct Candidate {
  std::string path;
  Manifest manifest;
  int64_t priority = 0;  // of the side file; the higher comes first
};

// Reads the manifests of all plugin files in the documented order (options, OPMUX_PLUGIN_PATH,
// $XDG_DATA_HOME/opmux/plugins/abiN, /etc/opmux/plugins.d, /usr/local/lib and /usr/lib/<triplet> opmux/abiN,
// the folder `opmux` beside libopmux); runs no plugin code. The first of a name wins; the result is ordered
// by priority, then name. A directory gives its files opmux_*.so, and NAME.opmux.json with {"library": path,
// "priority": number}.
std::vector<Candidate> discover(const LoaderOptions& options, std::vector<Refusal>& refusals);

// Comma-separated globs, "!" excludes; with no positive glob everything else is in.
bool matches_filter(std::string_view filter, const std::vector<std::string>& names);

}  // namespace opmux
