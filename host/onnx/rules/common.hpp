// SPDX-License-Identifier: Apache-2.0
// What several groups of rules need.
#pragma once

#include <initializer_list>
#include <utility>

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

// Most elements of a constant that a rule makes by itself; a small file must not ask for all memory.
constexpr int64_t kMostMade = int64_t{1} << 26;
constexpr int64_t kMostMasked = int64_t{1} << 28;  // of a byte each
// The product of the dims, if it is within the limit; throws Error otherwise.
int64_t checked_made(std::initializer_list<int64_t> dims, int64_t limit = kMostMade);

// Product of extents; throws beyond 2^63, which an empty tensor may have among its others.
int64_t product_of(std::span<const int64_t> dims);

// Dims before an axis, and those from it on.
inline std::pair<std::span<const int64_t>, std::span<const int64_t>> split_at(const Dims& dims,
                                                                              int64_t axis) {
  const std::span<const int64_t> all(dims);
  return {all.first(static_cast<size_t>(axis)), all.subspan(static_cast<size_t>(axis))};
}

// Sorted, each once, from 0 on.
std::vector<int64_t> normal_axes(std::span<const int64_t> axes, int64_t rank, const char* what);

// Dims of [C] as they broadcast over [N, C, ..] of this rank.
Dims channel_dims(int64_t channels, int64_t rank);

// Type of a TensorProto.DataType attribute; throws for types that this runtime lacks.
uint32_t dtype_of_attr(int64_t data_type);

// Input i as the one number that it is; throws when it is not known before the run. what: "the size".
double scalar_of(NodeContext& c, size_t i, const char* what);

// Input i as indices, i32 or i64.
ValueId index_operand(NodeContext& c, size_t i);

// x with `pads` (begins, then ends; negative ones crop) around it, in an OPMUX_PAD mode; value: what a
// constant padding holds, kNone for 0.
ValueId padded(GraphBuilder& b, ValueId x, std::span<const int64_t> pads, ValueId value = kNone,
               uint32_t mode = OPMUX_PAD_CONSTANT);

// As ONNX Cast does: integers wrap, floats to integers saturate.
ValueId convert(GraphBuilder& b, ValueId v, uint32_t dtype, bool saturate = true);

// Constant 4- and 2-bit integers as 8-bit ones, since narrower types have no arithmetic; others as they are.
ValueId widen_narrow(GraphBuilder& b, ValueId v);

}  // namespace opmux::onnx_import
