// SPDX-License-Identifier: Apache-2.0
// A compiled graph with memory: arenas, workspaces and recorded commands of one run context.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "host/graph/compiled.hpp"
#include "host/graph/lanes.hpp"
#include "host/queue/queue.hpp"

namespace opmux {

// Memory in a space: the host's own or a block of a device.
class SpaceMemory {
 public:
  SpaceMemory() = default;
  // route null: host memory, zeroed.
  SpaceMemory(Route* route, ConstantStore& pools, uint64_t size_bytes);
  opmux_mem mem() const { return host_ ? reinterpret_cast<uint64_t>(host_.get()) : block_.mem(); }
  uint64_t offset() const { return host_ ? 0 : block_.offset(); }
  std::byte* host() const { return host_.get(); }
  Route* route() const { return route_; }
  explicit operator bool() const { return size_ != 0; }
  uint64_t size() const { return size_; }

 private:
  std::shared_ptr<std::byte> host_;
  Block block_;
  Route* route_ = nullptr;
  uint64_t size_ = 0;
};

// A state buffer of a run context; moves between spaces when plans of different shapes keep it in different
// ones.
struct StateBuffer {
  std::string name;
  opmux_tdesc desc{};
  SpaceMemory memory;
};

struct NodeTime {
  uint32_t node = 0;
  uint64_t time_ns = 0;
};

// What a run binds: addresses of element 0 of contiguous inputs (the state length last) and outputs.
struct Ports {
  std::vector<const void*> in;
  std::vector<void*> out;
};

class Instance {
 public:
  Instance(std::shared_ptr<const CompiledGraph> plan, ConstantStore& pools, std::vector<StateBuffer>& states);

  const CompiledGraph& plan() const { return *plan_; }
  // Runs every step and waits. Allocates nothing after the first call. cancelled may be null.
  void run(const Ports& ports, const std::atomic<bool>* cancelled);
  // As run, node by node, with the time of each.
  void run_profiled(const Ports& ports, std::vector<NodeTime>& times);

 private:
  struct Site {  // an argument of a recorded run that lies in a port
    bool output = false;
    uint32_t port = 0, run = 0, arg = 0;
    uint64_t size = 0;
    int64_t offset = 0;
  };
  struct Segment {
    Commands commands;
    std::vector<Site> sites;
    std::vector<opmux_rebind> rebinds;
  };

  opmux_bind bind_of(const Operand& operand, uint32_t space) const;
  std::vector<opmux_run> runs_of(const Step& step, std::vector<opmux_bind>& binds) const;
  void record(const Step& step, Segment& segment);
  void replay(const Step& step, Segment& segment);
  void copy(const Step& step);
  void segment(uint32_t index);
  // One step beside others.
  void lane_step(uint32_t index, const std::atomic<bool>* cancelled);
  bool ports_overlap() const;
  void finish_all();
  // After a failure: nothing of the run reads or writes memory any more.
  void settle() noexcept;
  const void* port_address(const Location& at) const;

  std::shared_ptr<const CompiledGraph> plan_;
  std::vector<StateBuffer>& states_;
  std::vector<std::unique_ptr<Queue>> queues_;  // per route of the plan
  std::vector<SpaceMemory> arenas_;             // per space
  std::vector<SpaceMemory> workspaces_;         // per route
  std::vector<Segment> segments_;               // per step; empty for copies
  std::vector<uint32_t> queue_of_space_;
  std::vector<std::unique_ptr<Queue>> copy_queues_;  // with lanes: per space but the host's
  Ports ports_;                                      // of the current run
  bool recorded_ = false, beside_ = false;           // beside_: the current run goes by lanes
  std::unique_ptr<Lanes> lanes_;                     // last: its threads use the rest
};

}  // namespace opmux
