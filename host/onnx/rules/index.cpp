// SPDX-License-Identifier: Apache-2.0
// Gather and its kin.
#include <algorithm>

#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

template <class D>
ValueId emit_indexed(NodeContext& c, uint32_t op, const D& d, ValueId x, ValueId index) {
  Node node;
  node.op = op;
  node.in = {x, index};
  node.set(d);
  return c.b.emit(std::move(node));
}

// A known single index is a slice, and so costs nothing.
ValueId gather_one(NodeContext& c, ValueId x, int64_t axis, int64_t index, const Dims& index_dims) {
  const int64_t n = c.b.dim(x, axis);
  if (index < -n || index >= n) fail(OPMUX_E_INVALID, "index {} is outside [{}, {}]", index, -n, n - 1);
  Dims dims = c.b.dims(x);
  const ValueId y = c.b.slice(x, axis, index < 0 ? index + n : index, 1, 1);
  dims.erase(dims.begin() + axis);
  dims.insert(dims.begin() + axis, index_dims.begin(), index_dims.end());
  return c.b.reshape(y, dims);
}

void gather(NodeContext& c) {
  const ValueId x = c.in(0), index = index_operand(c, 1);
  const int64_t axis = normal_axis(c.integer("axis", 0), c.b.rank(x), "axis");
  const bool whole_bytes = OPMUX_DTYPE_BITS(c.b.dtype(x)) % 8 == 0;
  if (whole_bytes && c.b.is_constant(index) && element_count(c.b.desc(index)) == 1) {
    c.out(0, gather_one(c, x, axis, c.b.ints(index, "the index")[0], c.b.dims(index)));
    return;
  }
  opmux_op_gather d{};
  d.axis = static_cast<uint32_t>(axis);
  c.out(0, emit_indexed(c, OPMUX_OP_GATHER, d, x, index));
}

void gather_elements(NodeContext& c) {
  const ValueId x = c.in(0), index = index_operand(c, 1);
  opmux_op_gather_elements d{};
  d.axis = static_cast<uint32_t>(normal_axis(c.integer("axis", 0), c.b.rank(x), "axis"));
  c.out(0, emit_indexed(c, OPMUX_OP_GATHER_ELEMENTS, d, x, index));
}

void gather_nd(NodeContext& c) {
  const int64_t batch = c.integer("batch_dims", 0);
  if (batch < 0 || batch >= c.b.rank(c.in(0))) {
    fail(OPMUX_E_INVALID, "attribute 'batch_dims' is {}, it must be from 0 to {}", batch,
         c.b.rank(c.in(0)) - 1);
  }
  opmux_op_gather_nd d{};
  d.batch_dims = static_cast<uint32_t>(batch);
  c.out(0, emit_indexed(c, OPMUX_OP_GATHER_ND, d, c.in(0), index_operand(c, 1)));
}

void one_hot(NodeContext& c) {
  const ValueId index = c.in(0);
  const double depth = scalar_of(c, 1, "the depth");
  if (depth < 0 || depth > static_cast<double>(int64_t{1} << 40)) {
    fail(OPMUX_E_INVALID, "the depth is {}, it must be from 0 to 2^40", depth);
  }
  const int64_t axis = normal_axis(c.integer("axis", -1), c.b.rank(index) + 1, "axis");
  Dims dims = c.b.dims(index);
  dims.insert(dims.begin() + axis, static_cast<int64_t>(depth));
  Node node;
  node.op = OPMUX_OP_ONE_HOT;
  node.in = {index, c.in(2)};
  opmux_op_one_hot d{};
  d.axis = static_cast<uint32_t>(axis);
  node.set(d);
  const opmux_tdesc y = make_desc(c.b.dtype(c.in(2)), dims);
  c.out(0, c.b.emit_as(std::move(node), std::span(&y, 1))[0]);
}

// 0, 1, .. along one of two axes.
ValueId counting(GraphBuilder& b, int64_t n, int64_t axis) {
  Node node;
  node.op = OPMUX_OP_IOTA;
  node.in = {b.scalar(OPMUX_I64, 0), b.scalar(OPMUX_I64, 1)};
  node.set(opmux_op_iota{});
  const opmux_tdesc d = make_desc(OPMUX_I64, {n});
  const int64_t other = 1 - axis;
  return b.unsqueeze(b.emit_as(std::move(node), std::span(&d, 1))[0], std::span(&other, 1));
}

// y[t, b] = x[length[b] - 1 - t, b] within the length. A length that is negative or beyond the axis leads
// outside of x, which gather reports.
void reverse_sequence(NodeContext& c) {
  GraphBuilder& b = c.b;
  const Math m(b);
  const ValueId x = c.in(0);
  const int64_t time = c.integer("time_axis", 0), batch = c.integer("batch_axis", 1);
  if (b.rank(x) < 2 || time + batch != 1 || time * batch != 0) {
    fail(OPMUX_E_INVALID, "axes {} and {} must be 0 and 1, of rank 2 or more, the rank is {}", time, batch,
         b.rank(x));
  }
  const int64_t n_time = b.dim(x, time), n_batch = b.dim(x, batch);
  if (b.rank(c.in(1)) != 1 || b.dim(c.in(1), 0) != n_batch) {
    fail(OPMUX_E_INVALID, "the lengths are {}, the batch has {}", to_string(b.desc(c.in(1))), n_batch);
  }
  const ValueId lengths = b.unsqueeze(b.cast(c.in(1), OPMUX_I64), std::span(&time, 1));
  const ValueId t = counting(b, n_time, time), within = m(OPMUX_FN_LT, {t, lengths});
  const ValueId from = m.select(within, m.sub(m.sub(lengths, 1.0), t), t);
  const ValueId outside = m.number(lengths, static_cast<double>(n_time));
  const ValueId checked = m.select(m(OPMUX_FN_LT, {lengths, m.number(lengths, 0)}), outside, from);
  const int64_t last = 2;
  ValueId place[2] = {};
  place[time] = b.unsqueeze(checked, std::span(&last, 1));
  place[batch] = b.unsqueeze(b.expand(counting(b, n_batch, batch), b.dims(checked)), std::span(&last, 1));
  c.out(0, emit_indexed(c, OPMUX_OP_GATHER_ND, opmux_op_gather_nd{}, x, b.concat(place, 2)));
}

constexpr Rule kRules[] = {
    {"Gather", gather},  {"GatherElements", gather_elements},   {"GatherND", gather_nd},
    {"OneHot", one_hot}, {"ReverseSequence", reverse_sequence},
};

}  // namespace

std::span<const Rule> index_rules() { return kRules; }

}  // namespace opmux::onnx_import
