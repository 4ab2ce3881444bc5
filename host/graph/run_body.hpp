// SPDX-License-Identifier: Apache-2.0
// What runs of a context use, and what a call that hangs may go on using when the context has left it behind.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "host/graph/instance.hpp"
#include "host/graph/plan.hpp"
#include "host/graph/staged_run.hpp"
#include "opmux/opmux.h"

namespace opmux {

class RunBody {
 public:
  explicit RunBody(std::shared_ptr<Plan> plan);

  // One run: addresses of contiguous inputs, and bound outputs (data null: the body's own memory).
  struct Call {
    std::vector<const void*> in;
    std::vector<opmux_tensor> out;
    int64_t state_length = 0;
    uint64_t random_offset = 0;
  };

  // Makes ready for inputs of these types and shapes, on all routes but these.
  void prepare(const std::vector<opmux_tdesc>& inputs, const Without& without, int64_t state_length);
  // The shapes that prepare was last called for.
  bool ready() const { return current_ != nullptr; }
  // cancelled may be null. Allocates nothing when the same was run before.
  void run(const Call& call, const std::atomic<bool>* cancelled);
  // Forgets what is compiled and its memory; states stay.
  void drop_shapes();
  void drop_states() { states_.clear(); }

  // Null: the model runs in stages.
  const CompiledGraph* graph() const { return current_->instance ? &current_->instance->plan() : nullptr; }
  const std::vector<HostTensor>& outputs() const { return current_->outputs; }
  const std::vector<StateBuffer>& states() const { return states_; }
  const Router& router() const { return placed_->router(); }
  const Without& without() const { return without_; }
  // Of the last run.
  const std::vector<NodeTime>& times() const { return times_; }
  std::vector<const StagedRun::Part*> parts() const;

  // For runs with a deadline: copies of the inputs, and whether the run shall stop.
  std::vector<HostTensor> held;
  std::atomic<bool> stop{false};

 private:
  struct Shape {
    std::vector<opmux_tdesc> inputs;
    std::unique_ptr<Instance> instance;  // null: in stages
    std::vector<HostTensor> outputs;     // the body's own memory
    uint64_t used = 0;
  };

  void add_shape(const std::vector<opmux_tdesc>& inputs, int64_t state_length);
  void hold_states(const CompiledGraph& graph, int64_t state_length);
  void check_bound(const opmux_tensor& bound, const opmux_tdesc& have, size_t index) const;
  void run_stages(const Call& call, const std::atomic<bool>* cancelled);

  std::shared_ptr<Plan> plan_;
  std::shared_ptr<Placed> placed_;
  Without without_;
  std::vector<StateBuffer> states_;
  std::vector<Shape> shapes_;
  std::unique_ptr<StagedRun> stages_;
  Shape* current_ = nullptr;
  Ports ports_;
  int64_t length_ = 0;
  uint64_t random_offset_ = 0, runs_ = 0;
  std::vector<NodeTime> times_;
};

bool same_type_and_shape(const opmux_tdesc& a, const opmux_tdesc& b);

}  // namespace opmux
