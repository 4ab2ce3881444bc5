// SPDX-License-Identifier: Apache-2.0
// Offsets for buffers whose lifetimes are known, so that those alive together do not overlap.
#pragma once

#include <cstdint>
#include <vector>

namespace opmux {

struct Lifetime {
  uint64_t size_bytes = 0;
  uint32_t first = 0, last = 0;  // events, both inclusive
  uint64_t offset = 0;           // written by plan_memory
};

// Largest first, each at the lowest offset that is free over its lifetime (greedy by size; Pisarchyk and Lee,
// "Efficient memory management for deep neural net inference", 2020). Returns the bytes needed in all.
uint64_t plan_memory(std::vector<Lifetime>& lifetimes, uint64_t align);

}  // namespace opmux
