// SPDX-License-Identifier: Apache-2.0
#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include "host/platform/thread_pool_backend.hpp"

namespace opmux::threads {
namespace {

// Never destroyed, so that no destructor of ours runs at exit beside threads of drivers.
tbb::task_arena& arena(uint32_t threads) {
  // More threads than CPUs only on demand; oneTBB keeps to the CPUs otherwise. The limit is the whole
  // process's, so it is left alone where it need not be raised.
  static const auto* limit =
      static_cast<int>(threads) <= tbb::info::default_concurrency()
          ? nullptr
          : new tbb::global_control(tbb::global_control::max_allowed_parallelism, threads);
  static_cast<void>(limit);
  static auto* arena = new tbb::task_arena(static_cast<int>(threads));
  return *arena;
}

}  // namespace

void backend_run(uint32_t threads, uint64_t chunks, RunChunks run, const void* loop) {
  arena(threads).execute([&] {
    tbb::parallel_for(tbb::blocked_range<uint64_t>(0, chunks, 1),
                      [&](const tbb::blocked_range<uint64_t>& range) {
                        run(loop, range.begin(), range.end(),
                            static_cast<uint32_t>(tbb::this_task_arena::current_thread_index()));
                      });
  });
}

}  // namespace opmux::threads
