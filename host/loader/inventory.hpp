// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "host/loader/discovery.hpp"
#include "host/loader/probe.hpp"

namespace opmux {

// Outcomes of probes on disk, one file a plugin. A file counts only when its key, which names the plugin's
// file, the drivers, the hardware and the kernel, is the one of now, and its checksum is right.
class Inventory {
 public:
  // cache: private folder from cache_dir(), or empty for none.
  explicit Inventory(const std::string& cache);

  std::optional<ProbeOutcome> find(const Candidate& candidate, const Config& config) const;
  // A refusal is believed for ten minutes only: its cause may have been the moment's.
  void store(const Candidate& candidate, const Config& config, const ProbeOutcome& outcome) const;

 private:
  std::string path_of(const Candidate& candidate) const;

  std::string directory_;
  std::string machine_;  // the part of the key that all plugins share
};

}  // namespace opmux
