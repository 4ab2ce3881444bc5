// SPDX-License-Identifier: Apache-2.0
// One import: scopes of names, functions and sub-graphs expanded in place, states.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "host/onnx/import.hpp"
#include "host/onnx/rule.hpp"
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

class Lowering {
 public:
  Lowering(const SourceModel& model, Graph& graph, Evaluator* evaluator);

  void bind_inputs(std::span<const NamedTensorDesc> inputs, std::span<const NamedHostTensor> known);
  void run();

  ValueId value(const std::string& name);
  const SourceAttr* resolve(const SourceAttr* attr) const;
  std::vector<ValueId> lower_graph(const SourceGraph& graph, std::span<const ValueId> args);
  const StateSpec& states() const { return states_; }
  ValueId state(const StatePair& pair, const opmux_tdesc& desc, int64_t rows_added);
  ValueId state_length();

 private:
  void bind_input(const SourceValue& declared, const opmux_tdesc& desc);
  void check_input(const SourceValue& declared, const opmux_tdesc& desc);
  // Lowers those nodes of a sorted list that the names in `live` need, directly or not.
  void lower_nodes(const std::vector<SourceNode>& nodes, std::unordered_set<std::string> live);
  void lower_node(const SourceNode& node, const std::unordered_set<std::string>& live);
  std::vector<ValueId> expand(const SourceFunction& function, const SourceNode& node);
  const SourceFunction* function_of(const SourceNode& node) const;
  int64_t opset_of(const SourceNode& node) const;

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
};

}  // namespace opmux::onnx_import
