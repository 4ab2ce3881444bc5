// SPDX-License-Identifier: Apache-2.0
// Reductions. Axes are an attribute up to operator set 17 (12 for ReduceSum), an input since.
#include <numeric>

#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

// Reductions of floats compute in at least f32 by themselves; bool has its own kinds.
uint32_t kind_for(uint32_t kind, uint32_t dtype) {
  if (dtype != OPMUX_BOOL) return kind;
  if (kind == OPMUX_REDUCE_MAX) return OPMUX_REDUCE_ANY;
  if (kind == OPMUX_REDUCE_MIN) return OPMUX_REDUCE_ALL;
  fail(OPMUX_E_UNSUPPORTED, "tensors of bool are not supported");
}

// Of a single element, which is what no axes at all leave.
ValueId of_one(NodeContext& c, uint32_t kind, ValueId x) {
  const Math m(c.b);
  switch (kind) {
    case OPMUX_REDUCE_L1:
    case OPMUX_REDUCE_L2:
      return OPMUX_DTYPE_CLASS(c.b.dtype(x)) == OPMUX_CLASS_UNSIGNED ? x : m(OPMUX_FN_ABS, {x});
    case OPMUX_REDUCE_SUM_SQUARE:
      return m.mul(x, x);
    case OPMUX_REDUCE_LOG_SUM:
      return m(OPMUX_FN_LOG, {x});
    default:
      return x;
  }
}

template <uint32_t Kind>
void reduce(NodeContext& c) {
  const ValueId x = c.in(0);
  const int64_t rank = c.b.rank(x);
  std::vector<int64_t> axes = c.ints(1, "axes").value_or(std::vector<int64_t>{});
  if (axes.empty() && c.flag("noop_with_empty_axes")) {
    c.out(0, of_one(c, Kind, x));
    return;
  }
  if (axes.empty()) {
    axes.resize(static_cast<size_t>(rank));
    std::iota(axes.begin(), axes.end(), 0);
  }
  if (rank == 0) {
    c.out(0, of_one(c, Kind, x));
    return;
  }
  // Roots and logarithms of integers are computed as floats.
  const bool rooted =
      Kind == OPMUX_REDUCE_L2 || Kind == OPMUX_REDUCE_LOG_SUM || Kind == OPMUX_REDUCE_LOG_SUM_EXP;
  const uint32_t dtype = c.b.dtype(x);
  const uint32_t through = rooted && is_integer(dtype) ? OPMUX_F64 : dtype;
  const ValueId y = c.b.reduce(kind_for(Kind, dtype), c.b.cast(x, through), axes, c.flag("keepdims", true));
  c.out(0, c.b.cast(y, dtype));
}

template <uint32_t Kind>
void arg(NodeContext& c) {
  const ValueId x = c.in(0);
  const int64_t axis = normal_axis(c.integer("axis", 0), c.b.rank(x), "axis");
  c.out(0, c.b.reduce(Kind, x, std::span(&axis, 1), c.flag("keepdims", true), c.flag("select_last_index")));
}

constexpr Rule kRules[] = {
    {"ArgMax", arg<OPMUX_REDUCE_ARGMAX>},           {"ArgMin", arg<OPMUX_REDUCE_ARGMIN>},
    {"ReduceL1", reduce<OPMUX_REDUCE_L1>},          {"ReduceL2", reduce<OPMUX_REDUCE_L2>},
    {"ReduceLogSum", reduce<OPMUX_REDUCE_LOG_SUM>}, {"ReduceLogSumExp", reduce<OPMUX_REDUCE_LOG_SUM_EXP>},
    {"ReduceMax", reduce<OPMUX_REDUCE_MAX>},        {"ReduceMean", reduce<OPMUX_REDUCE_MEAN>},
    {"ReduceMin", reduce<OPMUX_REDUCE_MIN>},        {"ReduceProd", reduce<OPMUX_REDUCE_PROD>},
    {"ReduceSum", reduce<OPMUX_REDUCE_SUM>},        {"ReduceSumSquare", reduce<OPMUX_REDUCE_SUM_SQUARE>},
};

}  // namespace

std::span<const Rule> reduce_rules() { return kRules; }

}  // namespace opmux::onnx_import
