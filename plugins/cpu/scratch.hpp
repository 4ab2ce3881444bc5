// SPDX-License-Identifier: Apache-2.0
// Scratch of parallel work: slots in a workspace, one for each thread that may run at once.
#ifndef OPMUX_CPU_SCRATCH_HPP
#define OPMUX_CPU_SCRATCH_HPP

#include <cstdint>

#include "cpu/gemm_plan.hpp"
#include "cpu/parallel.hpp"

namespace opmux::cpu {

// The first cache line at or after p.
inline char* align64(void* p) {
  return reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(p) + 63) & ~uintptr_t{63});
}

// The workspace of parallel_scratch.
inline uint64_t scratch_bytes(uint64_t slot_bytes) {
  return slot_bytes * static_cast<uint64_t>(scratch_slots()) + 64;
}

// body(begin, end, slot) over [0, n) of ns_per_item each; slot: slot_bytes in ws that no other running body
// has, from a cache line on if slot_bytes is a multiple of 64.
template <class Body>
void parallel_scratch(const opmux_host_api* host, int64_t n, double ns_per_item, void* ws,
                      uint64_t slot_bytes, const Body& body) {
  const auto items = static_cast<uint64_t>(n);
  char* slots = align64(ws);
  parallel_slots(host, items, grain_for(items, ns_per_item), static_cast<uint64_t>(scratch_slots()),
                 [&](uint64_t begin, uint64_t end, uint64_t slot) {
                   body(static_cast<int64_t>(begin), static_cast<int64_t>(end), slots + slot * slot_bytes);
                 });
}

}  // namespace opmux::cpu
#endif
