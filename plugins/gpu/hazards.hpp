// SPDX-License-Identifier: Apache-2.0
// Which launches and copies of one queue must wait for earlier ones: those that read what was written, or
// write what was read or written, since the last barrier.
#pragma once

#include <algorithm>
#include <vector>

#include "gpu/plan.hpp"

namespace opmux::gpu {

class Hazards {
 public:
  // Adds the accesses of one operation; true: it needs a barrier before it, after which only it is
  // remembered.
  bool add(std::span<const BoundRange> reads, std::span<const BoundRange> writes) {
    const bool wait = meets(reads, written_) || meets(writes, written_) || meets(writes, read_);
    if (wait) clear();
    read_.insert(read_.end(), reads.begin(), reads.end());
    written_.insert(written_.end(), writes.begin(), writes.end());
    return wait;
  }
  bool add(const Launch& l) {
    std::array<BoundRange, kMaxBindings> reads, writes;
    uint32_t n_read = 0, n_written = 0;
    for (uint32_t b = 1; b < l.bindings; ++b) {  // code is never written by a queue
      if (!l.range[b].memory) continue;
      if (l.written >> b & 1)
        writes[n_written++] = l.range[b];
      else
        reads[n_read++] = l.range[b];
    }
    return add({reads.data(), n_read}, {writes.data(), n_written});
  }
  void clear() {
    read_.clear();
    written_.clear();
  }

 private:
  static bool meets(std::span<const BoundRange> a, const std::vector<BoundRange>& b) {
    return std::ranges::any_of(a, [&](const BoundRange& x) {
      return std::ranges::any_of(b, [&](const BoundRange& y) {
        return x.memory == y.memory && x.offset < y.offset + y.size && y.offset < x.offset + x.size;
      });
    });
  }
  std::vector<BoundRange> read_, written_;
};

}  // namespace opmux::gpu
