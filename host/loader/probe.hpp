// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/loader/discovery.hpp"
#include "opmux/plugin.h"

namespace opmux {

// What a probe learnt about a plugin.
struct ProbeOutcome {
  std::vector<opmux_devinfo> infos;             // devices that opened, copied and computed
  std::map<uint32_t, std::string> bad_devices;  // index -> reason
  std::string refusal;                          // why no device can be used; empty when it went well
  bool cached = false;                          // read from the inventory on disk
};

// Probes, side by side, the candidates that ask for it (OPMUX_PF_PROBE), each in a child process, or takes
// the cached outcome of the same plugin, drivers, hardware and kernel. An empty element: the candidate is to
// be opened in this process, because it asks for no probe or because no child can be started (said in a log
// line). cache: private folder, or empty.
std::vector<std::optional<ProbeOutcome>> probe_all(const LoaderOptions& options, const std::string& cache,
                                                   std::span<const Candidate> candidates);

}  // namespace opmux
