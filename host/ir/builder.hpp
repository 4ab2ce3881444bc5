// SPDX-License-Identifier: Apache-2.0
// Builds a Graph operator by operator: used by import rules, and by applications through the C interface.
// Everything is checked here (schema::validate), views cost nothing, and operators over constants are
// evaluated at once.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "host/ir/graph.hpp"
#include "host/platform/error.hpp"

namespace opmux {

// Thrown where a graph cannot be built before the run: a later stage can, when values are known.
class NeedsRun : public Error {
 public:
  using Error::Error;
};

// The contents of a value are needed, which only a run gives.
class ContentsNeeded : public NeedsRun {
 public:
  ContentsNeeded(ValueId v, std::string text) : NeedsRun(OPMUX_E_UNSUPPORTED, std::move(text)), value(v) {}
  ValueId value;
};

// Evaluates one operator on host tensors; throws Error when no host route can.
class Evaluator {
 public:
  virtual ~Evaluator() = default;
  virtual std::vector<HostTensor> evaluate(const Node& node, std::span<const HostTensor> in,
                                           std::span<const opmux_tdesc> out) = 0;
};

class GraphBuilder {
 public:
  // evaluator may be null: then nothing is folded.
  GraphBuilder(Graph& graph, Evaluator* evaluator);

  Graph& graph() { return graph_; }
  const opmux_tdesc& desc(ValueId v) const { return graph_.values[v].desc; }
  uint32_t dtype(ValueId v) const { return desc(v).dtype; }
  int64_t rank(ValueId v) const { return desc(v).rank; }
  int64_t dim(ValueId v, int64_t axis) const { return desc(v).dim[axis]; }
  Dims dims(ValueId v) const { return to_dims(desc(v)); }
  bool is_constant(ValueId v) const { return graph_.is_constant(v); }
  // Bytes of a constant value, contiguous; nothing if it is not constant.
  std::optional<HostTensor> known(ValueId v);
  // The same; throws ContentsNeeded naming `what` if it is not constant.
  HostTensor contents(ValueId v, const char* what);
  // Integers of a constant value; throws ContentsNeeded too.
  std::vector<int64_t> ints(ValueId v, const char* what);

  // Name that the next nodes and values get in reports: the source node's.
  void set_name(std::string name) { name_ = std::move(name); }

  ValueId constant(HostTensor t);
  ValueId scalar(uint32_t dtype, double value);         // rank 0; integers exact up to 2^53
  ValueId int_vector(std::span<const int64_t> values);  // i64, rank 1

  // ---- Views: no work. Each throws Error with both numbers when it makes no sense.
  ValueId reshape(ValueId v,
                  std::span<const int64_t> dims);  // all >= 0; copies first when strides forbid a view
  ValueId permute(ValueId v, std::span<const int64_t> perm);
  ValueId slice(ValueId v, int64_t axis, int64_t start, int64_t count,
                int64_t step);                               // normalised; step may be negative
  ValueId expand(ValueId v, std::span<const int64_t> dims);  // numpy broadcast to exactly dims
  ValueId squeeze(ValueId v, std::span<const int64_t> axes);
  ValueId unsqueeze(ValueId v, std::span<const int64_t> axes);  // axes of the result
  ValueId contiguous(ValueId v);                                // a copy unless it is already

  // ---- Operators. Outputs are inferred by the schema and contiguous.
  ValueId emit(Node node) { return emit_n(std::move(node), 1)[0]; }
  std::vector<ValueId> emit_n(Node node, size_t n_out);
  // Outputs given by the caller (dtype and dims; strides are made contiguous). kNone dtype: absent output.
  std::vector<ValueId> emit_as(Node node, std::span<const opmux_tdesc> out);

  // One pointwise function over operands that broadcast; the dtype is the schema's for the function.
  ValueId pointwise(uint32_t fn, std::span<const ValueId> args);
  ValueId pointwise(uint32_t fn, std::initializer_list<ValueId> args) {
    return pointwise(fn, std::span<const ValueId>(args.begin(), args.size()));
  }
  // rounding: OPMUX_INSN_ROUND_*, for e8m0 only.
  ValueId cast(ValueId v, uint32_t dtype, bool saturate = true, uint32_t rounding = 0);
  ValueId concat(std::span<const ValueId> parts, int64_t axis);
  ValueId reduce(uint32_t kind, ValueId v, std::span<const int64_t> axes, bool keep_dims,
                 bool select_last = false);
  ValueId matmul(ValueId a, ValueId b);  // numpy.matmul rules with vectors promoted

 private:
  Graph& graph_;
  Evaluator* evaluator_;
  std::string name_;
};

// The same elements under other dims without moving anything; nothing when strides or the element count
// forbid it.
std::optional<opmux_tdesc> reshaped_view(const opmux_tdesc& d, std::span<const int64_t> dims);
// numpy broadcast of shapes; throws Error with both extents.
Dims broadcast_dims(std::span<const std::span<const int64_t>> shapes);
// -1 .. counts from the end; throws Error "what: axis A is outside [-R, R-1] for rank R".
int64_t normal_axis(int64_t axis, int64_t rank, const char* what);

}  // namespace opmux
