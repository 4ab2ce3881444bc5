// SPDX-License-Identifier: Apache-2.0
// One import: scopes of names, functions and sub-graphs expanded in place, states.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "host/onnx/import.hpp"
#include "host/onnx/rule.hpp"
#include "host/onnx/stage.hpp"
#include "host/onnx/state.hpp"

namespace opmux::onnx_import {

// Names of one graph or function body. Initializers become constants when they are first used.
struct Scope {
  Scope* outer = nullptr;
  std::unordered_map<std::string, ValueId> values;
  std::unordered_map<std::string, const HostTensor*> initializers;
};

// Attributes given to a function, for the references in its body.
using AttrMap = std::unordered_map<std::string, const SourceAttr*>;

// Sets a variable for a block.
template <class T>
class Within {
 public:
  Within(T& variable, T value) : variable_(variable), before_(std::exchange(variable, value)) {}
  ~Within() { variable_ = before_; }
  Within(const Within&) = delete;
  Within& operator=(const Within&) = delete;

 private:
  T& variable_;
  T before_;
};

// A sub-graph that no graph with concrete shapes can hold: its steps or its values are known to the run only.
class HostNeeded : public NeedsRun {
 public:
  explicit HostNeeded(std::string text) : NeedsRun(OPMUX_E_UNSUPPORTED, std::move(text)) {}
};

class Lowering {
 public:
  // around null: a whole model, whose initializers are found by themselves; else a stage.
  Lowering(const SourceModel& model, Graph& graph, Evaluator* evaluator, Surroundings* around = nullptr);

  void bind_inputs(std::span<const NamedTensorDesc> inputs, std::span<const NamedHostTensor> known);
  void run();
  // False: the items or the surroundings have changed, begin anew.
  bool lower_items(std::vector<StageItem>& items, std::span<const std::string> results, Stage& stage,
                   InlinedCalls& calls);

  ValueId value(const std::string& name);
  const SourceAttr* resolve(const SourceAttr* attr) const;
  std::vector<ValueId> lower_graph(const SourceGraph& graph, std::span<const ValueId> args);
  const StateSpec& states() const { return states_; }
  ValueId state(const StatePair& pair, const opmux_tdesc& desc, int64_t rows_added);
  ValueId state_length();
  ValueId random_offset();
  // Output `output` of this node is the first `count` elements of v: left to the next stage.
  void count_later(const std::string& output, ValueId v, int64_t axis, ValueId count);

 private:
  void bind_input(const SourceValue& declared, const opmux_tdesc& desc);
  void check_input(const SourceValue& declared, const opmux_tdesc& desc);
  // Lowers those nodes of a sorted list that the names in `live` need, directly or not.
  void lower_nodes(const std::vector<SourceNode>& nodes, std::unordered_set<std::string> live);
  void lower_node(const SourceNode& node, const std::unordered_set<std::string>& live);
  std::vector<ValueId> expand(const SourceFunction& function, const SourceNode& node);
  const SourceFunction* function_of(const SourceNode& node) const;
  int64_t opset_of(const SourceNode& node) const;
  ValueId from_surroundings(const std::string& name);
  // True: lowered. False: left to a later stage, and the graph is as before. Throws NeedsRun for calls of
  // functions.
  bool attempt(StageItem& item, const std::unordered_set<std::string>& live, Stage& stage);
  std::vector<std::string> sources_of(ValueId v, size_t first_node) const;
  const std::vector<StageItem>& nodes_of(InlinedCalls& calls, const StageItem& call) const;
  void give_results(std::span<const std::string> results, Stage& stage);

  const SourceModel& model_;
  Graph& graph_;
  GraphBuilder builder_;
  StateSpec states_;
  Scope root_;
  Scope* scope_ = &root_;
  const AttrMap* attrs_ = nullptr;                // of the innermost function
  const std::map<std::string, int64_t>* opsets_;  // in force here
  int depth_ = 0;                                 // of functions and sub-graphs
  size_t lowered_ = 0;
  std::map<std::string, std::pair<int64_t, std::string>> symbols_;  // extent, and the input that set it
  std::map<std::string, ValueId> state_values_;                     // by past name

  // Of stages.
  Surroundings* around_;
  std::unordered_set<std::string> found_;                 // names that came from the surroundings
  std::vector<std::pair<std::string, ValueId>> touched_;  // what the current node has read by name
  std::map<ValueId, std::string> counts_;
  std::vector<std::shared_ptr<SourceNode>> counted_;  // by the current node
  std::unordered_set<std::string> waiting_;           // names that the rest makes
  bool revealed_ = false;
};

}  // namespace opmux::onnx_import
