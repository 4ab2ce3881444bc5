// SPDX-License-Identifier: Apache-2.0
// Parallel loops over the host's thread pool.
#ifndef OPMUX_CPU_PARALLEL_HPP
#define OPMUX_CPU_PARALLEL_HPP

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "opmux/plugin.h"

namespace opmux::cpu {

// Runs body(begin, end) over [0, n) in chunks of `grain` (the last is shorter); one chunk runs on the caller
// without a call into the host. Chunk bounds depend on n and grain only, so a body whose result depends on
// its own chunk alone gives the same bits for any number of threads. Allocates nothing. body must not throw.
template <class Body>
void parallel_for(const opmux_host_api* host, uint64_t n, uint64_t grain, Body&& body) {
  grain = std::max<uint64_t>(grain, 1);
  if (n == 0) return;
  if (n <= grain) return (void)body(uint64_t{0}, n);
  using B = std::remove_reference_t<Body>;
  auto run = [](void* ctx, uint64_t begin, uint64_t end, uint32_t) { (*static_cast<B*>(ctx))(begin, end); };
  host->parallel(host->self, n, grain, run, const_cast<void*>(static_cast<const void*>(&body)));
}

// As parallel_for with body(begin, end, slot): no two running bodies have the same slot, which is below
// `slots`. For scratch that lies in a workspace of fixed size, whatever number of threads the host turns out
// to have.
template <class Body>
void parallel_slots(const opmux_host_api* host, uint64_t n, uint64_t grain, uint64_t slots, Body&& body) {
  grain = std::max<uint64_t>(grain, 1);
  if (n == 0) return;
  if (n <= grain || slots == 1) return (void)body(uint64_t{0}, n, uint64_t{0});
  if (host->concurrency(host->self) > slots) {
    const uint64_t chunk = std::max(grain, (n + slots - 1) / slots);
    return parallel_for(host, n, chunk,
                        [&](uint64_t begin, uint64_t end) { body(begin, end, begin / chunk); });
  }
  using B = std::remove_reference_t<Body>;
  auto run = [](void* ctx, uint64_t begin, uint64_t end, uint32_t worker) {
    (*static_cast<B*>(ctx))(begin, end, worker);
  };
  host->parallel(host->self, n, grain, run, const_cast<void*>(static_cast<const void*>(&body)));
}

// Items per chunk so that a chunk costs about `target_ns` and there are at most `max_chunks` of them: forking
// for less than a few microseconds of work loses. Depends on the shape only.
inline uint64_t grain_for(uint64_t n, double ns_per_item, double target_ns = 20000,
                          uint64_t max_chunks = 256) {
  const double by_cost = target_ns / std::max(ns_per_item, 1e-3);
  const uint64_t want = by_cost >= static_cast<double>(n) ? n : static_cast<uint64_t>(by_cost);
  return std::max<uint64_t>({want, (n + max_chunks - 1) / max_chunks, 1});
}

}  // namespace opmux::cpu
#endif
