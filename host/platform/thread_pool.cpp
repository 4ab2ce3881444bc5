// SPDX-License-Identifier: Apache-2.0
#include "host/platform/thread_pool.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <mutex>
#include <string>
#include <thread>

#include "host/platform/environment.hpp"
#include "host/platform/fork.hpp"
#include "host/platform/log.hpp"
#include "host/platform/thread_pool_backend.hpp"

namespace opmux::threads {
namespace {

constexpr uint32_t kMaxThreads = 1024;

std::mutex& setup_mutex() {
  static auto* mutex = new std::mutex;
  return *mutex;
}
std::atomic<uint32_t> g_count{0};  // 0: not chosen yet
thread_local bool t_inside = false;

uint32_t usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    return static_cast<uint32_t>(std::max(1, CPU_COUNT(&set)));
  return std::max(1u, std::thread::hardware_concurrency());
}

uint32_t default_count() {
  const auto text = environment::get("OPMUX_THREADS");
  if (!text) return std::min(usable_cpus(), kMaxThreads);
  uint32_t count = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), count);
  if (error == std::errc() && end == text->data() + text->size() && count >= 1 && count <= kMaxThreads)
    return count;
  log::warning("threads", "OPMUX_THREADS is '{}', it must be a number from 1 to {}; using {}", *text,
               kMaxThreads, usable_cpus());
  return std::min(usable_cpus(), kMaxThreads);
}

void run_inline(uint64_t n, uint64_t grain, opmux_body body, void* ctx) {
  for (uint64_t begin = 0; begin < n;) {
    const uint64_t end = begin + std::min(grain, n - begin);
    body(ctx, begin, end, 0);
    begin = end;
  }
}

struct Loop {
  uint64_t n, grain;
  opmux_body body;
  void* ctx;
};

// Runs the chunks [first, last) of a loop.
void run_chunks(const void* p, uint64_t first, uint64_t last, uint32_t worker) {
  const Loop& loop = *static_cast<const Loop*>(p);
  const bool before = t_inside;
  t_inside = true;
  for (uint64_t chunk = first; chunk < last; ++chunk) {
    const uint64_t begin = chunk * loop.grain;
    loop.body(loop.ctx, begin, std::min(begin + loop.grain, loop.n), worker);
  }
  t_inside = before;
}

}  // namespace

uint32_t concurrency() {
  const uint32_t count = g_count.load(std::memory_order_acquire);
  if (count != 0) return count;
  std::lock_guard lock(setup_mutex());
  if (g_count.load(std::memory_order_relaxed) == 0) g_count.store(default_count(), std::memory_order_release);
  return g_count.load(std::memory_order_relaxed);
}

bool configure(uint32_t wanted) {
  if (wanted == 0) return true;
  std::lock_guard lock(setup_mutex());
  const uint32_t now = g_count.load(std::memory_order_relaxed);
  if (now == 0) g_count.store(std::min(wanted, kMaxThreads), std::memory_order_release);
  return now == 0 || now == wanted;
}

void parallel(uint64_t n, uint64_t grain, opmux_body body, void* ctx) {
  if (n == 0) return;
  grain = std::min(std::max<uint64_t>(grain, 1), n);
  const uint64_t chunks = (n - 1) / grain + 1;
  // The threads of a pool do not survive a fork.
  if (chunks == 1 || t_inside || concurrency() == 1 || fork_count() != 0) {
    run_inline(n, grain, body, ctx);
    return;
  }
  const Loop loop{n, grain, body, ctx};
  backend_run(concurrency(), chunks, run_chunks, &loop);
}

}  // namespace opmux::threads
