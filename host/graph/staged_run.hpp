// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "host/graph/instance.hpp"
#include "host/graph/staged.hpp"

namespace opmux {

// Runs of a StagedPlan for one run context. One thread at a time.
class StagedRun {
 public:
  StagedRun(StagedPlan& plan, ConstantStore& constants, bool profile)
      : plan_(plan), constants_(constants), profile_(profile) {}

  // Inputs in the model's order, contiguous; they are read until the run ends. cancelled may be null.
  void run(std::span<const HostTensor> inputs, const std::atomic<bool>* cancelled);
  // Contiguous; until the next run.
  const std::vector<HostTensor>& outputs() const { return outputs_; }

  // Compiled graphs that the last run went through, once each, and the times of their nodes when profiling.
  struct Part {
    std::shared_ptr<CompiledStage> stage;
    std::unique_ptr<Instance> instance;
    std::vector<HostTensor> results;
    std::vector<NodeTime> times;  // of its last run
    uint64_t used = 0;            // run in which it was last used
  };
  std::vector<const Part*> parts() const;

 private:
  std::vector<HostTensor> run_graph(StagedGraph& graph, const Frame* outer, std::span<const HostTensor> args);
  void run_stage(const std::shared_ptr<CompiledStage>& stage, Frame& frame);
  void run_by_host(const StageItem& item, Frame& frame);
  std::vector<HostTensor> run_if(const StageItem& item, const Frame& frame);
  std::vector<HostTensor> run_loop(const StageItem& item, const Frame& frame);
  std::vector<HostTensor> run_scan(const StageItem& item, const Frame& frame);
  void forget_parts();

  StagedPlan& plan_;
  ConstantStore& constants_;
  bool profile_;
  std::vector<std::unique_ptr<Part>> part_list_;
  std::unordered_map<const CompiledStage*, Part*> parts_;
  std::vector<StateBuffer> no_states_;
  std::vector<HostTensor> outputs_;
  const std::atomic<bool>* cancelled_ = nullptr;
  uint64_t runs_ = 0;
  uint64_t random_offset_ = 0;
};

}  // namespace opmux
