// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace opmux::threads {

using RunChunks = void (*)(const void* loop, uint64_t first, uint64_t last, uint32_t worker);

// Calls run for disjoint ranges that cover [0, chunks) on at most `threads` threads, the caller among them,
// and returns when all are done.
void backend_run(uint32_t threads, uint64_t chunks, RunChunks run, const void* loop);

}  // namespace opmux::threads
