// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "host/loader/route.hpp"
#include "host/loader/watch.hpp"
#include "host/memory/pool.hpp"
#include "host/queue/timeline.hpp"

namespace opmux {

class Queue;

// A recorded sequence of runs; belongs to its queue and must go before it. Kernels and memory must outlive
// it.
class Commands {
 public:
  Commands() = default;
  ~Commands() { reset(); }
  Commands(Commands&& other) noexcept { swap(other); }
  Commands& operator=(Commands&& other) noexcept {
    Commands(std::move(other)).swap(*this);
    return *this;
  }
  explicit operator bool() const { return handle_ != nullptr || kept_ != nullptr; }
  uint32_t size() const { return n_; }
  // Whether the plugin recorded it, or the host keeps the runs and enqueues them at each replay.
  bool native() const { return handle_ != nullptr; }
  void reset();
  void swap(Commands& other) noexcept;

 private:
  friend class Queue;

  // The runs with all that they point to.
  struct Kept {
    std::vector<opmux_run> runs;
    std::vector<opmux_bind> args;
    std::vector<opmux_tdesc> actuals;
    std::vector<opmux_wait> waits;
    std::vector<uint64_t> params;
  };
  static std::unique_ptr<Kept> keep(std::span<const opmux_run> runs);

  Route* route_ = nullptr;
  opmux_commands handle_ = nullptr;
  std::unique_ptr<Kept> kept_;
  uint32_t n_ = 0;
};

// An ordered queue of one device. One thread at a time; every function throws Error with the plugin's
// sentence. copy, enqueue and replay allocate nothing after the plugin's first call.
class Queue {
 public:
  static constexpr uint64_t kForever = ~uint64_t{0};

  explicit Queue(Route& route);
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  Route& route() const { return route_; }
  opmux_queue get() const { return handle_; }

  void copy(std::span<const opmux_copy> copies);
  // Whole or part of a block; `bytes` must live until finish().
  void upload(const Block& to, uint64_t offset, const void* bytes, uint64_t size_bytes);
  void download(const Block& from, uint64_t offset, void* bytes, uint64_t size_bytes);
  // The same with memory of which only the plugin knows the size.
  void upload(opmux_mem to, uint64_t offset, const void* bytes, uint64_t size_bytes);
  void download(opmux_mem from, uint64_t offset, void* bytes, uint64_t size_bytes);

  void enqueue(std::span<const opmux_run> runs) {
    route_.plugin().check_process();
    const Watch::Inside inside(route_);
    const auto n = static_cast<uint32_t>(runs.size());
    check(api_->enqueue_many(handle_, runs.data(), sizeof(opmux_run), n, err_.get()), "enqueue");
  }
  // Waits until everything is done; throws the first failure since the last finish.
  void finish(uint64_t timeout_ns = kForever);

  Commands record(std::span<const opmux_run> runs);
  // Binds replaced here stay replaced in later replays.
  void replay(Commands& commands, std::span<const opmux_rebind> rebinds = {}) {
    route_.plugin().check_process();
    if (commands.handle_ == nullptr) return replay_kept(commands, rebinds);
    const Watch::Inside inside(route_);
    const auto n = static_cast<uint32_t>(rebinds.size());
    check(api_->replay(handle_, commands.handle_, rebinds.data(), n, err_.get()), "replay");
  }

  // Reorders a constant operand into the plugin's layout (see opmux_op_api.pack); done when it returns.
  void pack(const opmux_opd& d, uint32_t operand, uint32_t layout, const opmux_bind& from,
            const opmux_bind& to);

  // The timeline reaches value when everything enqueued so far is done.
  void signal(Timeline& timeline, uint64_t value);
  // What is enqueued from now on waits until the timeline reaches value.
  void wait(Timeline& timeline, uint64_t value);

 private:
  void check(opmux_status status, const char* doing) const {
    if (status != OPMUX_OK) raise(status, doing);
  }
  [[noreturn]] void raise(opmux_status status, const char* doing) const;
  void replay_kept(Commands& commands, std::span<const opmux_rebind> rebinds);

  Route& route_;
  uint32_t epoch_;
  const opmux_queue_api* api_;
  opmux_queue handle_ = nullptr;
  ErrRecord err_;
};

}  // namespace opmux
