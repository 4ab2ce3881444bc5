// SPDX-License-Identifier: Apache-2.0
// Scatter and its kin.
#include <algorithm>

#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

uint32_t reduction_of(const NodeContext& c) {
  static constexpr std::pair<std::string_view, uint32_t> kNames[] = {{"none", OPMUX_SCATTER_SET},
                                                                     {"add", OPMUX_SCATTER_ADD},
                                                                     {"mul", OPMUX_SCATTER_MUL},
                                                                     {"min", OPMUX_SCATTER_MIN},
                                                                     {"max", OPMUX_SCATTER_MAX}};
  const std::string text = c.text("reduction", "none");
  for (const auto& [name, reduction] : kNames) {
    if (text == name) return reduction;
  }
  fail(OPMUX_E_INVALID, "attribute 'reduction' is '{}', it must be none, add, mul, min or max", text);
}

template <class D>
ValueId emit_scatter(NodeContext& c, uint32_t op, const D& d, ValueId data, ValueId index, ValueId updates) {
  Node node;
  node.op = op;
  node.in = {data, index, updates};
  node.set(d);
  return c.b.emit(std::move(node));
}

void scatter_elements(NodeContext& c) {
  opmux_op_scatter_elements d{};
  d.axis = static_cast<uint32_t>(normal_axis(c.integer("axis", 0), c.b.rank(c.in(0)), "axis"));
  d.reduction = reduction_of(c);
  c.out(0, emit_scatter(c, OPMUX_OP_SCATTER_ELEMENTS, d, c.in(0), index_operand(c, 1), c.in(2)));
}

void scatter_nd(NodeContext& c) {
  opmux_op_scatter_nd d{};
  d.reduction = reduction_of(c);
  c.out(0, emit_scatter(c, OPMUX_OP_SCATTER_ND, d, c.in(0), index_operand(c, 1), c.in(2)));
}

// Updates of consecutive rows per batch, from a row that an operand says; circular ones go round the buffer.
void tensor_scatter(NodeContext& c) {
  const ValueId past = c.in(0), updates = c.in(1);
  const int64_t rank = c.b.rank(past), axis = normal_axis(c.integer("axis", -2), rank, "axis");
  const std::string mode = c.text("mode", "linear");
  if (mode != "linear" && mode != "circular") {
    fail(OPMUX_E_INVALID, "attribute 'mode' is '{}', it must be linear or circular", mode);
  }
  if (axis == 0) fail(OPMUX_E_INVALID, "axis 0 is the batch, the rows cannot be there");
  if (c.b.rank(updates) != rank) {
    fail(OPMUX_E_INVALID, "the update has rank {}, the cache has {}", c.b.rank(updates), rank);
  }
  const int64_t rows = c.b.dim(updates, axis), batch = c.b.dim(past, 0);
  std::vector<int64_t> steps(static_cast<size_t>(rows));
  for (int64_t i = 0; i < rows; ++i) steps[static_cast<size_t>(i)] = i;
  const Math m(c.b);
  Dims along(static_cast<size_t>(rank), 1), first = along;
  along[static_cast<size_t>(axis)] = rows;
  first[0] = batch;
  ValueId index = c.b.reshape(c.b.int_vector(steps), along);
  if (c.has(2)) index = m.add(index, c.b.reshape(c.b.cast(index_operand(c, 2), OPMUX_I64), first));
  if (mode == "circular") {
    index = c.b.pointwise(OPMUX_FN_MOD, {index, m.number(index, static_cast<double>(c.b.dim(past, axis)))});
  }
  opmux_op_scatter_elements d{};
  d.axis = static_cast<uint32_t>(axis);
  d.reduction = OPMUX_SCATTER_SET;
  index = c.b.expand(index, c.b.dims(updates));
  c.out(0, emit_scatter(c, OPMUX_OP_SCATTER_ELEMENTS, d, past, index, updates));
}

constexpr Rule kRules[] = {{"Scatter", scatter_elements},
                           {"ScatterElements", scatter_elements},
                           {"ScatterND", scatter_nd},
                           {"TensorScatter", tensor_scatter}};

}  // namespace

std::span<const Rule> scatter_rules() { return kRules; }

}  // namespace opmux::onnx_import
