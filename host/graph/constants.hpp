// SPDX-License-Identifier: Apache-2.0
// Constants as devices hold them: plain or packed, shared by content between plans and shapes.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "host/ir/graph.hpp"
#include "host/kernel/kernel_cache.hpp"
#include "host/memory/pool.hpp"

namespace opmux {

// Bytes of a constant in a route's memory; returned to its pool when the last plan lets go.
struct ConstantBlock {
  Block block;
  uint64_t size_bytes = 0;
  uint64_t layout_arg = 0;
};

class ConstantStore {
 public:
  // A whole storage, plain, in the memory of a route that does not work on host memory.
  std::shared_ptr<ConstantBlock> plain(Route& route, const HostTensor& storage);
  // Input `operand` of d, whose bytes lie at `element0` in host memory, in the route's opaque layout.
  std::shared_ptr<ConstantBlock> packed(Route& route, const opmux_opd& d, uint32_t operand, uint32_t layout,
                                        const HostTensor& view);
  // Bytes held now.
  uint64_t held_bytes() const;
  std::vector<std::pair<Route*, PoolStats>> pool_stats() const;
  // The pool of a route.
  std::shared_ptr<Pool> pool(Route& route);
  // Gives back what no plan uses.
  void trim();
  // Its device is lost: what there is of it stays where it is used, and is not used for anything new.
  void forget(const Route& route);

 private:
  std::shared_ptr<ConstantBlock> find(const std::string& key);

  mutable std::mutex mutex_;
  std::map<Route*, std::shared_ptr<Pool>> pools_;
  std::map<std::string, std::weak_ptr<ConstantBlock>> blocks_;
};

}  // namespace opmux
