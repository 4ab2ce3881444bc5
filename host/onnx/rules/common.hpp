// SPDX-License-Identifier: Apache-2.0
// What several groups of rules need.
#pragma once

#include <initializer_list>

#include "host/onnx/rule.hpp"
#include "host/onnx/rules/rules.hpp"

namespace opmux::onnx_import {

inline bool is_float(uint32_t dtype) { return OPMUX_DTYPE_CLASS(dtype) == OPMUX_CLASS_FLOAT; }
inline bool is_integer(uint32_t dtype) {
  return OPMUX_DTYPE_CLASS(dtype) == OPMUX_CLASS_SIGNED || OPMUX_DTYPE_CLASS(dtype) == OPMUX_CLASS_UNSIGNED;
}

// Type in which formulas of several steps are computed: f32 for the narrower floats.
inline uint32_t formula_dtype(uint32_t dtype) {
  return is_float(dtype) && OPMUX_DTYPE_BITS(dtype) < 32 ? OPMUX_F32 : dtype;
}

// Arithmetic on values, with numpy broadcast.
class Math {
 public:
  explicit Math(GraphBuilder& builder) : b(builder) {}
  GraphBuilder& b;

  ValueId number(ValueId like, double v) const { return b.scalar(b.dtype(like), v); }
  ValueId operator()(uint32_t fn, std::initializer_list<ValueId> args) const { return b.pointwise(fn, args); }
  ValueId add(ValueId x, ValueId y) const { return b.pointwise(OPMUX_FN_ADD, {x, y}); }
  ValueId sub(ValueId x, ValueId y) const { return b.pointwise(OPMUX_FN_SUB, {x, y}); }
  ValueId mul(ValueId x, ValueId y) const { return b.pointwise(OPMUX_FN_MUL, {x, y}); }
  ValueId div(ValueId x, ValueId y) const { return b.pointwise(OPMUX_FN_DIV, {x, y}); }
  ValueId add(ValueId x, double y) const { return add(x, number(x, y)); }
  ValueId sub(ValueId x, double y) const { return sub(x, number(x, y)); }
  ValueId mul(ValueId x, double y) const { return mul(x, number(x, y)); }
  ValueId div(ValueId x, double y) const { return div(x, number(x, y)); }
  ValueId select(ValueId condition, ValueId x, ValueId y) const {
    return b.pointwise(OPMUX_FN_SELECT, {condition, x, y});
  }
};

// Output 0 = formula(input 0), computed in formula_dtype.
template <class F>
void apply_formula(NodeContext& c, F formula) {
  const ValueId x = c.in(0);
  const uint32_t dtype = c.b.dtype(x);
  const ValueId y = formula(Math(c.b), c.b.cast(x, formula_dtype(dtype)));
  c.out(0, c.b.cast(y, dtype));
}

// Sorted, each once, from 0 on.
std::vector<int64_t> normal_axes(std::span<const int64_t> axes, int64_t rank, const char* what);

// Dims of [C] as they broadcast over [N, C, ..] of this rank.
Dims channel_dims(int64_t channels, int64_t rank);

// Type of a TensorProto.DataType attribute; throws for types that this runtime lacks.
uint32_t dtype_of_attr(int64_t data_type);

// Input i as the one number that it is; throws when it is not known before the run. what: "the size".
double scalar_of(NodeContext& c, size_t i, const char* what);

// As ONNX Cast does: integers wrap, floats to integers saturate.
ValueId convert(GraphBuilder& b, ValueId v, uint32_t dtype, bool saturate = true);

// Constant 4- and 2-bit integers as 8-bit ones, since narrower types have no arithmetic; others as they are.
ValueId widen_narrow(GraphBuilder& b, ValueId v);

}  // namespace opmux::onnx_import
