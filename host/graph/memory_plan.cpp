// SPDX-License-Identifier: Apache-2.0
#include "host/graph/memory_plan.hpp"

#include <algorithm>
#include <numeric>

namespace opmux {

uint64_t plan_memory(std::vector<Lifetime>& lifetimes, uint64_t align) {
  std::vector<uint32_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    const uint64_t x = lifetimes[a].size_bytes, y = lifetimes[b].size_bytes;
    return x != y ? x > y : a < b;
  });
  auto rounded = [align](uint64_t n) { return (n + align - 1) / align * align; };
  std::vector<uint32_t> placed;  // by offset
  uint64_t total = 0;
  for (uint32_t i : order) {
    Lifetime& l = lifetimes[i];
    uint64_t at = 0;
    for (uint32_t k : placed) {
      const Lifetime& other = lifetimes[k];
      if (other.last < l.first || l.last < other.first) continue;
      if (other.offset >= at + rounded(l.size_bytes)) break;
      at = std::max(at, other.offset + rounded(other.size_bytes));
    }
    l.offset = at;
    total = std::max(total, at + rounded(l.size_bytes));
    const auto where = std::lower_bound(placed.begin(), placed.end(), i, [&](uint32_t a, uint32_t b) {
      return lifetimes[a].offset < lifetimes[b].offset;
    });
    placed.insert(where, i);
  }
  return total;
}

}  // namespace opmux
