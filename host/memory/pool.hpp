// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "host/loader/route.hpp"

namespace opmux {

struct PoolStats {
  uint64_t in_use_bytes = 0;        // as allocated, padding included
  uint64_t peak_bytes = 0;          // highest in_use_bytes
  uint64_t reserved_bytes = 0;      // raw blocks taken from the plugin
  uint64_t largest_free_bytes = 0;  // largest request that needs no new raw block (at the least alignment)
  uint64_t blocks = 0;              // alive
  uint64_t raw_blocks = 0;          // alive
  uint64_t allocations = 0;         // made so far
  uint64_t raw_allocations = 0;     // made so far; stands still after warm-up
};

class PoolCore;

// A piece of device memory; move-only, returns to its pool when destroyed, which may be after the Pool object
// itself is gone but not after Registry::shutdown.
class Block {
 public:
  Block() = default;
  ~Block() { reset(); }
  Block(Block&& other) noexcept { swap(other); }
  Block& operator=(Block&& other) noexcept {
    Block(std::move(other)).swap(*this);
    return *this;
  }

  explicit operator bool() const { return core_ != nullptr; }
  opmux_mem mem() const { return mem_; }
  uint64_t offset() const { return offset_; }  // of the block in mem, in bytes
  uint64_t size() const { return size_; }      // as asked for
  Route* route() const { return route_; }
  std::byte* host() const { return host_; }  // NULL when the device's memory cannot be mapped
  opmux_bind bind(uint64_t offset_bytes = 0) const {
    return {mem_, offset_ + offset_bytes, size_ - offset_bytes, nullptr};
  }
  void reset();
  void swap(Block& other) noexcept;

 private:
  friend class PoolCore;

  std::shared_ptr<PoolCore> core_;
  Route* route_ = nullptr;
  opmux_mem mem_ = 0;
  uint64_t offset_ = 0, size_ = 0;
  std::byte* host_ = nullptr;
  uint32_t raw_ = 0, span_ = 0;  // the core's own numbers
};

struct PoolOptions {
  uint64_t raw_block_bytes = uint64_t{32} << 20;  // the least that is asked of the plugin at a time
  uint64_t budget_bytes = 0;  // 0: what the device says it has, unlimited when it does not say
  uint32_t kind = OPMUX_MEM_DEVICE;
};

// Memory of one route: two-level segregated free lists (Masmano et al., "TLSF", ECRTS 2004) over large raw
// blocks, with immediate coalescing. The books are kept on the host, the device memory is never touched. All
// functions [mt].
class Pool {
 public:
  explicit Pool(Route& route, const PoolOptions& options = {});

  // Size 0 gives an empty Block. align: a power of two. When the plugin is out of memory, unused raw blocks
  // are returned and it is asked once more; then Error OPMUX_E_OUT_OF_MEMORY with what was asked, used and
  // allowed.
  Block allocate(uint64_t size_bytes, uint64_t align = 256);
  PoolStats stats() const;
  // Gives unused raw blocks back to the plugin.
  void trim();
  void set_budget(uint64_t budget_bytes);  // 0: unlimited
  Route& route() const;

 private:
  std::shared_ptr<PoolCore> core_;
};

}  // namespace opmux
