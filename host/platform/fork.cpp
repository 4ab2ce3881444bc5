// SPDX-License-Identifier: Apache-2.0
#include "host/platform/fork.hpp"

#include <pthread.h>

#include <atomic>

namespace opmux {
namespace {

std::atomic<uint32_t> g_forks{0};

void count_fork() { g_forks.fetch_add(1, std::memory_order_relaxed); }

// glibc drops the handler by itself when the library that registered it is unloaded.
[[maybe_unused]] const int g_registered = pthread_atfork(nullptr, nullptr, count_fork);

}  // namespace

uint32_t fork_count() { return g_forks.load(std::memory_order_relaxed); }

}  // namespace opmux
