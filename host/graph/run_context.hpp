// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/graph/instance.hpp"
#include "host/graph/plan.hpp"
#include "host/graph/staged_run.hpp"
#include "opmux/opmux.h"

namespace opmux {

// One stream of runs of a plan: bindings, states, and an Instance per set of input shapes. One thread at a
// time.
class RunContext {
 public:
  explicit RunContext(std::shared_ptr<Plan> plan);

  const Plan& plan() const { return *plan_; }
  // Throws Error when the type or rank is not the model's; dims are checked by the run.
  void bind_input(uint32_t index, const opmux_tensor& tensor);
  void bind_output(uint32_t index, const opmux_tensor* tensor);
  void run(const std::atomic<bool>* cancelled = nullptr);
  opmux_tensor output(uint32_t index) const;

  bool has_state() const;
  int64_t state_length() const { return length_; }
  int64_t state_capacity() const;
  void truncate_state(int64_t length);

  // JSON of OPMUX_REPORT_RUN.
  std::string report() const;

 private:
  struct Input {
    bool bound = false;
    opmux_tensor tensor{};
    HostTensor staging;  // for strided bindings
  };
  struct Shape {
    std::vector<opmux_tdesc> inputs;
    std::unique_ptr<Instance> instance;  // null: in stages
    std::vector<HostTensor> outputs;     // the context's own memory
    uint64_t used = 0;
  };

  void select_shape();
  void add_shape();
  void hold_states(const CompiledGraph& graph);
  void fill_ports();
  void run_stages(const std::atomic<bool>* cancelled);

  std::shared_ptr<Plan> plan_;
  std::vector<Input> inputs_;
  std::vector<opmux_tensor> bound_outputs_;  // data null: own memory
  std::vector<StateBuffer> states_;
  std::vector<Shape> shapes_;
  std::unique_ptr<StagedRun> stages_;
  Shape* current_ = nullptr;
  bool shape_changed_ = true;
  int64_t length_ = 0;  // valid rows of the states
  uint64_t random_offset_ = 0;
  uint64_t runs_ = 0, last_ns_ = 0;
  Ports ports_;
  std::vector<NodeTime> times_;
};

}  // namespace opmux
