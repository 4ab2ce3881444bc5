// SPDX-License-Identifier: Apache-2.0
#include "host/platform/deadline.hpp"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "host/platform/thread_pool.hpp"

namespace opmux {

bool run_within(uint64_t timeout_ns, std::function<void()> work) {
  if (threads::concurrency() == 1) {
    work();
    return true;
  }
  struct Shared {
    std::mutex mutex;
    std::condition_variable ended;
    bool done = false;
    std::exception_ptr failure;
  };
  const auto shared = std::make_shared<Shared>();
  std::thread([shared, work = std::move(work)]() mutable {
    std::exception_ptr failure;
    try {
      work();
    } catch (...) {
      failure = std::current_exception();
    }
    work = nullptr;  // what it owns goes before anybody learns that it ended
    const std::lock_guard lock(shared->mutex);
    shared->failure = std::move(failure);
    shared->done = true;
    shared->ended.notify_all();
  }).detach();
  std::unique_lock lock(shared->mutex);
  if (!shared->ended.wait_for(lock, std::chrono::nanoseconds(timeout_ns), [&] { return shared->done; }))
    return false;
  if (shared->failure) std::rethrow_exception(std::exchange(shared->failure, nullptr));
  return true;
}

}  // namespace opmux
