// SPDX-License-Identifier: Apache-2.0
// Gather and its kin.
#include <algorithm>

#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

ValueId index_operand(NodeContext& c, size_t i) {
  const ValueId v = c.in(i);
  const uint32_t t = c.b.dtype(v);
  if (!is_integer(t)) fail(OPMUX_E_INVALID, "input {} is no integer tensor", i);
  return t == OPMUX_I32 || t == OPMUX_I64 ? v : c.b.cast(v, OPMUX_I64);
}

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

// Elements where a known condition holds.
void compress(NodeContext& c) {
  ValueId x = c.in(0);
  const auto condition = c.b.ints(c.in(1), "the condition");
  int64_t axis = 0;
  if (c.has_attr("axis")) {
    axis = normal_axis(c.integer("axis"), c.b.rank(x), "axis");
  } else {
    const Dims flat = {element_count(c.b.desc(x))};
    x = c.b.reshape(x, flat);
  }
  if (static_cast<int64_t>(condition.size()) > c.b.dim(x, axis)) {
    fail(OPMUX_E_INVALID, "the condition has {} elements, the axis has {}", condition.size(),
         c.b.dim(x, axis));
  }
  std::vector<int64_t> taken;
  for (size_t i = 0; i < condition.size(); ++i) {
    if (condition[i] != 0) taken.push_back(static_cast<int64_t>(i));
  }
  opmux_op_gather d{};
  d.axis = static_cast<uint32_t>(axis);
  c.out(0, emit_indexed(c, OPMUX_OP_GATHER, d, x, c.b.int_vector(taken)));
}

// Of a known tensor; otherwise the number of results depends on data.
void non_zero(NodeContext& c) {
  const HostTensor x = c.b.contents(c.in(0), "the number of results");
  const auto values = x.to_double();
  const Dims dims = to_dims(x.desc());
  std::vector<std::vector<int64_t>> places(dims.size());
  size_t count = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] == 0) continue;
    ++count;
    auto rest = static_cast<int64_t>(i);
    for (size_t a = dims.size(); a-- > 0;) {
      places[a].push_back(rest % dims[a]);
      rest /= dims[a];
    }
  }
  std::vector<int64_t> flat;
  for (const auto& p : places) flat.insert(flat.end(), p.begin(), p.end());
  const Dims out = {static_cast<int64_t>(dims.size()), static_cast<int64_t>(count)};
  c.out(0, c.b.constant(HostTensor::of<int64_t>(OPMUX_I64, out, flat)));
}

// Known lengths make the places known: y[t, b] = x[length[b] - 1 - t, b] within the length.
void reverse_sequence(NodeContext& c) {
  ValueId x = c.in(0);
  const auto lengths = c.b.ints(c.in(1), "the lengths");
  const int64_t time = c.integer("time_axis", 0), batch = c.integer("batch_axis", 1);
  if (c.b.rank(x) < 2 || time + batch != 1 || time * batch != 0) {
    fail(OPMUX_E_INVALID, "axes {} and {} must be 0 and 1, of rank 2 or more, the rank is {}", time, batch,
         c.b.rank(x));
  }
  const int64_t n_time = c.b.dim(x, time), n_batch = c.b.dim(x, batch);
  if (static_cast<int64_t>(lengths.size()) != n_batch) {
    fail(OPMUX_E_INVALID, "there are {} lengths, the batch has {}", lengths.size(), n_batch);
  }
  for (int64_t n : lengths) {
    if (n < 0 || n > n_time) fail(OPMUX_E_INVALID, "a length is {}, it must be from 0 to {}", n, n_time);
  }
  std::vector<int64_t> places;
  checked_made({n_time, n_batch, 2});
  const int64_t outer = time == 0 ? n_time : n_batch, inner = time == 0 ? n_batch : n_time;
  for (int64_t i = 0; i < outer; ++i) {
    for (int64_t j = 0; j < inner; ++j) {
      const int64_t t = time == 0 ? i : j, b = time == 0 ? j : i;
      const int64_t length = lengths[static_cast<size_t>(b)], from = t < length ? length - 1 - t : t;
      places.push_back(time == 0 ? from : b);
      places.push_back(time == 0 ? b : from);
    }
  }
  const Dims dims = {outer, inner, 2};
  const ValueId index = c.b.constant(HostTensor::of<int64_t>(OPMUX_I64, dims, places));
  c.out(0, emit_indexed(c, OPMUX_OP_GATHER_ND, opmux_op_gather_nd{}, x, index));
}

constexpr Rule kRules[] = {
    {"Compress", compress},
    {"Gather", gather},
    {"GatherElements", gather_elements},
    {"GatherND", gather_nd},
    {"NonZero", non_zero},
    {"OneHot", one_hot},
    {"ReverseSequence", reverse_sequence},
};

}  // namespace

std::span<const Rule> index_rules() { return kRules; }

}  // namespace opmux::onnx_import
