// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "opmux/plugin.h"

namespace opmux {

class Route;

// A piece of hardware, listed once however many plugins drive it.
struct PhysicalDevice {
  std::string name;   // "cpu0", "gpu0"
  std::string id;     // stable: "cpu", "pci:0000:c1:00.0"
  std::string title;  // as people call it
  uint32_t kind = 0;  // OPMUX_DEV_*
  uint32_t vendor_id = 0, device_id = 0;
  uint64_t memory_bytes = 0;       // 0 unknown
  std::array<uint8_t, 16> uuid{};  // as the first route that knows it says
  std::vector<const Route*> routes;
};

// The CPU and the display and accelerator cards on the PCI bus, in the order of their addresses. sysfs:
// "/sys" but in tests.
std::vector<PhysicalDevice> find_hardware(const std::string& sysfs = "/sys");

// Number of the device that `info` of plugin `plugin` speaks of; appends one when there is none yet. Two PCI
// addresses never merge. What drives the CPU (PoCL, lavapipe) belongs to cpu0.
size_t place_device(std::vector<PhysicalDevice>& devices, const std::string& plugin,
                    const opmux_devinfo& info);

}  // namespace opmux
