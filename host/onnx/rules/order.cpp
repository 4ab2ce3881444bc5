// SPDX-License-Identifier: Apache-2.0
// The greatest elements, and results whose number depends on data.
#include <array>

#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

// k is an attribute up to operator set 9, an input since; the least elements came with 11.
void top_k(NodeContext& c) {
  const ValueId x = c.in(0);
  const int64_t axis = normal_axis(c.integer("axis", -1), c.b.rank(x), "axis");
  const auto k = c.opset < 10 ? static_cast<double>(c.integer("k")) : scalar_of(c, 1, "k");
  if (!(k >= 0 && k <= static_cast<double>(c.b.dim(x, axis)))) {
    fail(OPMUX_E_INVALID, "k is {}, it must be from 0 to {}", k, c.b.dim(x, axis));
  }
  opmux_op_top_k d{};
  d.axis = static_cast<uint32_t>(axis);
  d.k = static_cast<uint32_t>(k);
  d.largest = c.flag("largest", true);
  d.sorted = c.flag("sorted", true);
  Node node;
  node.op = OPMUX_OP_TOP_K;
  node.in = {x};
  node.set(d);
  const auto y = c.b.emit_n(std::move(node), 2);
  c.out(0, y[0]);
  c.out(1, y[1]);
}

// Coordinates with room for every element, and how many there are.
std::vector<ValueId> emit_non_zero(GraphBuilder& b, ValueId x) {
  Node node;
  node.op = OPMUX_OP_NON_ZERO;
  node.in = {x};
  node.set(opmux_op_non_zero{});
  return b.emit_n(std::move(node), 2);
}

// A scalar has no coordinates, only a number of results.
void non_zero(NodeContext& c) {
  const ValueId x = c.in(0);
  const bool scalar = c.b.rank(x) == 0;
  const Dims one = {1};
  const auto found = emit_non_zero(c.b, scalar ? c.b.reshape(x, one) : x);
  c.out_counted(0, scalar ? c.b.slice(found[0], 0, 0, 0, 1) : found[0], 1, found[1]);
}

// The attribute 'axis'; without it x becomes flat, along axis 0.
int64_t axis_or_flat(NodeContext& c, ValueId& x) {
  if (c.has_attr("axis")) return normal_axis(c.integer("axis"), c.b.rank(x), "axis");
  const Dims flat = {element_count(c.b.desc(x))};
  x = c.b.reshape(x, flat);
  return 0;
}

// What lies at the places where the condition holds; without an axis, of the flat tensor.
void compress(NodeContext& c) {
  ValueId x = c.in(0);
  const ValueId condition = c.in(1);
  const int64_t axis = axis_or_flat(c, x);
  if (c.b.rank(condition) != 1) {
    fail(OPMUX_E_INVALID, "the condition has rank {}, it must have 1", c.b.rank(condition));
  }
  const Dims n = c.b.dims(condition);
  if (n[0] > c.b.dim(x, axis)) {
    fail(OPMUX_E_INVALID, "the condition has {} elements, the axis has {}", n[0], c.b.dim(x, axis));
  }
  const auto found = emit_non_zero(c.b, condition);
  opmux_op_gather d{};
  d.axis = static_cast<uint32_t>(axis);
  Node node;
  node.op = OPMUX_OP_GATHER;
  node.in = {x, c.b.reshape(found[0], n)};
  node.set(d);
  c.out_counted(0, c.b.emit(std::move(node)), axis, found[1]);
}

void unique(NodeContext& c) {
  ValueId x = c.in(0);
  const int64_t axis = axis_or_flat(c, x);
  opmux_op_unique d{};
  d.axis = static_cast<uint32_t>(axis);
  d.sorted = c.flag("sorted", true);
  Node node;
  node.op = OPMUX_OP_UNIQUE;
  node.in = {x};
  node.set(d);
  const Dims n = {c.b.dim(x, axis)};
  const opmux_tdesc list = make_desc(OPMUX_I64, n), none{};
  const std::array<opmux_tdesc, 5> out = {c.b.desc(x), c.wants(1) ? list : none, c.wants(2) ? list : none,
                                          c.wants(3) ? list : none, make_desc(OPMUX_I64, {})};
  const auto y = c.b.emit_as(std::move(node), out);
  c.out_counted(0, y[0], axis, y[4]);
  if (y[1] != kNone) c.out_counted(1, y[1], 0, y[4]);
  if (y[2] != kNone) c.out(2, y[2]);
  if (y[3] != kNone) c.out_counted(3, y[3], 0, y[4]);
}

constexpr Rule kRules[] = {
    {"Compress", compress}, {"NonZero", non_zero}, {"TopK", top_k}, {"Unique", unique}};

}  // namespace

std::span<const Rule> order_rules() { return kRules; }

}  // namespace opmux::onnx_import
