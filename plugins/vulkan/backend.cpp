// SPDX-License-Identifier: Apache-2.0
// The instance and what its devices are.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "vulkan/device.hpp"

namespace opmux::gpu {
namespace {

[[noreturn]] void unsupported(VkResult code, const std::string& why) {
  throw DriverError(OPMUX_E_UNSUPPORTED, OPMUX_NATIVE_VULKAN, code, why);
}

template <class T, class F>
std::vector<T> listed(F&& f) {
  uint32_t n = 0;
  f(&n, nullptr);
  std::vector<T> items(n);
  f(&n, items.data());
  items.resize(n);
  return items;
}

void set_text(char (&to)[64], const std::string& from) {
  std::memcpy(to, from.data(), std::min(from.size(), sizeof to - 1));
}

bool has_extension(VkPhysicalDevice d, const char* name) {
  const auto all = listed<VkExtensionProperties>([&](uint32_t* n, VkExtensionProperties* to) {
    vkEnumerateDeviceExtensionProperties(d, nullptr, n, to);
  });
  return std::ranges::any_of(all, [&](const auto& e) { return std::strcmp(e.extensionName, name) == 0; });
}

struct Properties {
  VkPhysicalDeviceProperties2 base{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, &id, {}};
  VkPhysicalDeviceIDProperties id{
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES, &subgroup, {}, {}, {}, 0, 0};
  VkPhysicalDeviceSubgroupProperties subgroup{
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES, &third, 0, 0, 0, 0};
  VkPhysicalDeviceMaintenance3Properties third{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES,
                                               nullptr, 0, 0};
  VkPhysicalDevicePCIBusInfoPropertiesEXT pci{
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PCI_BUS_INFO_PROPERTIES_EXT, nullptr, 0, 0, 0, 0};
  bool has_pci = false;

  explicit Properties(VkPhysicalDevice d) {
    has_pci = has_extension(d, VK_EXT_PCI_BUS_INFO_EXTENSION_NAME);
    if (has_pci) third.pNext = &pci;
    vkGetPhysicalDeviceProperties2(d, &base);
  }
  Properties(const Properties&) = delete;
};

uint32_t kind_of(VkPhysicalDeviceType type) {
  if (type == VK_PHYSICAL_DEVICE_TYPE_CPU) return OPMUX_DEV_CPU;
  return type == VK_PHYSICAL_DEVICE_TYPE_OTHER ? OPMUX_DEV_ACCEL : OPMUX_DEV_GPU;
}

opmux_devinfo describe(VkPhysicalDevice d, const Properties& p, uint32_t index) {
  const VkPhysicalDeviceProperties& b = p.base.properties;
  opmux_devinfo i{};
  i.h.size = sizeof i;
  i.index = index;
  i.kind = kind_of(b.deviceType);
  const bool shared =
      b.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU || b.deviceType == VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU;
  i.flags = shared ? OPMUX_DF_UNIFIED : 0;
  i.vendor_id = b.vendorID;
  i.device_id = b.deviceID;
  VkPhysicalDeviceFeatures features;
  vkGetPhysicalDeviceFeatures(d, &features);
  if (features.shaderFloat64) i.features |= OPMUX_FEAT_F64;
  if (features.shaderInt64) i.features |= OPMUX_FEAT_I64;
  if (p.subgroup.supportedOperations & VK_SUBGROUP_FEATURE_ARITHMETIC_BIT) i.features |= OPMUX_FEAT_SUBGROUP;
  VkPhysicalDeviceMemoryProperties memory;
  vkGetPhysicalDeviceMemoryProperties(d, &memory);
  for (uint32_t h = 0; h < memory.memoryHeapCount; ++h) {
    if (memory.memoryHeaps[h].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
      i.memory_bytes += memory.memoryHeaps[h].size;
  }
  i.max_alloc_bytes = p.third.maxMemoryAllocationSize;
  i.max_binding_bytes = b.limits.maxStorageBufferRange;
  i.min_align_bytes = 8;  // of the widest element: an offset within a range is a parameter of the kernel
  const uint32_t most = b.limits.maxPerStageDescriptorStorageBuffers;
  i.priv_size = sizeof most;
  std::memcpy(i.priv, &most, sizeof most);
  std::copy_n(b.limits.maxComputeWorkGroupCount, 3, i.max_groups);
  i.max_group_size = b.limits.maxComputeWorkGroupInvocations;
  i.shared_bytes = b.limits.maxComputeSharedMemorySize;
  i.subgroup_min = i.subgroup_max = p.subgroup.subgroupSize;
  std::copy_n(p.id.deviceUUID, sizeof i.uuid, i.uuid);
  if (p.has_pci) {
    std::snprintf(i.pci, sizeof i.pci, "%04x:%02x:%02x.%x", p.pci.pciDomain & 0xffffu, p.pci.pciBus & 0xffu,
                  p.pci.pciDevice & 0x1fu, p.pci.pciFunction & 7u);
  }
  set_text(i.name, b.deviceName);
  set_text(i.driver,
           fmt::format("Vulkan {}.{}, driver {}.{}.{}", VK_API_VERSION_MAJOR(b.apiVersion),
                       VK_API_VERSION_MINOR(b.apiVersion), VK_API_VERSION_MAJOR(b.driverVersion),
                       VK_API_VERSION_MINOR(b.driverVersion), VK_API_VERSION_PATCH(b.driverVersion)));
  return i;
}

// What the kernels need at least: storage of 8 and 16 bits, and the buffers of the widest hand-written
// kernel.
bool fits(const VkPhysicalDeviceProperties& b, const VkFeatures& f) {
  return b.apiVersion >= VK_API_VERSION_1_1 && b.limits.maxPerStageDescriptorStorageBuffers >= 8 &&
         b.limits.maxComputeWorkGroupInvocations >= 256 && b.limits.maxComputeSharedMemorySize >= 16384 &&
         b.limits.minStorageBufferOffsetAlignment <= 256 && f.bytes.storageBuffer8BitAccess &&
         f.halves.storageBuffer16BitAccess;
}

class VkBackend : public Backend {
 public:
  VkBackend() {
    const VkResult found = volkInitialize();
    if (found != VK_SUCCESS) unsupported(found, "the loader libvulkan.so.1 is not installed");
    if (volkGetInstanceVersion() < VK_API_VERSION_1_1)
      unsupported(VK_SUCCESS, "the loader is older than Vulkan 1.1");
    VkApplicationInfo app{
        VK_STRUCTURE_TYPE_APPLICATION_INFO, nullptr, "opmux", 1, "opmux", 1, VK_API_VERSION_1_1};
    VkInstanceCreateInfo info{
        VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, nullptr, 0, &app, 0, nullptr, 0, nullptr};
    const VkResult made = vkCreateInstance(&info, nullptr, &instance_);
    if (made == VK_ERROR_INCOMPATIBLE_DRIVER) unsupported(made, "no driver is installed");
    vk_check(made, "vkCreateInstance");
    volkLoadInstanceOnly(instance_);
    const auto all = listed<VkPhysicalDevice>(
        [&](uint32_t* n, VkPhysicalDevice* to) { vkEnumeratePhysicalDevices(instance_, n, to); });
    for (VkPhysicalDevice d : all) add(d);
    if (!infos_.empty()) return;
    vkDestroyInstance(instance_, nullptr);
    unsupported(VK_SUCCESS, all.empty() ? "no driver has a device"
                                        : fmt::format("none of {} devices can run the kernels", all.size()));
  }
  ~VkBackend() override { vkDestroyInstance(instance_, nullptr); }

  std::vector<opmux_devinfo> devices() override { return infos_; }
  std::unique_ptr<Device> open(uint32_t index) override { return std::make_unique<VkGpu>(choices_[index]); }

 private:
  void add(VkPhysicalDevice d) {
    const Properties p(d);
    VkFeatures features(has_extension(d, VK_KHR_8BIT_STORAGE_EXTENSION_NAME));
    vkGetPhysicalDeviceFeatures2(d, &features.base);
    if (!fits(p.base.properties, features)) return;
    const auto families = listed<VkQueueFamilyProperties>([&](uint32_t* n, VkQueueFamilyProperties* to) {
      vkGetPhysicalDeviceQueueFamilyProperties(d, n, to);
    });
    for (uint32_t f = 0; f < families.size(); ++f) {
      if (!(families[f].queueFlags & VK_QUEUE_COMPUTE_BIT)) continue;  // which implies copies
      infos_.push_back(describe(d, p, static_cast<uint32_t>(infos_.size())));
      const VkPhysicalDeviceProperties& b = p.base.properties;
      VkChoice choice{d, f, b.limits, b.vendorID, b.deviceID, {}};
      std::ranges::copy(b.pipelineCacheUUID, choice.cache_uuid);
      choices_.push_back(choice);
      return;
    }
  }

  VkInstance instance_ = VK_NULL_HANDLE;
  std::vector<opmux_devinfo> infos_;
  std::vector<VkChoice> choices_;
};

}  // namespace

std::unique_ptr<Backend> open_backend() { return std::make_unique<VkBackend>(); }

opmux_status status_of(VkResult code) {
  switch (code) {
    case VK_ERROR_OUT_OF_HOST_MEMORY:
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
    case VK_ERROR_TOO_MANY_OBJECTS:
    case VK_ERROR_OUT_OF_POOL_MEMORY:
    case VK_ERROR_FRAGMENTED_POOL:
      return OPMUX_E_OUT_OF_MEMORY | OPMUX_F_RETRYABLE;
    case VK_ERROR_DEVICE_LOST:
      return OPMUX_E_DEVICE_LOST | OPMUX_F_STICKY;
    case VK_ERROR_INITIALIZATION_FAILED:
    case VK_ERROR_FEATURE_NOT_PRESENT:
    case VK_ERROR_EXTENSION_NOT_PRESENT:
      return OPMUX_E_UNSUPPORTED;
    case VK_ERROR_INVALID_SHADER_NV:
      return OPMUX_E_BROKEN_PROMISE;
    default:
      return OPMUX_E_INTERNAL;
  }
}

void vk_check(VkResult code, const char* doing) {
  if (code == VK_SUCCESS) return;
  throw DriverError(status_of(code), OPMUX_NATIVE_VULKAN, code,
                    fmt::format("vulkan: {} gave {}", doing, static_cast<int>(code)));
}

}  // namespace opmux::gpu
