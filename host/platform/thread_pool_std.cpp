// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "host/platform/thread_pool_backend.hpp"

namespace opmux::threads {
namespace {

// One loop at a time; a second caller runs its own chunks by itself. All counts are under the mutex: this
// pool is for the thread checker, which wants plain locking more than speed.
class Pool {
 public:
  explicit Pool(uint32_t threads) {
    for (uint32_t worker = 1; worker < threads; ++worker) {
      std::thread([this, worker] { work(worker); }).detach();
    }
  }

  void run(uint64_t chunks, RunChunks body, const void* loop) {
    std::unique_lock caller(caller_, std::try_to_lock);
    if (!caller.owns_lock()) {
      body(loop, 0, chunks, 0);
      return;
    }
    std::unique_lock lock(mutex_);
    next_ = 0;
    chunks_ = chunks;
    body_ = body;
    loop_ = loop;
    start_.notify_all();
    drain(lock, 0);
    idle_.wait(lock, [this] { return busy_ == 0; });
    chunks_ = 0;
  }

 private:
  void drain(std::unique_lock<std::mutex>& lock, uint32_t worker) {
    ++busy_;
    while (next_ < chunks_) {
      const uint64_t chunk = next_++;
      lock.unlock();
      body_(loop_, chunk, chunk + 1, worker);
      lock.lock();
    }
    --busy_;
    idle_.notify_all();
  }

  void work(uint32_t worker) {
    std::unique_lock lock(mutex_);
    for (;;) {
      start_.wait(lock, [this] { return next_ < chunks_; });
      drain(lock, worker);
    }
  }

  std::mutex caller_, mutex_;
  std::condition_variable start_, idle_;
  uint64_t next_ = 0, chunks_ = 0;
  uint32_t busy_ = 0;
  RunChunks body_ = nullptr;
  const void* loop_ = nullptr;
};

}  // namespace

void backend_run(uint32_t threads, uint64_t chunks, RunChunks run, const void* loop) {
  static auto* pool = new Pool(threads);  // its detached threads use it until the process ends
  pool->run(chunks, run, loop);
}

}  // namespace opmux::threads
