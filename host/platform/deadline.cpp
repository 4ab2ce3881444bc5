// SPDX-License-Identifier: Apache-2.0
#include "host/platform/deadline.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "host/platform/thread_pool.hpp"

namespace opmux {
namespace {

constexpr uint64_t kLongestNs = uint64_t{365} * 24 * 3600 * 1'000'000'000;
constexpr std::chrono::milliseconds kLook{20};

}  // namespace

bool run_within(uint64_t timeout_ns, std::function<void()> work, const std::function<void()>& look) {
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
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::nanoseconds(std::min(timeout_ns, kLongestNs));
  std::unique_lock lock(shared->mutex);
  while (!shared->done) {
    const auto now = Clock::now();
    if (now >= end) return false;
    shared->ended.wait_until(lock, look ? std::min(end, now + kLook) : end);
    if (look) look();
  }
  if (shared->failure) std::rethrow_exception(std::exchange(shared->failure, nullptr));
  return true;
}

}  // namespace opmux
