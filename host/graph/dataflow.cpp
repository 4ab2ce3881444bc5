// SPDX-License-Identifier: Apache-2.0
#include "host/graph/dataflow.hpp"

#include <algorithm>

namespace opmux {
namespace {

void change(std::vector<uint32_t>& set, uint32_t node, bool insert) {
  const auto at = std::lower_bound(set.begin(), set.end(), node);
  const bool there = at != set.end() && *at == node;
  if (insert && !there) set.insert(at, node);
  if (!insert && there) set.erase(at);
}

}  // namespace

Dataflow::Dataflow(const Graph& graph) : graph_(graph) {
  for (uint32_t i = 0; i < graph.nodes.size(); ++i) add(i);
}

void Dataflow::each(uint32_t node, bool insert) {
  uses_.resize(std::max(uses_.size(), graph_.storages.size()));
  const Node& n = graph_.nodes[node];
  for (ValueId v : n.in) {
    if (v != kNone) change(uses_[graph_.values[v].storage].readers, node, insert);
  }
  for (ValueId v : n.out) {
    if (v != kNone) change(uses_[graph_.values[v].storage].writers, node, insert);
  }
}

void Dataflow::remove(uint32_t node) { each(node, false); }
void Dataflow::add(uint32_t node) { each(node, true); }

uint32_t Dataflow::sole_writer(ValueId v) const {
  const StorageId s = graph_.values[v].storage;
  if (uses_[s].writers.size() != 1) return kNone;
  const uint32_t node = uses_[s].writers[0];
  int outputs = 0;
  for (ValueId o : graph_.nodes[node].out) {
    if (o == kNone || graph_.values[o].storage != s) continue;
    ++outputs;
    const Value& value = graph_.values[o];
    if (value.offset_bytes != 0 || !is_contiguous(value.desc) ||
        packed_bytes(value.desc) != graph_.storages[s].size_bytes) {
      return kNone;
    }
  }
  return outputs == 1 ? node : kNone;
}

uint32_t Dataflow::sole_reader(ValueId v) const {
  const auto& readers = uses_[graph_.values[v].storage].readers;
  return readers.size() == 1 ? readers[0] : kNone;
}

bool same_view(const Value& a, const Value& b) {
  if (a.storage != b.storage || a.offset_bytes != b.offset_bytes || a.desc.dtype != b.desc.dtype ||
      !same_shape(a.desc, b.desc)) {
    return false;
  }
  for (uint32_t i = 0; i < a.desc.rank; ++i) {
    if (a.desc.dim[i] != 1 && a.desc.stride[i] != b.desc.stride[i]) return false;
  }
  return true;
}

void sweep(Graph& graph) {
  std::erase_if(graph.nodes, [](const Node& n) { return n.op == 0; });
}

}  // namespace opmux
