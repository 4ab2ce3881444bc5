// SPDX-License-Identifier: Apache-2.0
// A stream gathers commands in one buffer and submits it when it must: at finish, before a recording is
// replayed, and when much has gathered. Submissions run in their order; barriers inside do the rest.
#include <cstring>

#include "gpu/hazards.hpp"
#include "vulkan/device.hpp"

namespace opmux::gpu {
namespace {

const VkBlock& block_of(const Memory* m) { return *static_cast<const VkBlock*>(m); }

const VkProgram& program_of(const Launch& l) { return *static_cast<const VkProgram*>(l.program); }

// Descriptor sets for a known number of launches.
class Sets {
 public:
  Sets(VkGpu& gpu, uint32_t capacity) : gpu_(gpu), capacity_(capacity) {
    const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, capacity * kMaxBindings};
    const VkDescriptorPoolCreateInfo info{
        VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO, nullptr, 0, capacity, 1, &size};
    gpu.check(gpu.vk().vkCreateDescriptorPool(gpu.get(), &info, nullptr, &pool_), "vkCreateDescriptorPool");
  }
  ~Sets() { gpu_.vk().vkDestroyDescriptorPool(gpu_.get(), pool_, nullptr); }
  Sets(const Sets&) = delete;
  Sets& operator=(const Sets&) = delete;

  bool full() const { return sets_.size() == capacity_; }
  VkDescriptorSet add(const Launch& l) {
    const VkDescriptorSetLayout layout = program_of(l).set;
    const VkDescriptorSetAllocateInfo info{VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO, nullptr, pool_, 1,
                                           &layout};
    VkDescriptorSet set = VK_NULL_HANDLE;
    gpu_.check(gpu_.vk().vkAllocateDescriptorSets(gpu_.get(), &info, &set), "vkAllocateDescriptorSets");
    sets_.push_back(set);
    return set;
  }
  VkDescriptorSet operator[](size_t i) const { return sets_[i]; }
  void clear() {
    gpu_.vk().vkResetDescriptorPool(gpu_.get(), pool_, 0);
    sets_.clear();
  }

 private:
  VkGpu& gpu_;
  uint32_t capacity_;
  VkDescriptorPool pool_ = VK_NULL_HANDLE;
  std::vector<VkDescriptorSet> sets_;
};

// A command buffer with its pool, so that no two threads meet in one.
class Commands {
 public:
  explicit Commands(VkGpu& gpu) : gpu_(gpu) {
    const VkCommandPoolCreateInfo pool{VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO, nullptr,
                                       VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT, gpu.family()};
    gpu.check(gpu.vk().vkCreateCommandPool(gpu.get(), &pool, nullptr, &pool_), "vkCreateCommandPool");
    const VkCommandBufferAllocateInfo one{VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, nullptr, pool_,
                                          VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1};
    const VkResult made = gpu.vk().vkAllocateCommandBuffers(gpu.get(), &one, &buffer_);
    if (made != VK_SUCCESS) gpu.vk().vkDestroyCommandPool(gpu.get(), pool_, nullptr);
    gpu.check(made, "vkAllocateCommandBuffers");
  }
  ~Commands() { gpu_.vk().vkDestroyCommandPool(gpu_.get(), pool_, nullptr); }
  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;

  VkCommandBuffer get() const { return buffer_; }

  // The barrier in front waits for every earlier submission to the queue.
  void begin(VkCommandBufferUsageFlags usage) {
    const VkCommandBufferBeginInfo info{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO, nullptr, usage, nullptr};
    gpu_.check(gpu_.vk().vkBeginCommandBuffer(buffer_, &info), "vkBeginCommandBuffer");
    hazards_.clear();
    barrier();
  }
  // Makes what was written visible to the host, too.
  void end() {
    barrier();
    gpu_.check(gpu_.vk().vkEndCommandBuffer(buffer_), "vkEndCommandBuffer");
  }
  void launch(const Launch& l, VkDescriptorSet set) {
    if (hazards_.add(l)) barrier();
    write_set(l, set);
    const VolkDeviceTable& vk = gpu_.vk();
    const VkProgram& program = program_of(l);
    vk.vkCmdBindPipeline(buffer_, VK_PIPELINE_BIND_POINT_COMPUTE, program.pipeline);
    vk.vkCmdBindDescriptorSets(buffer_, VK_PIPELINE_BIND_POINT_COMPUTE, program.layout, 0, 1, &set, 0,
                               nullptr);
    uint32_t params[1 + kMaxBindings];
    params[0] = l.dispatch.first;
    std::copy_n(l.base.begin(), l.bindings, params + 1);
    vk.vkCmdPushConstants(buffer_, program.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, (1 + l.bindings) * 4,
                          params);
    vk.vkCmdDispatch(buffer_, l.dispatch.groups[0], l.dispatch.groups[1], l.dispatch.groups[2]);
  }
  void copy(const BoundRange& from, const BoundRange& to) {
    if (hazards_.add({&from, 1}, {&to, 1})) barrier();
    const VkBufferCopy region{from.offset, to.offset, from.size};
    gpu_.vk().vkCmdCopyBuffer(buffer_, block_of(from.memory).buffer(), block_of(to.memory).buffer(), 1,
                              &region);
  }

 private:
  void barrier() {
    const VkMemoryBarrier all{
        VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr,
        VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT | VK_ACCESS_HOST_WRITE_BIT,
        VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_READ_BIT |
            VK_ACCESS_TRANSFER_WRITE_BIT | VK_ACCESS_HOST_READ_BIT};
    const VkPipelineStageFlags stages =
        VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT | VK_PIPELINE_STAGE_HOST_BIT;
    gpu_.vk().vkCmdPipelineBarrier(buffer_, stages, stages, 0, 1, &all, 0, nullptr, 0, nullptr);
  }
  // A binding that the kernel does not touch gets the code: every one that a shader names must be valid.
  void write_set(const Launch& l, VkDescriptorSet set) {
    VkDescriptorBufferInfo info[kMaxBindings];
    for (uint32_t b = 0; b < l.bindings; ++b) {
      const BoundRange& r = l.range[b].memory ? l.range[b] : l.range[0];
      info[b] = {block_of(r.memory).buffer(), r.offset, r.size};
    }
    const VkWriteDescriptorSet write{
        VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, nullptr, set,  0,      0, l.bindings,
        VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,      nullptr, info, nullptr};
    gpu_.vk().vkUpdateDescriptorSets(gpu_.get(), 1, &write, 0, nullptr);
  }

  VkGpu& gpu_;
  VkCommandPool pool_ = VK_NULL_HANDLE;
  VkCommandBuffer buffer_ = VK_NULL_HANDLE;
  Hazards hazards_;
};

// One command buffer, recorded once; written anew after an update.
struct VkRecording : Recording {
  VkRecording(VkGpu& g, std::span<const Launch> l)
      : gpu(g), launches(l.begin(), l.end()), sets(g, static_cast<uint32_t>(l.size())), commands(g) {
    for (const Launch& one : launches) sets.add(one);
  }
  ~VkRecording() override { gpu.wait_idle(); }
  void write() {
    commands.begin(VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT);
    for (size_t i = 0; i < launches.size(); ++i) commands.launch(launches[i], sets[i]);
    commands.end();
    written = true;
  }
  VkGpu& gpu;
  std::vector<Launch> launches;
  Sets sets;
  Commands commands;
  bool written = false;
};

constexpr uint32_t kMaxPending = 512;  // launches in the command buffer before it is submitted
constexpr uint64_t kStagingBytes = uint64_t{4} << 20;  // least size of a staging block
constexpr uint64_t kMaxStaging = uint64_t{64} << 20;   // of all of them

class VkStream : public Stream {
 public:
  explicit VkStream(VkGpu& gpu) : gpu_(gpu), commands_(gpu), sets_(gpu, kMaxPending) {
    const VkFenceCreateInfo info{VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, nullptr, 0};
    gpu.check(gpu.vk().vkCreateFence(gpu.get(), &info, nullptr, &fence_), "vkCreateFence");
  }
  ~VkStream() override {
    gpu_.wait_idle();
    gpu_.vk().vkDestroyFence(gpu_.get(), fence_, nullptr);
  }

  void launch(const Launch& l) override {
    if (sets_.full()) drain();
    open();
    commands_.launch(l, sets_.add(l));
  }

  void copy(const Copy& c) override {
    if (c.src && c.dst) {
      open();
      commands_.copy({c.src, c.src_offset, c.size}, {c.dst, c.dst_offset, c.size});
      return;
    }
    for (uint64_t done = 0; done < c.size;) {
      open();  // first: it may end what staging memory is in use by
      const BoundRange part = stage(c.size - done);
      open();  // again: staging may have had to submit
      char* bytes = static_cast<char*>(part.memory->host()) + part.offset;
      if (c.dst) {
        std::memcpy(bytes, static_cast<const char*>(c.src_host) + done, part.size);
        commands_.copy(part, {c.dst, c.dst_offset + done, part.size});
      } else {
        commands_.copy({c.src, c.src_offset + done, part.size}, part);
        downloads_.push_back({static_cast<char*>(c.dst_host) + done, bytes, part.size});
      }
      done += part.size;
    }
  }

  bool finish(uint64_t timeout_ns) override {
    if (fence_pending_ && !wait_fence(timeout_ns)) return false;  // of a finish that ran out of time
    close();
    if (!submitted_) return true;
    gpu_.submit(VK_NULL_HANDLE, fence_);
    fence_pending_ = true;
    if (!wait_fence(timeout_ns)) return false;
    return true;
  }

  std::unique_ptr<Recording> record(std::span<const Launch> launches) override {
    auto r = std::make_unique<VkRecording>(gpu_, launches);
    r->write();
    return r;
  }
  void update(Recording& recording, size_t first, std::span<const Launch> launches) override {
    auto& r = static_cast<VkRecording&>(recording);
    if (r.written) drain();  // it may still run
    r.written = false;
    std::ranges::copy(launches, r.launches.begin() + static_cast<std::ptrdiff_t>(first));
  }
  void replay(Recording& recording) override {
    auto& r = static_cast<VkRecording&>(recording);
    if (!r.written) r.write();
    close();
    gpu_.submit(r.commands.get(), VK_NULL_HANDLE);
    submitted_ = true;
  }

 private:
  struct Download {
    void* to;
    const void* from;
    uint64_t size;
  };

  // Commands go to the open buffer; one that was submitted must end before it is written again.
  void open() {
    if (open_) return;
    if (own_submitted_) drain();
    commands_.begin(VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT);
    open_ = true;
  }
  void close() {
    if (!open_) return;
    open_ = false;
    commands_.end();
    gpu_.submit(commands_.get(), VK_NULL_HANDLE);
    submitted_ = own_submitted_ = true;
  }
  void drain() { finish(UINT64_MAX); }

  bool wait_fence(uint64_t timeout_ns) {
    const VkResult r = gpu_.vk().vkWaitForFences(gpu_.get(), 1, &fence_, VK_TRUE, timeout_ns);
    if (r == VK_TIMEOUT) return false;
    gpu_.check(r, "vkWaitForFences");
    fence_pending_ = false;
    gpu_.check(gpu_.vk().vkResetFences(gpu_.get(), 1, &fence_), "vkResetFences");
    if (!open_) idle();
    return true;
  }
  // Everything is done: what was read back goes to its place, and the rest may be used again.
  void idle() {
    for (const Download& d : downloads_) std::memcpy(d.to, d.from, d.size);
    downloads_.clear();
    sets_.clear();
    if (staging_.size() > 1) staging_.erase(staging_.begin(), staging_.end() - 1);
    staging_used_ = staging_total_ = 0;
    if (!staging_.empty()) staging_total_ = staging_.back()->size();
    submitted_ = own_submitted_ = false;
  }

  // A piece of staging memory of at most `size` bytes, free until the next idle().
  BoundRange stage(uint64_t size) {
    if (staging_.empty() || staging_used_ == staging_.back()->size()) grow(size);
    const VkBlock& b = *staging_.back();
    const BoundRange part{&b, staging_used_, std::min(size, b.size() - staging_used_)};
    // Copies of words stay aligned to them.
    staging_used_ = std::min((part.offset + part.size + 15) / 16 * 16, b.size());
    return part;
  }
  void grow(uint64_t size) {
    if (staging_total_ >= kMaxStaging) {
      drain();
      if (staging_used_ < staging_.back()->size()) return;
    }
    const uint64_t want = std::clamp(size, kStagingBytes, kMaxStaging) / 16 * 16 + 16;
    staging_.push_back(std::make_unique<VkBlock>(gpu_, want, true));
    staging_used_ = 0;
    staging_total_ += want;
  }

  VkGpu& gpu_;
  Commands commands_;
  Sets sets_;
  VkFence fence_ = VK_NULL_HANDLE;
  bool open_ = false;           // commands_ is being written
  bool own_submitted_ = false;  // commands_ may run
  bool submitted_ = false;      // anything may run
  bool fence_pending_ = false;
  std::vector<std::unique_ptr<VkBlock>> staging_;
  uint64_t staging_used_ = 0, staging_total_ = 0;
  std::vector<Download> downloads_;
};

}  // namespace

std::unique_ptr<Stream> make_stream(VkGpu& gpu) { return std::make_unique<VkStream>(gpu); }

}  // namespace opmux::gpu
