// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "host/loader/plugin.hpp"

namespace opmux {

// The steps of a probe; each is announced before it begins, so that a crash or a hang can be told.
enum class ProbeStage : uint32_t {
  kLoad,
  kOpen,
  kEnumerate,
  kOpenDevice,
  kCopy,
  kPrepare,
  kRun,
  kCloseDevice
};
constexpr uint32_t kProbeStages = 8;

// "enumerating devices"; with `device` for the stages that concern one.
std::string stage_text(ProbeStage stage, uint32_t device);

class ProbeSink {
 public:
  virtual ~ProbeSink() = default;
  virtual void stage(ProbeStage stage, uint32_t device) = 0;
  virtual void info(const opmux_devinfo& info) = 0;
  virtual void bad_device(uint32_t device, const std::string& reason) = 0;
};

// Loads, opens and enumerates the plugin; then opens each device that is not in `skip`, copies through it,
// and runs a 64x64 matmul where it can, checking the results. Throws Error when the plugin as a whole fails.
void probe_plugin(Plugin& plugin, const std::set<uint32_t>& skip, ProbeSink& sink);

}  // namespace opmux
