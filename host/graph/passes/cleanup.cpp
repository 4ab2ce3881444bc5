// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <set>
#include <unordered_map>

#include "host/graph/passes/passes.hpp"

namespace opmux {
namespace {

void append(std::string& key, const void* data, size_t size) {
  key.append(static_cast<const char*>(data), size);
}

template <class T>
void append(std::string& key, const T& v) {
  append(key, &v, sizeof v);
}

// What makes two nodes compute the same: operator, attributes, programs and the views that go in.
std::string key_of(const Graph& g, const Node& n) {
  std::string key;
  append(key, n.op);
  append(key, n.math);
  append(key, n.attrs.data(), n.attrs.size());
  append(key, n.list.data(), n.list.size() * sizeof(int64_t));
  for (const Program& p : n.progs) {
    append(key, p.slot);
    append(key, p.n_in);
    append(key, p.insn.data(), p.insn.size() * sizeof(opmux_insn));
    append(key, p.out.data(), p.out.size() * sizeof(uint32_t));
  }
  for (ValueId v : n.in) {
    if (v == kNone) {
      append(key, kNone);
      continue;
    }
    const Value& value = g.values[v];
    append(key, value.storage);
    append(key, value.offset_bytes);
    append(key, value.desc);
  }
  for (ValueId v : n.out) append(key, v == kNone ? uint32_t{OPMUX_NONE} : g.values[v].desc.dtype);
  return key;
}

bool touches_state(const Graph& g, const Node& n) {
  auto is_state = [&](ValueId v) {
    return v != kNone && g.storages[g.values[v].storage].kind == StorageKind::kState;
  };
  return std::any_of(n.in.begin(), n.in.end(), is_state) || std::any_of(n.out.begin(), n.out.end(), is_state);
}

}  // namespace

void finalise_outputs(Graph& graph) {
  std::set<StorageId> taken;
  for (Port& port : graph.outputs) {
    const Value value = graph.values[port.value];
    Storage& s = graph.storages[value.storage];
    const bool whole =
        value.offset_bytes == 0 && is_contiguous(value.desc) && packed_bytes(value.desc) == s.size_bytes;
    if (s.kind == StorageKind::kActivation && whole && taken.insert(value.storage).second) {
      s.kind = StorageKind::kOutput;
      s.name = port.name;
      continue;
    }
    const ValueId out =
        graph.add_value(make_desc(value.desc.dtype, dims_of(value.desc)), port.name, StorageKind::kOutput);
    taken.insert(graph.values[out].storage);
    Node copy;
    copy.op = OPMUX_OP_COPY;
    copy.set(opmux_op_copy{});
    copy.name = port.name;
    copy.in = {port.value};
    copy.out = {out};
    graph.nodes.push_back(std::move(copy));
    port.value = out;
  }
}

void drop_dead(Graph& graph) {
  std::vector<bool> live(graph.storages.size(), false);
  for (size_t s = 0; s < graph.storages.size(); ++s) {
    live[s] = graph.storages[s].kind == StorageKind::kOutput || graph.storages[s].kind == StorageKind::kState;
  }
  for (const Port& p : graph.outputs) live[graph.values[p.value].storage] = true;
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    Node& n = graph.nodes[i];
    const bool needed = std::any_of(n.out.begin(), n.out.end(),
                                    [&](ValueId v) { return v != kNone && live[graph.values[v].storage]; });
    if (!needed) {
      n.op = 0;
      continue;
    }
    for (ValueId v : n.in) {
      if (v != kNone) live[graph.values[v].storage] = true;
    }
  }
  sweep(graph);
}

void merge_common(Graph& graph) {
  const Dataflow flow(graph);
  std::unordered_map<std::string, uint32_t> seen;
  std::map<StorageId, StorageId> renamed;
  for (uint32_t i = 0; i < graph.nodes.size(); ++i) {
    Node& n = graph.nodes[i];
    for (ValueId v : n.in) {
      if (v == kNone) continue;
      if (auto it = renamed.find(graph.values[v].storage); it != renamed.end())
        graph.values[v].storage = it->second;
    }
    const bool plain = n.out.size() == 1 && n.out[0] != kNone && flow.sole_writer(n.out[0]) == i &&
                       graph.storages[graph.values[n.out[0]].storage].kind == StorageKind::kActivation;
    if (!plain || touches_state(graph, n)) continue;
    const auto [it, fresh] = seen.emplace(key_of(graph, n), i);
    if (fresh) continue;
    renamed[graph.values[n.out[0]].storage] = graph.values[graph.nodes[it->second].out[0]].storage;
    n.op = 0;
  }
  for (const Port& p : graph.outputs) {
    StorageId& s = graph.values[p.value].storage;
    if (auto it = renamed.find(s); it != renamed.end()) s = it->second;
  }
  sweep(graph);
}

void optimise(Graph& graph, const Router& router, Evaluator& evaluator) {
  drop_dead(graph);
  merge_common(graph);
  finalise_outputs(graph);
  inline_scalars(graph);
  fuse_pointwise(graph);
  fold_scales(graph, evaluator);
  fuse_epilogues(graph, router);
  elide_copies(graph, router);
  drop_dead(graph);
}

}  // namespace opmux
