// SPDX-License-Identifier: Apache-2.0
// Models whose shapes or branches depend on data: compiled stage by stage, each for the shapes that the ones
// before it gave. See docs/decisions/0003.
#pragma once

#include <atomic>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "host/graph/compiled.hpp"
#include "host/graph/model.hpp"
#include "host/onnx/stage.hpp"

namespace opmux {

struct CompiledStage;

// Stages that begin at one place, for what they found outside of themselves; most recently used first.
using StageList = std::list<std::shared_ptr<CompiledStage>>;

struct CompiledStage {
  // What decides whether this stage fits: type and dims of what it reads, and contents it was built for.
  struct Read {
    std::string name;
    opmux_tdesc desc{};
    HostTensor contents;
  };
  std::vector<Read> reads;
  std::shared_ptr<const CompiledGraph> graph;  // null: nothing to run
  std::vector<std::pair<std::string, HostTensor>> constants;
  std::vector<StageItem> by_host;          // then these are run, in order
  std::vector<StageItem> rest;             // by later stages
  std::unordered_set<std::string> needed;  // names that those or the caller read; others can be forgotten
  StageList next;                          // under the plan's mutex
};

// A graph or sub-graph of the model as the stages begin it.
struct StagedGraph {
  std::vector<StageItem> items;
  std::vector<std::string> inputs, results;
  std::unordered_map<std::string, const HostTensor*> initializers;
  std::unordered_set<std::string> fixed;  // what its Constant nodes make
  StageList first;                        // under the plan's mutex
};

// Values of a graph while it runs; names that it lacks are those of the graph around it.
struct Frame {
  struct Value {
    HostTensor tensor;   // contiguous
    bool fixed = false;  // the same in every run
  };
  const Frame* outer = nullptr;
  const StagedGraph* graph = nullptr;
  std::unordered_map<std::string, Value> values;

  // Nothing when no run has given it yet.
  std::optional<Value> find(const std::string& name) const;
};

class StagedPlan {
 public:
  StagedPlan(std::shared_ptr<Model> model, const Router& router, uint32_t shapes_kept);

  StagedGraph& main() { return *main_; }
  StagedGraph& sub_graph(const SourceGraph& graph, const std::map<std::string, int64_t>* opsets);
  // The stage after `before`, or the first one (null), for what the frame holds.
  std::shared_ptr<CompiledStage> stage(StagedGraph& graph, CompiledStage* before, const Frame& frame);
  // Of the first stage, as far as it is known without a run. JSON of OPMUX_REPORT_PLAN.
  std::string report(std::span<const opmux_tdesc> inputs);

 private:
  std::shared_ptr<CompiledStage> build(StagedGraph& graph, CompiledStage* before, const Frame& frame);

  std::shared_ptr<Model> model_;
  const Router& router_;
  uint32_t shapes_kept_;
  std::unique_ptr<StagedGraph> main_;
  std::mutex mutex_;
  std::map<const SourceGraph*, std::unique_ptr<StagedGraph>> sub_graphs_;
  InlinedCalls calls_;
};

}  // namespace opmux
