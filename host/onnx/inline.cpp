// SPDX-License-Identifier: Apache-2.0
// Calls of functions replaced by the nodes of the function.
#include <unordered_map>

#include "host/onnx/stage.hpp"

namespace opmux {
namespace {

using Names = std::unordered_map<std::string, std::string>;
using Attrs = std::unordered_map<std::string, const SourceAttr*>;

void rename(std::vector<std::string>& list, const Names& names) {
  for (std::string& s : list) {
    if (const auto it = names.find(s); it != names.end()) s = it->second;
  }
}

void rewrite(SourceNode& node, const Names& names, const Attrs& attrs);

SourceGraph rewritten(const SourceGraph& graph, Names names, const Attrs& attrs) {
  SourceGraph g = graph;
  for (const SourceValue& v : g.inputs) names.erase(v.name);
  for (const SourceInitializer& t : g.initializers) names.erase(t.name);
  for (const SourceNode& n : g.nodes) {
    for (const std::string& o : n.outputs) names.erase(o);
  }
  for (SourceNode& n : g.nodes) rewrite(n, names, attrs);
  for (SourceValue& v : g.outputs) {
    if (const auto it = names.find(v.name); it != names.end()) v.name = it->second;
  }
  return g;
}

void rewrite(SourceNode& node, const Names& names, const Attrs& attrs) {
  rename(node.inputs, names);
  rename(node.outputs, names);
  std::vector<SourceAttr> kept;
  for (SourceAttr& a : node.attrs) {
    if (a.kind == SourceAttr::Kind::kReference) {
      const auto it = attrs.find(a.s);
      if (it == attrs.end()) continue;  // the call leaves it out: the operator's default holds
      kept.push_back(*it->second);
      kept.back().name = a.name;
      continue;
    }
    kept.push_back(a);
    if (a.graph) kept.back().graph = std::make_shared<SourceGraph>(rewritten(*a.graph, names, attrs));
  }
  node.attrs = std::move(kept);
}

StageItem identity(const std::string& from, const std::string& to, const StageItem& call) {
  auto node = std::make_shared<SourceNode>();
  node->op_type = "Identity";
  node->inputs = {from};
  node->outputs = {to};
  return {std::move(node), call.opsets, false, {}};
}

}  // namespace

std::vector<StageItem> inlined(const SourceFunction& f, const StageItem& call, const std::string& prefix) {
  const SourceNode& node = *call.node;
  Names names;
  Attrs attrs;
  for (const SourceAttr& a : f.default_attrs) attrs[a.name] = &a;
  for (const SourceAttr& a : node.attrs) attrs[a.name] = &a;
  for (const SourceNode& n : f.nodes) {
    for (const std::string& o : n.outputs) {
      if (!o.empty()) names[o] = prefix + o;
    }
  }
  for (size_t i = 0; i < f.inputs.size(); ++i)
    names[f.inputs[i]] = i < node.inputs.size() ? node.inputs[i] : "";
  std::vector<StageItem> out;
  std::vector<StageItem> passed;
  for (size_t i = 0; i < node.outputs.size() && i < f.outputs.size(); ++i) {
    if (node.outputs[i].empty()) continue;
    // An output that is an input, or given twice.
    if (!names[f.outputs[i]].starts_with(prefix)) {
      passed.push_back(identity(names[f.outputs[i]], node.outputs[i], call));
    } else {
      names[f.outputs[i]] = node.outputs[i];
    }
  }
  const auto* opsets = f.opsets.empty() ? call.opsets : &f.opsets;
  for (const SourceNode& n : f.nodes) {
    auto copy = std::make_shared<SourceNode>(n);
    rewrite(*copy, names, attrs);
    out.push_back({std::move(copy), opsets, false, {}});
  }
  out.insert(out.end(), passed.begin(), passed.end());
  return out;
}

}  // namespace opmux
