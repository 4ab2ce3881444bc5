// SPDX-License-Identifier: Apache-2.0
#include "host/onnx/rule.hpp"

#include <unordered_map>

#include "host/onnx/lowering.hpp"
#include "host/onnx/rules/rules.hpp"

namespace opmux {

const SourceAttr* SourceNode::attr(const std::string& wanted) const {
  for (const SourceAttr& a : attrs) {
    if (a.name == wanted) return &a;
  }
  return nullptr;
}

namespace onnx_import {

using Kind = SourceAttr::Kind;

ValueId NodeContext::in(size_t i) const {
  if (!has(i)) fail(OPMUX_E_INVALID, "input {} is missing", i);
  return lowering_.value(node_.inputs[i]);
}

void NodeContext::out(size_t i, ValueId v) {
  if (i < outputs_.size()) outputs_[i] = v;
}

void NodeContext::out_counted(size_t i, ValueId v, int64_t axis, ValueId count) {
  if (i >= outputs_.size() || node_.outputs[i].empty()) return;
  if (!b.is_constant(count)) {
    lowering_.count_later(node_.outputs[i], v, axis, count);
    return;
  }
  const int64_t n = b.ints(count, "the count").at(0);
  if (n < 0 || n > b.dim(v, axis))
    fail(OPMUX_E_FAULT, "the count is {}, it must be from 0 to {}", n, b.dim(v, axis));
  out(i, b.slice(v, axis, 0, n, 1));
}

const SourceAttr* NodeContext::find(std::string_view name) const {
  return lowering_.resolve(node_.attr(std::string(name)));
}

const SourceAttr* NodeContext::find(std::string_view name, Kind kind, const char* what) const {
  const SourceAttr* a = find(name);
  // A list without elements may come without its type.
  if (a != nullptr && a->kind != kind && a->kind != Kind::kOther) {
    fail(OPMUX_E_INVALID, "attribute '{}' is not {}", name, what);
  }
  return a;
}

int64_t NodeContext::integer(std::string_view name, int64_t otherwise) const {
  const SourceAttr* a = find(name, Kind::kInt, "an integer");
  return a != nullptr ? a->i : otherwise;
}

int64_t NodeContext::integer(std::string_view name) const {
  const SourceAttr* a = find(name, Kind::kInt, "an integer");
  if (a == nullptr) fail(OPMUX_E_INVALID, "attribute '{}' is missing", name);
  return a->i;
}

float NodeContext::real(std::string_view name, float otherwise) const {
  const SourceAttr* a = find(name, Kind::kFloat, "a number");
  return a != nullptr ? a->f : otherwise;
}

std::string NodeContext::text(std::string_view name, const char* otherwise) const {
  const SourceAttr* a = find(name, Kind::kString, "a text");
  return a != nullptr ? a->s : otherwise;
}

std::optional<std::vector<int64_t>> NodeContext::integers(std::string_view name) const {
  const SourceAttr* a = find(name, Kind::kInts, "a list of integers");
  if (a == nullptr) return std::nullopt;
  return a->ints;
}

std::optional<std::vector<float>> NodeContext::reals(std::string_view name) const {
  const SourceAttr* a = find(name, Kind::kFloats, "a list of numbers");
  if (a == nullptr) return std::nullopt;
  return a->floats;
}

std::optional<std::vector<std::string>> NodeContext::texts(std::string_view name) const {
  const SourceAttr* a = find(name, Kind::kStrings, "a list of texts");
  if (a == nullptr) return std::nullopt;
  return a->strings;
}

HostTensor NodeContext::tensor(std::string_view name) const {
  const SourceAttr* a = find(name, Kind::kTensor, "a tensor");
  if (a == nullptr) fail(OPMUX_E_INVALID, "attribute '{}' is missing", name);
  if (!a->tensor) fail(OPMUX_E_UNSUPPORTED, "attribute '{}' has an element type that is not supported", name);
  return a->tensor;
}

const SourceGraph& NodeContext::graph(std::string_view name) const {
  const SourceAttr* a = find(name, Kind::kGraph, "a graph");
  if (a == nullptr || !a->graph) fail(OPMUX_E_INVALID, "attribute '{}' is missing", name);
  return *a->graph;
}

std::optional<std::vector<int64_t>> NodeContext::ints(size_t i, const char* attr) const {
  if (has(i)) return b.ints(in(i), attr);
  return integers(attr);
}

std::vector<ValueId> NodeContext::lower(const SourceGraph& graph, std::span<const ValueId> args) {
  return lowering_.lower_graph(graph, args);
}

bool NodeContext::is_state(size_t i) const {
  return has(i) && lowering_.states().by_past(node_.inputs[i]) != nullptr;
}

ValueId NodeContext::state(size_t i, const opmux_tdesc& desc, int64_t rows_added) {
  return lowering_.state(*lowering_.states().by_past(node_.inputs[i]), desc, rows_added);
}

int64_t NodeContext::state_capacity() const { return lowering_.states().capacity; }

ValueId NodeContext::state_length() { return lowering_.state_length(); }

ValueId NodeContext::random_offset() { return lowering_.random_offset(); }

RuleFn find_rule(std::string_view op) {
  static const std::unordered_map<std::string_view, RuleFn> rules = [] {
    std::unordered_map<std::string_view, RuleFn> all;
    // One a line: many hands add to it.
    // clang-format off
    static constexpr std::span<const Rule> (*kGroups[])() = {
      activation_rules,
      attention_rules,
      binary_rules,
      constant_rules,
      contrib_rules,
      control_rules,
      einsum_rules,
      flex_attention_rules,
      image_rules,
      index_rules,
      loss_rules,
      matmul_rules,
      ngram_rules,
      normalise_rules,
      order_rules,
      quantise_rules,
      random_rules,
      recurrent_rules,
      reduce_rules,
      resize_rules,
      running_rules,
      scatter_rules,
      shape_rules,
      signal_rules,
      slice_rules,
      state_rules,
      unary_rules,
      window_rules,
    };
    // clang-format on
    for (const auto group : kGroups) {
      for (const Rule& r : group()) all.emplace(r.op, r.apply);
    }
    return all;
  }();
  const auto it = rules.find(op);
  return it == rules.end() ? nullptr : it->second;
}

}  // namespace onnx_import
}  // namespace opmux
