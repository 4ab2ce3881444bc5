// SPDX-License-Identifier: Apache-2.0
#include "vulkan/device.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "vulkan/compiler.hpp"

namespace opmux::gpu {
namespace {

// The loader unmaps a driver with the last instance, but drivers keep thread-local and exit-time state
// (docs/abi.md: such libraries stay). `function` is one of the driver's own.
void keep_driver_mapped(void* function) {
  Dl_info info{};
  if (dladdr(function, &info) != 0 && info.dli_fname)
    (void)dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

}  // namespace

// ---- Blocks

VkBlock::VkBlock(VkGpu& gpu, uint64_t size, bool host_visible) : Memory(size), gpu_(gpu) {
  const VolkDeviceTable& vk = gpu.vk();
  const VkBufferCreateInfo info{VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                nullptr,
                                0,
                                size,
                                VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                                    VK_BUFFER_USAGE_TRANSFER_DST_BIT,
                                VK_SHARING_MODE_EXCLUSIVE,
                                0,
                                nullptr};
  try {
    gpu.check(vk.vkCreateBuffer(gpu.get(), &info, nullptr, &buffer_), "vkCreateBuffer");
    VkMemoryRequirements need;
    vk.vkGetBufferMemoryRequirements(gpu.get(), buffer_, &need);
    const VkMemoryAllocateInfo want{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, need.size,
                                    pick_type(need.memoryTypeBits, host_visible)};
    gpu.check(vk.vkAllocateMemory(gpu.get(), &want, nullptr, &memory_), "vkAllocateMemory");
    gpu.check(vk.vkBindBufferMemory(gpu.get(), buffer_, memory_, 0), "vkBindBufferMemory");
    if (host_visible) {
      gpu.check(vk.vkMapMemory(gpu.get(), memory_, 0, VK_WHOLE_SIZE, 0, &mapped_), "vkMapMemory");
    }
  } catch (...) {
    free();
    throw;
  }
}

VkBlock::~VkBlock() {
  gpu_.wait_idle();
  free();
}

void VkBlock::free() {
  gpu_.vk().vkDestroyBuffer(gpu_.get(), buffer_, nullptr);
  gpu_.vk().vkFreeMemory(gpu_.get(), memory_, nullptr);
}

// The first type that has what must be and, if there is one, what should be.
uint32_t VkBlock::pick_type(uint32_t allowed, bool host_visible) const {
  const VkMemoryPropertyFlags host =
      VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  const VkMemoryPropertyFlags local = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
  const VkMemoryPropertyFlags wishes[][2] = {{host | VK_MEMORY_PROPERTY_HOST_CACHED_BIT, host}, {local, 0}};
  const auto& types = gpu_.memory();
  for (VkMemoryPropertyFlags wish : wishes[host_visible ? 0 : 1]) {
    for (uint32_t t = 0; t < types.memoryTypeCount; ++t) {
      if ((allowed >> t & 1) && (types.memoryTypes[t].propertyFlags & wish) == wish) return t;
    }
  }
  throw DriverError(OPMUX_E_UNSUPPORTED, OPMUX_NATIVE_VULKAN, 0,
                    "vulkan: no memory type fits a storage buffer");
}

// ---- The device

VkGpu::VkGpu(const VkChoice& choice) : choice_(choice) {
  const float priority = 1;
  const VkDeviceQueueCreateInfo queue{
      VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, nullptr, 0, choice.family, 1, &priority};
  VkFeatures has(true), wants(true);
  vkGetPhysicalDeviceFeatures2(choice.physical, &has.base);
  wants.base.features.shaderFloat64 = has.base.features.shaderFloat64;
  wants.base.features.shaderInt64 = has.base.features.shaderInt64;
  wants.bytes.storageBuffer8BitAccess = wants.halves.storageBuffer16BitAccess = VK_TRUE;
  const char* extensions[] = {VK_KHR_8BIT_STORAGE_EXTENSION_NAME};
  const VkDeviceCreateInfo info{
      VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, &wants.base, 0, 1, &queue, 0, nullptr, 1, extensions, nullptr};
  vk_check(vkCreateDevice(choice.physical, &info, nullptr, &device_), "vkCreateDevice");
  volkLoadDeviceTable(&vk_, device_);
  keep_driver_mapped(reinterpret_cast<void*>(vk_.vkQueueSubmit));
  vk_.vkGetDeviceQueue(device_, choice.family, 0, &queue_);
  vkGetPhysicalDeviceMemoryProperties(choice.physical, &memory_);
  make_pipeline_cache({});
}

VkGpu::~VkGpu() {
  wait_idle();
  destroy();
}

void VkGpu::destroy() noexcept {
  for (const Layout& l : layouts_) {
    vk_.vkDestroyPipelineLayout(device_, l.whole, nullptr);
    vk_.vkDestroyDescriptorSetLayout(device_, l.set, nullptr);
  }
  vk_.vkDestroyPipelineCache(device_, pipelines_, nullptr);
  vk_.vkDestroyDevice(device_, nullptr);
}

VkGpu::Layout VkGpu::layout(uint32_t n) {
  const std::lock_guard lock(layout_lock_);
  Layout& l = layouts_[n];
  if (l.whole) return l;
  VkDescriptorSetLayoutBinding bindings[kMaxBindings];
  for (uint32_t b = 0; b < n; ++b)
    bindings[b] = {b, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr};
  const VkDescriptorSetLayoutCreateInfo set{VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, nullptr, 0,
                                            n, bindings};
  if (!l.set)
    check(vk_.vkCreateDescriptorSetLayout(device_, &set, nullptr, &l.set), "vkCreateDescriptorSetLayout");
  const VkPushConstantRange params{VK_SHADER_STAGE_COMPUTE_BIT, 0, (n + 1) * 4};
  const VkPipelineLayoutCreateInfo whole{
      VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, nullptr, 0, 1, &l.set, 1, &params};
  check(vk_.vkCreatePipelineLayout(device_, &whole, nullptr, &l.whole), "vkCreatePipelineLayout");
  return l;
}

VkProgram::~VkProgram() { gpu.vk().vkDestroyPipeline(gpu.get(), pipeline, nullptr); }

// The bytes are SPIR-V: of the cache, whose checksum has held, or from the text.
std::unique_ptr<Program> VkGpu::build(const Source& source, const std::string& text, Binary& binary) {
  std::vector<uint32_t> words(binary.bytes.size() / 4);
  if (words.empty() || binary.bytes.size() % 4 != 0) {
    words = compile_glsl(source.file->name, text);
    const auto bytes = std::as_bytes(std::span(words));
    binary.bytes.assign(bytes.begin(), bytes.end());
    binary.compiled = true;
  } else {
    std::memcpy(words.data(), binary.bytes.data(), binary.bytes.size());
  }
  auto made = std::make_unique<VkProgram>(*this);
  const Layout l = layout(static_cast<uint32_t>(source.bindings().size()) + 1);
  made->set = l.set;
  made->layout = l.whole;
  build(*made, words);
  return made;
}

std::string VkGpu::driver_cache_key() const {
  std::string key = "pipelines ";
  for (uint8_t byte : choice_.cache_uuid) key += fmt::format("{:02x}", byte);
  return fmt::format("{} {:x} {:x}", key, choice_.vendor, choice_.device);
}

// Drivers need not survive bytes that are not theirs, so the header is compared here as well.
void VkGpu::take_driver_cache(const Bytes& bytes) {
  VkPipelineCacheHeaderVersionOne head;
  if (bytes.size() < sizeof head) return;
  std::memcpy(&head, bytes.data(), sizeof head);
  if (head.headerVersion != VK_PIPELINE_CACHE_HEADER_VERSION_ONE || head.vendorID != choice_.vendor ||
      head.deviceID != choice_.device || !std::ranges::equal(head.pipelineCacheUUID, choice_.cache_uuid))
    return;
  vk_.vkDestroyPipelineCache(device_, pipelines_, nullptr);
  pipelines_ = VK_NULL_HANDLE;
  make_pipeline_cache(bytes);
}

void VkGpu::make_pipeline_cache(const Bytes& bytes) {
  const VkPipelineCacheCreateInfo info{VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO, nullptr, 0, bytes.size(),
                                       bytes.data()};
  check(vk_.vkCreatePipelineCache(device_, &info, nullptr, &pipelines_), "vkCreatePipelineCache");
}

Bytes VkGpu::driver_cache() {
  size_t size = 0;
  check(vk_.vkGetPipelineCacheData(device_, pipelines_, &size, nullptr), "vkGetPipelineCacheData");
  Bytes bytes(size);
  check(vk_.vkGetPipelineCacheData(device_, pipelines_, &size, bytes.data()), "vkGetPipelineCacheData");
  bytes.resize(size);
  return bytes;
}

void VkGpu::build(VkProgram& p, std::span<const uint32_t> words) {
  const VkShaderModuleCreateInfo source{VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, nullptr, 0,
                                        words.size_bytes(), words.data()};
  VkShaderModule module = VK_NULL_HANDLE;
  check(vk_.vkCreateShaderModule(device_, &source, nullptr, &module), "vkCreateShaderModule");
  const VkComputePipelineCreateInfo info{VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
                                         nullptr,
                                         0,
                                         {VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO, nullptr, 0,
                                          VK_SHADER_STAGE_COMPUTE_BIT, module, "main", nullptr},
                                         p.layout,
                                         VK_NULL_HANDLE,
                                         -1};
  const VkResult made = vk_.vkCreateComputePipelines(device_, pipelines_, 1, &info, nullptr, &p.pipeline);
  vk_.vkDestroyShaderModule(device_, module, nullptr);
  check(made, "vkCreateComputePipelines");
}

std::unique_ptr<Memory> VkGpu::allocate(uint32_t kind, uint64_t size, uint64_t) {
  return std::make_unique<VkBlock>(*this, size, kind == OPMUX_MEM_HOST);
}

std::unique_ptr<Stream> VkGpu::stream() { return make_stream(*this); }

// Code lies in host-visible memory; a later submission makes it visible to the device.
void VkGpu::write(const Memory& to, uint64_t offset, std::span<const uint32_t> words) {
  std::memcpy(static_cast<char*>(to.host()) + offset, words.data(), words.size_bytes());
}

uint64_t VkGpu::range_align() const {
  return std::max<uint64_t>(choice_.limits.minStorageBufferOffsetAlignment, 4);
}

uint64_t VkGpu::free_bytes() {
  if (lost_) vk_check(VK_ERROR_DEVICE_LOST, "an earlier call");
  return 0;
}

void VkGpu::submit(VkCommandBuffer commands, VkFence fence) {
  VkSubmitInfo info{VK_STRUCTURE_TYPE_SUBMIT_INFO, nullptr, 0, nullptr, nullptr, 0, nullptr, 0, nullptr};
  info.commandBufferCount = commands ? 1 : 0;
  info.pCommandBuffers = &commands;
  const std::lock_guard lock(queue_lock_);
  check(vk_.vkQueueSubmit(queue_, 1, &info, fence), "vkQueueSubmit");
}

void VkGpu::wait_idle() noexcept {
  const std::lock_guard lock(queue_lock_);
  if (vk_.vkQueueWaitIdle(queue_) == VK_ERROR_DEVICE_LOST) lost_ = true;
}

void VkGpu::check(VkResult code, const char* doing) {
  if (code == VK_ERROR_DEVICE_LOST) lost_ = true;
  vk_check(code, doing);
}

}  // namespace opmux::gpu
