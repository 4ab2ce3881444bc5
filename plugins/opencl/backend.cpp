// SPDX-License-Identifier: Apache-2.0
// Platforms and devices.
#include <algorithm>
#include <cstring>

#include "opencl/device.hpp"

namespace opmux::gpu {
namespace {

// Element indices of a block have 32 bits, and elements a byte at least.
constexpr uint64_t kMaxBlock = (uint64_t{4} << 30) - 4096;

void set_text(char (&to)[64], std::string from) {
  while (!from.empty() && from.back() == '\0') from.pop_back();
  const size_t n = std::min(from.size(), sizeof to - 1);
  std::memcpy(to, from.data(), n);
}

uint32_t kind_of(cl_device_type type) {
  if (type & CL_DEVICE_TYPE_CPU) return OPMUX_DEV_CPU;
  return type & CL_DEVICE_TYPE_GPU ? OPMUX_DEV_GPU : OPMUX_DEV_ACCEL;
}

void identify(const cl::Device& d, opmux_devinfo& info) {
  const auto extensions = d.getInfo<CL_DEVICE_EXTENSIONS>();
  if (extensions.find("cl_khr_pci_bus_info") != std::string::npos) {
    cl_device_pci_bus_info_khr pci{};
    if (clGetDeviceInfo(d(), CL_DEVICE_PCI_BUS_INFO_KHR, sizeof pci, &pci, nullptr) == CL_SUCCESS) {
      std::snprintf(info.pci, sizeof info.pci, "%04x:%02x:%02x.%x", pci.pci_domain & 0xffffu,
                    pci.pci_bus & 0xffu, pci.pci_device & 0x1fu, pci.pci_function & 7u);
    }
  }
  if (extensions.find("cl_khr_device_uuid") != std::string::npos) {
    clGetDeviceInfo(d(), CL_DEVICE_UUID_KHR, sizeof info.uuid, info.uuid, nullptr);
  }
}

opmux_devinfo describe(const cl::Platform& platform, const cl::Device& d, uint32_t index) {
  opmux_devinfo i{};
  i.h.size = sizeof i;
  i.index = index;
  i.kind = kind_of(d.getInfo<CL_DEVICE_TYPE>());
  i.flags = d.getInfo<CL_DEVICE_HOST_UNIFIED_MEMORY>() ? OPMUX_DF_UNIFIED : 0;
  i.vendor_id = d.getInfo<CL_DEVICE_VENDOR_ID>();
  i.compute_units = d.getInfo<CL_DEVICE_MAX_COMPUTE_UNITS>();
  if (d.getInfo<CL_DEVICE_EXTENSIONS>().find("cl_khr_fp16") != std::string::npos)
    i.features |= OPMUX_FEAT_F16;
  if (d.getInfo<CL_DEVICE_DOUBLE_FP_CONFIG>() != 0) i.features |= OPMUX_FEAT_F64;
  i.features |= OPMUX_FEAT_I64;
  i.memory_bytes = d.getInfo<CL_DEVICE_GLOBAL_MEM_SIZE>();
  i.max_alloc_bytes = std::min<uint64_t>(d.getInfo<CL_DEVICE_MAX_MEM_ALLOC_SIZE>(), kMaxBlock);
  i.max_binding_bytes = i.max_alloc_bytes;
  i.min_align_bytes = 8;  // of the widest element
  for (uint64_t& g : i.max_groups) g = 0x7fffffffu;
  i.max_group_size = static_cast<uint32_t>(d.getInfo<CL_DEVICE_MAX_WORK_GROUP_SIZE>());
  i.shared_bytes =
      static_cast<uint32_t>(std::min<uint64_t>(d.getInfo<CL_DEVICE_LOCAL_MEM_SIZE>(), UINT32_MAX));
  set_text(i.name, d.getInfo<CL_DEVICE_NAME>());
  set_text(i.driver, platform.getInfo<CL_PLATFORM_NAME>() + " " + d.getInfo<CL_DRIVER_VERSION>());
  identify(d, i);
  return i;
}

// What the kernels need at least.
bool fits(const opmux_devinfo& i) {
  return i.max_group_size >= 256 && i.shared_bytes >= 16384 && i.max_alloc_bytes > 4096;
}

class ClBackend : public Backend {
 public:
  ClBackend() {
    std::vector<cl::Platform> platforms;
    cl_try("platforms", [&] {
      try {
        cl::Platform::get(&platforms);
      } catch (const cl::Error& e) {
        if (e.err() != CL_PLATFORM_NOT_FOUND_KHR) throw;
      }
    });
    for (const cl::Platform& p : platforms) add(p);
    if (infos_.empty()) {
      throw DriverError(OPMUX_E_UNSUPPORTED, OPMUX_NATIVE_NONE, 0,
                        platforms.empty()
                            ? "no driver is installed (the loader knows no platform)"
                            : fmt::format("{} platforms, but none has a device that can run the kernels",
                                          platforms.size()));
    }
  }
  std::vector<opmux_devinfo> devices() override { return infos_; }
  std::unique_ptr<Device> open(uint32_t index) override {
    return cl_try("open", [&] { return std::make_unique<ClDevice>(devices_[index]); });
  }

 private:
  // A platform that fails to answer is as if it were not there.
  void add(const cl::Platform& p) {
    try {
      std::vector<cl::Device> found;
      p.getDevices(CL_DEVICE_TYPE_ALL, &found);
      for (const cl::Device& d : found) {
        if (!d.getInfo<CL_DEVICE_AVAILABLE>() || !d.getInfo<CL_DEVICE_COMPILER_AVAILABLE>()) continue;
        const opmux_devinfo info = describe(p, d, static_cast<uint32_t>(infos_.size()));
        if (!fits(info)) continue;
        infos_.push_back(info);
        devices_.push_back(d);
      }
    } catch (const cl::Error&) {
    }
  }
  std::vector<cl::Device> devices_;
  std::vector<opmux_devinfo> infos_;
};

}  // namespace

std::unique_ptr<Backend> open_backend() { return std::make_unique<ClBackend>(); }

}  // namespace opmux::gpu
