// SPDX-License-Identifier: Apache-2.0
// The host that the suite is for a plugin: it counts what the plugin takes, and runs parallel loops on
// threads of its own, in an order that nobody may rely on.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "opmux/plugin.h"

namespace opmux::cts {

class Host {
 public:
  explicit Host(uint32_t threads);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  opmux_host_api* api() { return &api_; }
  int64_t live_bytes() const { return bytes_; }
  int64_t live_blocks() const { return blocks_; }
  static uint64_t allocations_here();  // by the calling thread, of any host
  uint64_t loops() const { return loops_; }
  uint64_t misuse() const { return misuse_; }  // frees of unknown size, bodies that outlive their loop

  std::atomic<int64_t> fail_after{-1};  // >= 0: that many allocations succeed, later ones fail
  std::atomic<uint64_t> cancelled_token{UINT64_MAX};

 private:
  struct Loop {
    opmux_body body;
    void* ctx;
    uint64_t n, grain, chunks, step;  // chunk k of the loop is chunk k * step mod chunks of the range
    std::atomic<uint64_t> next{0}, done{0};
  };
  static Host& self(opmux_host h) { return *reinterpret_cast<Host*>(h); }
  void* take(uint64_t size, uint64_t align);
  void give(void* p, uint64_t size, uint64_t align);
  opmux_status parallel(uint64_t n, uint64_t grain, opmux_body body, void* ctx);
  void work(uint32_t worker);
  static bool chunk(Loop& loop, uint32_t worker);

  opmux_host_api api_{};
  std::atomic<int64_t> bytes_{0}, blocks_{0};
  std::atomic<uint64_t> loops_{0}, misuse_{0};
  std::vector<std::thread> threads_;
  std::mutex lock_, one_loop_;
  std::condition_variable wake_;
  Loop* loop_ = nullptr;
  uint64_t turn_ = 0;
  uint32_t inside_ = 0;  // workers that hold loop_
  bool stop_ = false;
};

}  // namespace opmux::cts
