// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "opmux/plugin.h"

// The one pool of threads that host and plugins share: a oneTBB arena, or std::thread where the build says
// OPMUX_THREADS_BACKEND=std (ThreadSanitizer sees through that one).
namespace opmux::threads {

// Threads that take part, the caller included: `wanted` of the first configure(), else OPMUX_THREADS, else
// the CPUs that this process may run on. 1 means that no thread is ever made.
uint32_t concurrency();

// Sets the count before the first use; returns false when the pool already runs with another count.
bool configure(uint32_t wanted);

// Runs body over [0, n) in chunks of exactly `grain` (the last is shorter) and returns when all are done.
// Chunk bounds depend on n and grain only. The caller takes part; nested calls run inline. body must not
// throw. worker < concurrency() and is unique among the threads that run at once within one call.
void parallel(uint64_t n, uint64_t grain, opmux_body body, void* ctx);

}  // namespace opmux::threads
