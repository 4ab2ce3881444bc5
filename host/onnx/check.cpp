// SPDX-License-Identifier: Apache-2.0
#include "host/onnx/check.hpp"

#include <queue>
#include <unordered_map>
#include <unordered_set>

#include "host/platform/error.hpp"

namespace opmux {
namespace {

constexpr size_t kNoNode = static_cast<size_t>(-1);

// Names that a graph sees, inner graphs see those of the outer ones.
struct Scope {
  const Scope* outer = nullptr;
  std::unordered_map<std::string, size_t> by;  // name -> index of the node that makes it, kNoNode for others

  bool sees(const std::string& name) const {
    for (const Scope* s = this; s != nullptr; s = s->outer) {
      if (s->by.contains(name)) return true;
    }
    return false;
  }
};

void define(Scope& scope, const std::string& name, size_t node, const char* what) {
  if (name.empty()) fail(OPMUX_E_INVALID, "{} without a name", what);
  if (!scope.by.emplace(name, node).second) fail(OPMUX_E_INVALID, "'{}' is defined twice", name);
}

void define_outputs(Scope& scope, const std::vector<SourceNode>& nodes) {
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].op_type.empty()) fail(OPMUX_E_INVALID, "{} has no operator", describe(nodes[i]));
    for (const std::string& name : nodes[i].outputs) {
      if (name.empty()) continue;
      if (!scope.by.emplace(name, i).second) {
        fail(OPMUX_E_INVALID, "{}: its output '{}' is defined a second time", describe(nodes[i]), name);
      }
    }
  }
}

// Names that a node reads: its inputs, and what its sub-graphs take from outside of themselves.
void collect_reads(const SourceNode& node, std::unordered_set<std::string>& reads);

void collect_free(const SourceGraph& graph, std::unordered_set<std::string>& reads) {
  std::unordered_set<std::string> own, inner;
  for (const auto& v : graph.inputs) own.insert(v.name);
  for (const auto& t : graph.initializers) own.insert(t.name);
  for (const auto& n : graph.nodes) {
    own.insert(n.outputs.begin(), n.outputs.end());
    collect_reads(n, inner);
  }
  for (const auto& v : graph.outputs) inner.insert(v.name);
  for (const auto& name : inner) {
    if (!own.contains(name)) reads.insert(name);
  }
}

void collect_reads(const SourceNode& node, std::unordered_set<std::string>& reads) {
  for (const std::string& name : node.inputs) {
    if (!name.empty()) reads.insert(name);
  }
  for (const SourceAttr& a : node.attrs) {
    if (a.graph) collect_free(*a.graph, reads);
  }
}

// One of the nodes that were left over, and the one whose output it waits for, both in a cycle.
[[noreturn]] void refuse_cycle(const std::vector<SourceNode>& nodes,
                               const std::vector<std::vector<size_t>>& needs,
                               const std::vector<size_t>& left) {
  size_t at = 0;
  while (left[at] == 0) ++at;
  std::vector<bool> seen(nodes.size());
  while (!seen[at]) {  // walking along unmet needs must come back to where it was
    seen[at] = true;
    for (size_t from : needs[at]) {
      if (left[from] > 0) {
        at = from;
        break;
      }
    }
  }
  for (size_t from : needs[at]) {
    if (left[from] == 0) continue;
    if (from == at)
      fail(OPMUX_E_INVALID, "the graph is cyclic: {} needs its own output", describe(nodes[at]));
    fail(OPMUX_E_INVALID, "the graph is cyclic: {} needs {}, which needs it in turn", describe(nodes[at]),
         describe(nodes[from]));
  }
  fail(OPMUX_E_INTERNAL, "the graph is cyclic");
}

// Kahn's algorithm; among ready nodes the file's order holds.
void sort_nodes(std::vector<SourceNode>& nodes, const Scope& scope) {
  std::vector<std::vector<size_t>> needs(nodes.size()), users(nodes.size());
  std::vector<size_t> left(nodes.size());
  bool sorted = true;
  for (size_t i = 0; i < nodes.size(); ++i) {
    std::unordered_set<std::string> reads;
    collect_reads(nodes[i], reads);
    for (const std::string& name : reads) {
      const auto it = scope.by.find(name);
      if (it == scope.by.end() && !scope.sees(name)) {
        fail(OPMUX_E_INVALID, "{}: its input '{}' is defined nowhere", describe(nodes[i]), name);
      }
      if (it == scope.by.end() || it->second == kNoNode) continue;
      needs[i].push_back(it->second);
      users[it->second].push_back(i);
      sorted = sorted && it->second < i;
    }
    left[i] = needs[i].size();
  }
  if (sorted) return;
  std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (left[i] == 0) ready.push(i);
  }
  std::vector<SourceNode> out;
  std::vector<size_t> order;
  while (!ready.empty()) {
    const size_t i = ready.top();
    ready.pop();
    order.push_back(i);
    for (size_t user : users[i]) {
      if (--left[user] == 0) ready.push(user);
    }
  }
  if (order.size() < nodes.size()) refuse_cycle(nodes, needs, left);
  for (size_t i : order) out.push_back(std::move(nodes[i]));
  nodes = std::move(out);
}

void check_nodes(std::vector<SourceNode>& nodes, const Scope& scope);

void check_graph(SourceGraph& graph, const Scope* outer) {
  Scope scope{outer, {}};
  for (const auto& t : graph.initializers) define(scope, t.name, kNoNode, "an initializer");
  // Up to IR version 3 each initializer stands among the inputs too; from 4 on that makes it a default value.
  std::erase_if(graph.inputs, [&](const SourceValue& v) { return scope.by.contains(v.name); });
  for (const auto& v : graph.inputs) define(scope, v.name, kNoNode, "a graph input");
  define_outputs(scope, graph.nodes);
  check_nodes(graph.nodes, scope);
  for (const auto& v : graph.outputs) {
    if (!scope.sees(v.name)) fail(OPMUX_E_INVALID, "graph output '{}' is defined nowhere", v.name);
  }
}

void check_nodes(std::vector<SourceNode>& nodes, const Scope& scope) {
  sort_nodes(nodes, scope);
  for (SourceNode& n : nodes) {
    for (SourceAttr& a : n.attrs) {
      if (!a.graph) continue;
      auto copy = std::make_shared<SourceGraph>(*a.graph);
      check_graph(*copy, &scope);
      a.graph = std::move(copy);
    }
  }
}

void check_function(SourceFunction& f) {
  Scope scope;
  for (const std::string& name : f.inputs) define(scope, name, kNoNode, "a function input");
  define_outputs(scope, f.nodes);
  check_nodes(f.nodes, scope);
  for (const std::string& name : f.outputs) {
    if (!scope.by.contains(name)) fail(OPMUX_E_INVALID, "its output '{}' is defined nowhere", name);
  }
}

}  // namespace

std::string describe(const SourceNode& node) {
  const std::string op =
      node.domain.empty() ? node.op_type : fmt::format("{}, domain {}", node.op_type, node.domain);
  if (!node.name.empty()) return fmt::format("node '{}' ({})", node.name, op);
  for (const std::string& name : node.outputs) {
    if (!name.empty()) return fmt::format("node of '{}' ({})", name, op);
  }
  return fmt::format("a node without name and outputs ({})", op);
}

std::string printable(std::string text) {
  for (char& c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20 || code == 0x7f) c = '?';
  }
  return text;
}

void check_and_sort(SourceModel& model) {
  if (model.opsets.empty()) fail(OPMUX_E_INVALID, "not a whole ONNX model: it says no operator set");
  check_graph(model.graph, nullptr);
  if (model.graph.outputs.empty()) fail(OPMUX_E_INVALID, "the graph has no outputs");
  for (SourceFunction& f : model.functions) {
    try {
      check_function(f);
    } catch (const Error& e) {
      fail(e.status(), "function '{}': {}", f.name, e.text());
    }
  }
}

}  // namespace opmux
