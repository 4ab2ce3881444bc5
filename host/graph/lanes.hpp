// SPDX-License-Identifier: Apache-2.0
// Steps of a plan side by side: lanes, each doing its own steps in order.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "host/graph/compiled.hpp"
#include "host/loader/watch.hpp"

namespace opmux {

// Decides whether the plan's steps are done side by side, and sets their lanes if so: one per memory space
// for its kernels, one for its copies. Copies then do not share their memory with anything.
// copy_ns(step): predicted time of a copy.
void find_lanes(CompiledGraph& plan, const std::function<double(const Step&)>& copy_ns);

// Threads that do the steps of one instance, lane 0 by the caller. One run at a time. Allocates nothing in
// run().
class Lanes {
 public:
  explicit Lanes(const CompiledGraph& plan);
  ~Lanes();
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  // Calls work(step) for each step when all steps are done that it waits for. The first exception stops every
  // lane at its next step, and is thrown when all have stopped.
  void run(const std::function<void(uint32_t step)>& work);

 private:
  void work(uint32_t lane);
  void thread(uint32_t lane);
  bool wait_for(uint32_t step);

  const CompiledGraph& plan_;
  std::vector<std::vector<uint32_t>> steps_;  // per lane
  std::mutex mutex_;
  std::condition_variable begin_, changed_;
  const std::function<void(uint32_t)>* work_ = nullptr;
  std::vector<bool> done_;  // per step that another lane waits for
  uint64_t run_ = 0;        // counts runs, so that each thread takes part once
  uint32_t busy_ = 0;       // threads that have not ended this run
  bool failed_ = false, end_ = false;
  Watch* watch_ = nullptr;  // of the caller
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;
};

}  // namespace opmux
