// SPDX-License-Identifier: Apache-2.0
#include "host/onnx/lowering.hpp"

#include <algorithm>

#include "host/onnx/check.hpp"
#include "kit/schema/schema.hpp"

namespace opmux {

void add_reads(const SourceNode& node, std::unordered_set<std::string>& live) {
  live.insert(node.inputs.begin(), node.inputs.end());
  for (const SourceAttr& a : node.attrs) {
    if (!a.graph) continue;
    for (const SourceNode& inner : a.graph->nodes) add_reads(inner, live);
    for (const SourceValue& v : a.graph->outputs) live.insert(v.name);
  }
}

namespace onnx_import {
namespace {

constexpr int64_t kOldestOpset = 1, kNewestOpset = 28;
// Functions may call functions, and a small file may so grow without end.
constexpr int kMostDepth = 64;
constexpr size_t kMostNodes = size_t{1} << 20;

// Counts one level of functions or sub-graphs.
class Level {
 public:
  explicit Level(int& depth) : depth_(depth) {
    if (++depth_ > kMostDepth) {
      --depth_;
      fail(OPMUX_E_INVALID, "functions and sub-graphs are nested more than {} deep", kMostDepth);
    }
  }
  ~Level() { --depth_; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

 private:
  int& depth_;
};

std::string names_of(const std::vector<SourceValue>& values, const StateSpec& states) {
  std::string s;
  for (const SourceValue& v : values) {
    if (states.by_past(v.name) == nullptr) s += (s.empty() ? "" : ", ") + v.name;
  }
  return s.empty() ? "none" : s;
}

}  // namespace

Lowering::Lowering(const SourceModel& model, Graph& graph, Evaluator* evaluator, Surroundings* around)
    : model_(model),
      graph_(graph),
      builder_(graph, evaluator),
      states_(states_of(model)),
      opsets_(&model.opsets),
      around_(around) {
  if (around != nullptr) return;
  for (const SourceInitializer& t : model.graph.initializers) root_.initializers.emplace(t.name, &t.tensor);
}

void Lowering::check_input(const SourceValue& declared, const opmux_tdesc& desc) {
  const std::string& name = declared.name;
  if (declared.dtype == OPMUX_NONE && !declared.other_kind.empty()) {
    fail(OPMUX_E_UNSUPPORTED, "input '{}' is a {}, only tensors are supported", name, declared.other_kind);
  }
  if (declared.dtype != OPMUX_NONE && declared.dtype != desc.dtype) {
    fail(OPMUX_E_INVALID, "input '{}' is {}, the model says {}", name, schema::dtype_name(desc.dtype),
         schema::dtype_name(declared.dtype));
  }
  if (!declared.has_shape) return;
  if (declared.dims.size() != desc.rank) {
    fail(OPMUX_E_INVALID, "input '{}' has rank {}, the model says {}", name, desc.rank, declared.dims.size());
  }
  for (size_t i = 0; i < declared.dims.size(); ++i) {
    const SourceDim& want = declared.dims[i];
    const int64_t have = desc.dim[i];
    if (want.value >= 0 && want.value != have) {
      fail(OPMUX_E_INVALID, "input '{}': dim {} is {}, the model says {}", name, i, have, want.value);
    }
    if (want.value >= 0 || want.symbol.empty()) continue;
    const auto [it, fresh] = symbols_.emplace(want.symbol, std::pair(have, name));
    if (!fresh && it->second.first != have) {
      fail(OPMUX_E_INVALID, "input '{}': dim {} ('{}') is {}, but in input '{}' it is {}", name, i,
           want.symbol, have, it->second.second, it->second.first);
    }
  }
}

void Lowering::bind_input(const SourceValue& declared, const opmux_tdesc& desc) {
  check_input(declared, desc);
  const ValueId v =
      graph_.add_value(make_desc(desc.dtype, dims_of(desc)), declared.name, StorageKind::kInput);
  graph_.inputs.push_back({declared.name, v});
  root_.values[declared.name] = v;
}

void Lowering::bind_inputs(std::span<const NamedTensorDesc> inputs, std::span<const NamedHostTensor> known) {
  const auto& declared = model_.graph.inputs;
  const auto refuse_unknown = [&](const std::string& name) {
    const bool there =
        std::any_of(declared.begin(), declared.end(), [&](const auto& v) { return v.name == name; });
    if (!there || states_.by_past(name) != nullptr) {
      fail(OPMUX_E_INVALID, "the model has no input '{}'; its inputs: {}", name, names_of(declared, states_));
    }
  };
  for (const auto& i : inputs) refuse_unknown(i.name);
  for (const auto& k : known) refuse_unknown(k.name);
  for (const SourceValue& d : declared) {
    if (states_.by_past(d.name) != nullptr) continue;
    const auto k = std::find_if(known.begin(), known.end(), [&](const auto& t) { return t.name == d.name; });
    if (k != known.end()) {
      check_input(d, k->tensor.desc());
      builder_.set_name(d.name);
      root_.values[d.name] = builder_.constant(k->tensor);
      continue;
    }
    const auto i =
        std::find_if(inputs.begin(), inputs.end(), [&](const auto& t) { return t.name == d.name; });
    if (i == inputs.end()) fail(OPMUX_E_INVALID, "input '{}' is missing", d.name);
    bind_input(d, i->desc);
  }
}

void Lowering::run() {
  std::unordered_set<std::string> live;
  for (const SourceValue& v : model_.graph.outputs) live.insert(v.name);
  lower_nodes(model_.graph.nodes, std::move(live));
  for (const SourceValue& v : model_.graph.outputs) {
    if (states_.by_present(v.name) == nullptr) graph_.outputs.push_back({v.name, value(v.name)});
  }
}

ValueId Lowering::value(const std::string& name) {
  Scope* last = scope_;
  for (Scope* s = scope_; s != nullptr; last = s, s = s->outer) {
    if (const auto it = s->values.find(name); it != s->values.end()) {
      if (s == &root_) touched_.emplace_back(name, it->second);
      return it->second;
    }
    const auto it = s->initializers.find(name);
    if (it == s->initializers.end()) continue;
    if (!*it->second) {
      fail(OPMUX_E_UNSUPPORTED, "initializer '{}' has an element type that is not supported", name);
    }
    const ValueId v = graph_.add_constant(*it->second, name);
    s->values.emplace(name, v);
    return v;
  }
  if (states_.by_past(name) != nullptr) {
    fail(OPMUX_E_UNSUPPORTED, "'{}' is a state, only Attention may read it", name);
  }
  // The bodies of functions see nothing outside of themselves.
  const ValueId v = last == &root_ ? from_surroundings(name) : kNone;
  if (v == kNone) fail(OPMUX_E_INVALID, "'{}' has no value", name);
  touched_.emplace_back(name, v);
  return v;
}

const SourceAttr* Lowering::resolve(const SourceAttr* attr) const {
  if (attr == nullptr || attr->kind != SourceAttr::Kind::kReference) return attr;
  if (attrs_ == nullptr)
    fail(OPMUX_E_INVALID, "attribute '{}' refers to a function, but stands in none", attr->name);
  const auto it = attrs_->find(attr->s);
  return it == attrs_->end() ? nullptr : it->second;
}

void Lowering::lower_nodes(const std::vector<SourceNode>& nodes, std::unordered_set<std::string> live) {
  std::vector<bool> needed(nodes.size());
  for (size_t i = nodes.size(); i-- > 0;) {
    needed[i] = std::any_of(nodes[i].outputs.begin(), nodes[i].outputs.end(),
                            [&](const std::string& name) { return !name.empty() && live.contains(name); });
    if (needed[i]) add_reads(nodes[i], live);
  }
  live.erase("");
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!needed[i]) continue;
    try {
      lower_node(nodes[i], live);
    } catch (const ContentsNeeded& e) {
      throw ContentsNeeded(e.value, fmt::format("{}: {}", describe(nodes[i]), e.text()));
    } catch (const HostNeeded& e) {
      throw HostNeeded(fmt::format("{}: {}", describe(nodes[i]), e.text()));
    } catch (const Error& e) {
      throw Error(e.status(), fmt::format("{}: {}", describe(nodes[i]), e.text()), e.native(),
                  e.native_domain(), e.arg());
    }
  }
}

int64_t Lowering::opset_of(const SourceNode& node) const {
  const auto it = opsets_->find(node.domain);
  if (!node.domain.empty()) return it == opsets_->end() ? 1 : it->second;
  if (it == opsets_->end()) fail(OPMUX_E_INVALID, "the model imports no operator set of ai.onnx");
  if (it->second < kOldestOpset || it->second > kNewestOpset) {
    fail(OPMUX_E_UNSUPPORTED, "operator set {} of ai.onnx is not supported, only {} to {}", it->second,
         kOldestOpset, kNewestOpset);
  }
  return it->second;
}

const SourceFunction* Lowering::function_of(const SourceNode& node) const {
  const auto it = std::find_if(
      model_.functions.begin(), model_.functions.end(),
      [&](const SourceFunction& f) { return f.name == node.op_type && f.domain == node.domain; });
  return it == model_.functions.end() ? nullptr : &*it;
}

void Lowering::lower_node(const SourceNode& node, const std::unordered_set<std::string>& live) {
  if (++lowered_ > kMostNodes) {
    fail(OPMUX_E_UNSUPPORTED, "the model has more than {} nodes once its functions are expanded", kMostNodes);
  }
  std::vector<ValueId> outputs;
  if (const SourceFunction* f = function_of(node)) {
    outputs = expand(*f, node);
  } else {
    const int64_t opset = opset_of(node);
    const RuleFn rule = find_rule(node.domain.empty() ? node.op_type : node.domain + "." + node.op_type);
    if (rule == nullptr) fail(OPMUX_E_UNSUPPORTED, "operator {} is not supported", node.op_type);
    std::string name = node.name;
    for (size_t i = 0; name.empty() && i < node.outputs.size(); ++i) name = node.outputs[i];
    builder_.set_name(std::move(name));
    NodeContext context(*this, builder_, node, opset, live);
    rule(context);
    outputs = context.outputs();
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const std::string& name = node.outputs[i];
    if (name.empty()) continue;
    if (i < outputs.size() && outputs[i] != kNone) {
      scope_->values[name] = outputs[i];
    } else if (std::any_of(counted_.begin(), counted_.end(),
                           [&](const auto& n) { return n->outputs[0] == name; })) {
      continue;
    } else if (live.contains(name) && states_.by_present(name) == nullptr) {
      fail(OPMUX_E_UNSUPPORTED, "output {} ('{}') is not supported", i, name);
    }
  }
}

std::vector<ValueId> Lowering::expand(const SourceFunction& f, const SourceNode& node) {
  const Level level(depth_);
  if (node.inputs.size() > f.inputs.size() || node.outputs.size() > f.outputs.size()) {
    fail(OPMUX_E_INVALID, "function {} has {} inputs and {} outputs, the node has {} and {}", f.name,
         f.inputs.size(), f.outputs.size(), node.inputs.size(), node.outputs.size());
  }
  Scope body;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (!node.inputs[i].empty()) body.values[f.inputs[i]] = value(node.inputs[i]);
  }
  AttrMap attrs;
  for (const SourceAttr& a : f.default_attrs) attrs[a.name] = &a;
  for (const SourceAttr& a : node.attrs) {
    if (const SourceAttr* given = resolve(&a)) attrs[a.name] = given;
  }
  std::unordered_set<std::string> live;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (!node.outputs[i].empty()) live.insert(f.outputs[i]);
  }
  const Within<Scope*> scope(scope_, &body);
  const Within<const AttrMap*> bound(attrs_, &attrs);
  const Within<const std::map<std::string, int64_t>*> opsets(opsets_, f.opsets.empty() ? opsets_ : &f.opsets);
  lower_nodes(f.nodes, std::move(live));
  std::vector<ValueId> out;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    out.push_back(node.outputs[i].empty() ? kNone : value(f.outputs[i]));
  }
  return out;
}

std::vector<ValueId> Lowering::lower_graph(const SourceGraph& graph, std::span<const ValueId> args) {
  const Level level(depth_);
  if (graph.inputs.size() != args.size()) {
    fail(OPMUX_E_INVALID, "the sub-graph '{}' has {} inputs, the operator gives it {}", graph.name,
         graph.inputs.size(), args.size());
  }
  Scope inner;
  for (size_t i = 0; i < args.size(); ++i) inner.values[graph.inputs[i].name] = args[i];
  inner.outer = scope_;
  for (const SourceInitializer& t : graph.initializers) inner.initializers.emplace(t.name, &t.tensor);
  std::unordered_set<std::string> live;
  for (const SourceValue& v : graph.outputs) live.insert(v.name);
  const Within<Scope*> scope(scope_, &inner);
  try {
    lower_nodes(graph.nodes, std::move(live));
  } catch (const ContentsNeeded& e) {
    throw HostNeeded(e.text());
  }
  std::vector<ValueId> out;
  for (const SourceValue& v : graph.outputs) out.push_back(value(v.name));
  return out;
}

ValueId Lowering::state_length() {
  if (graph_.state_length == kNone) {
    graph_.state_length = graph_.add_value(make_desc(OPMUX_I64, {}), "state_length", StorageKind::kInput);
  }
  return graph_.state_length;
}

ValueId Lowering::random_offset() {
  if (graph_.random_offset == kNone) {
    graph_.random_offset = graph_.add_value(make_desc(OPMUX_U64, {}), "random_offset", StorageKind::kInput);
  }
  return graph_.random_offset;
}

ValueId Lowering::state(const StatePair& pair, const opmux_tdesc& desc, int64_t rows_added) {
  if (const auto it = state_values_.find(pair.past); it != state_values_.end()) return it->second;
  if (!graph_.states.empty() && graph_.state_rows_added != rows_added) {
    fail(OPMUX_E_UNSUPPORTED, "state '{}' grows by {} rows, others by {}", pair.past, rows_added,
         graph_.state_rows_added);
  }
  graph_.state_rows_added = rows_added;
  const ValueId v = graph_.add_value(desc, pair.past, StorageKind::kState);
  graph_.states.push_back({pair.past, pair.present, graph_.values[v].storage, graph_.values[v].desc});
  state_values_.emplace(pair.past, v);
  return v;
}

}  // namespace onnx_import

Graph import_onnx(const SourceModel& model, std::span<const NamedTensorDesc> inputs,
                  std::span<const NamedHostTensor> known_inputs, Evaluator* evaluator) {
  try {
    Graph graph;
    onnx_import::Lowering lowering(model, graph, evaluator);
    lowering.bind_inputs(inputs, known_inputs);
    lowering.run();
    return graph;
  } catch (const NeedsRun& e) {
    throw NeedsRun(e.status(), printable(e.text()));
  } catch (const Error& e) {
    throw Error(e.status(), printable(e.text()), e.native(), e.native_domain(), e.arg());
  }
}

}  // namespace opmux
