// SPDX-License-Identifier: Apache-2.0
#include "host/loader/hardware.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace opmux {
namespace {

namespace fs = std::filesystem;

// Screens of server boards and of virtual machines: ASPEED, Matrox, Cirrus, QEMU, virtio, VMware.
constexpr uint32_t kNoCompute[] = {0x1a03, 0x102b, 0x1013, 0x1234, 0x1af4, 0x15ad, 0x1414};

std::string first_line(const fs::path& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

uint32_t hex_file(const fs::path& path) {
  return static_cast<uint32_t>(std::strtoul(first_line(path).c_str(), nullptr, 16));
}

std::string cpu_title() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("model name")) continue;
    const size_t at = line.find(": ");
    if (at != std::string::npos) return line.substr(at + 2);
  }
  return "CPU";
}

uint64_t memory_of_machine() {
  const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0 ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(size) : 0;
}

const char* prefix_of(uint32_t kind) {
  return kind == OPMUX_DEV_CPU ? "cpu" : kind == OPMUX_DEV_GPU ? "gpu" : "accel";
}

std::string next_name(const std::vector<PhysicalDevice>& devices, uint32_t kind) {
  const auto n = std::ranges::count(devices, kind, &PhysicalDevice::kind);
  return fmt::format("{}{}", prefix_of(kind), n);
}

void add_card(std::vector<PhysicalDevice>& devices, const fs::path& card) {
  const uint32_t cls = hex_file(card / "class") >> 16;  // 3: display, 0x12: accelerator
  const uint32_t vendor = hex_file(card / "vendor");
  if ((cls != 0x03 && cls != 0x12) || std::ranges::count(kNoCompute, vendor) != 0) return;
  PhysicalDevice device;
  device.kind = cls == 0x03 ? OPMUX_DEV_GPU : OPMUX_DEV_ACCEL;
  device.name = next_name(devices, device.kind);
  device.id = "pci:" + card.filename().string();
  device.vendor_id = vendor;
  device.device_id = hex_file(card / "device");
  device.title = fmt::format("PCI {:04x}:{:04x}", vendor, device.device_id);
  devices.push_back(std::move(device));
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool has_uuid(const opmux_devinfo& info) {
  return std::ranges::any_of(info.uuid, [](uint8_t b) { return b != 0; });
}

std::string identity_of(const std::string& plugin, const opmux_devinfo& info) {
  if (info.kind == OPMUX_DEV_CPU) return "cpu";
  if (info.pci[0] != '\0') return "pci:" + lower(info.pci);
  if (!has_uuid(info)) return fmt::format("plugin:{}:{}", plugin, info.index);
  std::string id = "uuid:";
  for (const uint8_t b : info.uuid) id += fmt::format("{:02x}", b);
  return id;
}

// A card that another route has named by both its address and its UUID.
PhysicalDevice* by_uuid(std::vector<PhysicalDevice>& devices, const opmux_devinfo& info) {
  if (!has_uuid(info)) return nullptr;
  for (auto& device : devices) {
    if (device.kind == info.kind && std::ranges::equal(device.uuid, info.uuid)) return &device;
  }
  return nullptr;
}

// A card without a known address in the plugin's words (OpenCL 1.2, say) is the only one of its make on the
// bus, or is its own.
PhysicalDevice* by_make(std::vector<PhysicalDevice>& devices, const opmux_devinfo& info) {
  PhysicalDevice* found = nullptr;
  for (auto& device : devices) {
    const bool same_make =
        device.kind == info.kind && device.vendor_id == info.vendor_id && device.device_id == info.device_id;
    if (!same_make || !device.id.starts_with("pci:")) continue;
    if (found != nullptr) return nullptr;
    found = &device;
  }
  return found;
}

}  // namespace

std::vector<PhysicalDevice> find_hardware(const std::string& sysfs) {
  std::vector<PhysicalDevice> devices(1);
  devices[0].name = "cpu0";
  devices[0].id = "cpu";
  devices[0].title = cpu_title();
  devices[0].kind = OPMUX_DEV_CPU;
  devices[0].memory_bytes = memory_of_machine();
  std::vector<fs::path> cards;
  std::error_code error;  // a container may hide the bus
  for (const auto& entry : fs::directory_iterator(sysfs + "/bus/pci/devices", error))
    cards.push_back(entry.path());
  std::ranges::sort(cards);
  for (const auto& card : cards) add_card(devices, card);
  return devices;
}

size_t place_device(std::vector<PhysicalDevice>& devices, const std::string& plugin,
                    const opmux_devinfo& info) {
  const std::string id = identity_of(plugin, info);
  auto at = std::ranges::find(devices, id, &PhysicalDevice::id);
  if (at == devices.end() && info.pci[0] == '\0') {
    PhysicalDevice* same = by_uuid(devices, info);
    if (same == nullptr && info.vendor_id != 0 && info.device_id != 0) same = by_make(devices, info);
    if (same != nullptr) at = devices.begin() + (same - devices.data());
  }
  if (at == devices.end()) {
    PhysicalDevice device;
    device.name = next_name(devices, info.kind);
    device.id = id;
    device.kind = info.kind;
    device.vendor_id = info.vendor_id;
    device.device_id = info.device_id;
    devices.push_back(std::move(device));
    at = devices.end() - 1;
  }
  if (info.kind != OPMUX_DEV_CPU) {
    if (at->title.empty() || at->title.starts_with("PCI ")) at->title = info.name;
    if (has_uuid(info)) std::ranges::copy(info.uuid, at->uuid.begin());
    at->memory_bytes = std::max(at->memory_bytes, info.memory_bytes);
  }
  return static_cast<size_t>(at - devices.begin());
}

}  // namespace opmux
