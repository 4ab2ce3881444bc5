// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <volk.h>

#include <atomic>
#include <mutex>

#include "gpu/backend.hpp"

namespace opmux::gpu {

opmux_status status_of(VkResult code);
// Throws DriverError unless the code is VK_SUCCESS.
void vk_check(VkResult code, const char* doing);

// What a device may do, as a chain for asking and for opening.
struct VkFeatures {
  explicit VkFeatures(bool has_bytes) {
    if (has_bytes) halves.pNext = &bytes;
  }
  VkFeatures(const VkFeatures&) = delete;
  VkPhysicalDevice8BitStorageFeatures bytes{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES, nullptr,
                                            0, 0, 0};
  VkPhysicalDevice16BitStorageFeatures halves{
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES, nullptr, 0, 0, 0, 0};
  VkPhysicalDeviceFeatures2 base{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &halves, {}};
};

// What a device is opened with.
struct VkChoice {
  VkPhysicalDevice physical = VK_NULL_HANDLE;
  uint32_t family = 0;  // of queues that compute and copy
  VkPhysicalDeviceLimits limits{};
  uint32_t vendor = 0, device = 0;
  uint8_t cache_uuid[VK_UUID_SIZE] = {};  // of what the driver keeps of pipelines
};

class VkGpu;

struct VkProgram : Program {
  explicit VkProgram(VkGpu& g) : gpu(g) {}
  ~VkProgram() override;
  VkGpu& gpu;
  VkDescriptorSetLayout set = VK_NULL_HANDLE;  // the device's
  VkPipelineLayout layout = VK_NULL_HANDLE;
  VkPipeline pipeline = VK_NULL_HANDLE;
};

class VkBlock : public Memory {
 public:
  VkBlock(VkGpu& gpu, uint64_t size, bool host_visible);
  ~VkBlock() override;
  void* host() const override { return mapped_; }
  VkBuffer buffer() const { return buffer_; }

 private:
  uint32_t pick_type(uint32_t allowed, bool host_visible) const;
  void free();

  VkGpu& gpu_;
  VkBuffer buffer_ = VK_NULL_HANDLE;
  VkDeviceMemory memory_ = VK_NULL_HANDLE;
  void* mapped_ = nullptr;
};

// One device with one queue, which its streams share.
class VkGpu : public Device {
 public:
  explicit VkGpu(const VkChoice& choice);
  ~VkGpu() override;
  std::unique_ptr<Memory> allocate(uint32_t kind, uint64_t size, uint64_t align) override;
  std::unique_ptr<Stream> stream() override;
  void write(const Memory& to, uint64_t offset, std::span<const uint32_t> words) override;
  Language language() const override { return Language::kGlsl; }
  std::string compiler() const override { return "SPIR-V"; }  // the compiler is part of this plugin
  std::unique_ptr<Program> build(const Source& source, const std::string& text, Binary& binary) override;
  std::string driver_cache_key() const override;
  void take_driver_cache(const Bytes& bytes) override;
  Bytes driver_cache() override;
  uint64_t range_align() const override;
  uint64_t free_bytes() override;

  const VolkDeviceTable& vk() const { return vk_; }
  VkDevice get() const { return device_; }
  uint32_t family() const { return choice_.family; }
  const VkPhysicalDeviceMemoryProperties& memory() const { return memory_; }
  // fence VK_NULL_HANDLE: none; commands VK_NULL_HANDLE: the fence alone.
  void submit(VkCommandBuffer commands, VkFence fence);
  void wait_idle() noexcept;
  // Notes a loss, so that status() tells it.
  void check(VkResult code, const char* doing);

 private:
  struct Layout {
    VkDescriptorSetLayout set = VK_NULL_HANDLE;
    VkPipelineLayout whole = VK_NULL_HANDLE;
  };
  Layout layout(uint32_t bindings);
  void make_pipeline_cache(const Bytes& bytes);
  void build(VkProgram& p, std::span<const uint32_t> words);
  void destroy() noexcept;

  VkChoice choice_;
  VolkDeviceTable vk_{};
  VkDevice device_ = VK_NULL_HANDLE;
  VkPhysicalDeviceMemoryProperties memory_{};
  VkPipelineCache pipelines_ = VK_NULL_HANDLE;
  std::mutex queue_lock_;  // guards queue_
  VkQueue queue_ = VK_NULL_HANDLE;
  std::mutex layout_lock_;            // guards layouts_
  Layout layouts_[kMaxBindings + 1];  // by the count of bindings
  std::atomic<bool> lost_{false};
};

std::unique_ptr<Stream> make_stream(VkGpu& gpu);

}  // namespace opmux::gpu
