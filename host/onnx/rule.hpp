// SPDX-License-Identifier: Apache-2.0
// What an import rule sees: one node, its operands as values of the graph under construction, and the
// builder.
//
// A rule reads operands and attributes, builds, and sets the outputs. It throws Error with a sentence that
// says what is wrong; the node's name is put before it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "host/ir/builder.hpp"
#include "host/ir/source.hpp"
#include "host/platform/error.hpp"

namespace opmux::onnx_import {

class Lowering;

class NodeContext {
 public:
  // live: names that somebody needs.
  NodeContext(Lowering& lowering, GraphBuilder& builder, const SourceNode& node, int64_t opset,
              const std::unordered_set<std::string>& live)
      : b(builder),
        opset(opset),
        lowering_(lowering),
        node_(node),
        live_(live),
        outputs_(node.outputs.size(), kNone) {}

  GraphBuilder& b;
  const int64_t opset;  // of the node's domain

  const SourceNode& source() const { return node_; }
  const std::string& op() const { return node_.op_type; }

  size_t n_in() const { return node_.inputs.size(); }
  bool has(size_t i) const { return i < node_.inputs.size() && !node_.inputs[i].empty(); }
  ValueId in(size_t i) const;  // throws when absent
  ValueId in_or_none(size_t i) const { return has(i) ? in(i) : kNone; }

  size_t n_out() const { return node_.outputs.size(); }
  // Somebody reads output i.
  bool wants(size_t i) const { return i < node_.outputs.size() && live_.contains(node_.outputs[i]); }
  void out(size_t i, ValueId v);
  // Output i is the first `count` (i64, rank 0) elements of v along an axis: results whose number depends on
  // data. v has room for the most there can be. Where the count is not known before the run, the host reads
  // it, and what follows is built for the shapes found.
  void out_counted(size_t i, ValueId v, int64_t axis, ValueId count);
  const std::vector<ValueId>& outputs() const { return outputs_; }

  // Attributes; the two-argument forms have a default, the others throw when it is absent.
  bool has_attr(std::string_view name) const { return find(name) != nullptr; }
  int64_t integer(std::string_view name, int64_t otherwise) const;
  int64_t integer(std::string_view name) const;
  bool flag(std::string_view name, bool otherwise = false) const { return integer(name, otherwise) != 0; }
  float real(std::string_view name, float otherwise) const;
  std::string text(std::string_view name, const char* otherwise) const;
  std::optional<std::vector<int64_t>> integers(std::string_view name) const;
  std::optional<std::vector<float>> reals(std::string_view name) const;
  std::optional<std::vector<std::string>> texts(std::string_view name) const;
  HostTensor tensor(std::string_view name) const;
  const SourceGraph& graph(std::string_view name) const;

  // Integers of operand i, or of the attribute that older operator sets had in its place; nothing if neither
  // is there.
  std::optional<std::vector<int64_t>> ints(size_t i, const char* attr) const;

  // Lowers a sub-graph in place for these inputs; its outputs.
  std::vector<ValueId> lower(const SourceGraph& graph, std::span<const ValueId> args);

  // Input i is a state: attention reads the whole buffer.
  bool is_state(size_t i) const;
  // The state of input i as a value of these dims, made on first use.
  ValueId state(size_t i, const opmux_tdesc& desc, int64_t rows_added);
  int64_t state_capacity() const;
  ValueId state_length();
  // The block of the random streams with which a run begins.
  ValueId random_offset();

 private:
  const SourceAttr* find(std::string_view name) const;
  const SourceAttr* find(std::string_view name, SourceAttr::Kind kind, const char* what) const;

  Lowering& lowering_;
  const SourceNode& node_;
  const std::unordered_set<std::string>& live_;
  std::vector<ValueId> outputs_;
};

using RuleFn = void (*)(NodeContext&);
struct Rule {
  std::string_view op;
  RuleFn apply;
};

// What out_counted leaves for a later stage: inputs v and count, attribute axis. No file can name it so.
constexpr std::string_view kCountedOp =
    "\x01"
    "Counted";

// The rule of an operator, or null; of another domain than ai.onnx: "domain.operator".
RuleFn find_rule(std::string_view op);

}  // namespace opmux::onnx_import
