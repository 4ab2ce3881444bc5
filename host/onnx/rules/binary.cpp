// SPDX-License-Identifier: Apache-2.0
// Functions of two operands and more: arithmetic, comparison, logic, bits, choice.
#include "host/onnx/rules/common.hpp"
#include "kit/schema/schema.hpp"

namespace opmux::onnx_import {
namespace {

void check_same_type(NodeContext& c, size_t i, size_t j) {
  const uint32_t a = c.b.dtype(c.in(i)), b = c.b.dtype(c.in(j));
  if (a != b) {
    fail(OPMUX_E_INVALID, "input {} is {}, input {} is {}, they must be of one type", i,
         schema::dtype_name(a), j, schema::dtype_name(b));
  }
}

// Operand 1. Up to operator set 6 it lay along the axes of operand 0 from attribute `axis` on.
ValueId second(NodeContext& c) {
  const ValueId x = c.in(0), y = c.in(1);
  if (c.opset > 6 || !c.has_attr("axis")) return y;
  const int64_t axis = normal_axis(c.integer("axis"), c.b.rank(x), "axis");
  const int64_t behind = c.b.rank(x) - axis - c.b.rank(y);
  if (behind < 0) {
    fail(OPMUX_E_INVALID, "operand 1 of rank {} does not fit rank {} from axis {} on", c.b.rank(y),
         c.b.rank(x), axis);
  }
  Dims dims = c.b.dims(y);
  dims.insert(dims.end(), static_cast<size_t>(behind), 1);
  return c.b.reshape(y, dims);
}

template <uint32_t Fn>
void binary(NodeContext& c) {
  check_same_type(c, 0, 1);
  c.out(0, c.b.pointwise(Fn, {c.in(0), second(c)}));
}

// Comparisons of bool go by its bytes, false below true.
template <uint32_t Fn>
void compare(NodeContext& c) {
  check_same_type(c, 0, 1);
  ValueId x = c.in(0), y = second(c);
  if (c.b.dtype(x) == OPMUX_BOOL) x = c.b.cast(x, OPMUX_U8), y = c.b.cast(y, OPMUX_U8);
  c.out(0, c.b.pointwise(Fn, {x, y}));
}

template <uint32_t Fn>
void fold_operands(NodeContext& c) {
  ValueId y = c.in(0);
  for (size_t i = 1; i < c.n_in(); ++i) {
    check_same_type(c, 0, i);
    y = c.b.pointwise(Fn, {y, c.in(i)});
  }
  c.out(0, y);
}

void mean(NodeContext& c) {
  const Math m(c.b);
  fold_operands<OPMUX_FN_ADD>(c);
  if (c.n_in() > 1) c.out(0, m.div(c.outputs()[0], static_cast<double>(c.n_in())));
}

void mod(NodeContext& c) {
  check_same_type(c, 0, 1);
  const bool truncated = c.flag("fmod");
  if (!truncated && is_float(c.b.dtype(c.in(0))) && c.opset < 28) {
    fail(OPMUX_E_INVALID, "floats need attribute fmod = 1, it is 0");
  }
  c.out(0, c.b.pointwise(truncated ? OPMUX_FN_FMOD : OPMUX_FN_MOD, {c.in(0), c.in(1)}));
}

// The result has the type of the base.
void pow(NodeContext& c) {
  ValueId x = c.in(0), y = second(c);
  const uint32_t dtype = c.b.dtype(x), exponent = c.b.dtype(y);
  const bool through_float = is_integer(dtype) && is_float(exponent);
  const uint32_t common = through_float ? formula_dtype(exponent) : dtype;
  x = c.b.cast(x, common);
  c.out(0, c.b.cast(c.b.pointwise(OPMUX_FN_POW, {x, c.b.cast(y, common)}), dtype));
}

void bit_shift(NodeContext& c) {
  check_same_type(c, 0, 1);
  const std::string direction = c.text("direction", "");
  if (direction != "LEFT" && direction != "RIGHT") {
    fail(OPMUX_E_INVALID, "attribute 'direction' is '{}', it must be LEFT or RIGHT", direction);
  }
  c.out(0,
        c.b.pointwise(direction == "LEFT" ? OPMUX_FN_SHIFT_LEFT : OPMUX_FN_SHIFT_RIGHT, {c.in(0), c.in(1)}));
}

void where(NodeContext& c) {
  check_same_type(c, 1, 2);
  c.out(0, c.b.pointwise(OPMUX_FN_SELECT, {c.in(0), c.in(1), c.in(2)}));
}

// Bounds are attributes up to operator set 10.
void clip(NodeContext& c) {
  const Math m(c.b);
  const ValueId x = c.in(0);
  const auto bound = [&](size_t i, const char* attr) {
    if (c.has(i)) return c.in(i);
    return c.has_attr(attr) ? m.number(x, c.real(attr, 0)) : kNone;
  };
  const ValueId low = bound(1, "min"), high = bound(2, "max");
  for (ValueId v : {low, high}) {
    if (v != kNone && c.b.rank(v) != 0 && element_count(c.b.desc(v)) != 1) {
      fail(OPMUX_E_INVALID, "a bound has {} elements, it must have 1", element_count(c.b.desc(v)));
    }
  }
  const auto as_scalar = [&](ValueId v) { return c.b.reshape(v, {}); };
  if (low != kNone && high != kNone) {
    c.out(0, m(OPMUX_FN_CLAMP, {x, as_scalar(low), as_scalar(high)}));
  } else if (low != kNone) {
    c.out(0, m(OPMUX_FN_MAX, {x, as_scalar(low)}));
  } else {
    c.out(0, high != kNone ? m(OPMUX_FN_MIN, {x, as_scalar(high)}) : x);
  }
}

constexpr Rule kRules[] = {
    {"Add", binary<OPMUX_FN_ADD>},
    {"And", binary<OPMUX_FN_AND>},
    {"BitShift", bit_shift},
    {"BitwiseAnd", binary<OPMUX_FN_BIT_AND>},
    {"BitwiseOr", binary<OPMUX_FN_BIT_OR>},
    {"BitwiseXor", binary<OPMUX_FN_BIT_XOR>},
    {"Clip", clip},
    {"Div", binary<OPMUX_FN_DIV>},
    {"Equal", binary<OPMUX_FN_EQ>},
    {"Greater", compare<OPMUX_FN_GT>},
    {"GreaterOrEqual", compare<OPMUX_FN_GE>},
    {"Less", compare<OPMUX_FN_LT>},
    {"LessOrEqual", compare<OPMUX_FN_LE>},
    {"Max", fold_operands<OPMUX_FN_MAX>},
    {"Mean", mean},
    {"Min", fold_operands<OPMUX_FN_MIN>},
    {"Mod", mod},
    {"Mul", binary<OPMUX_FN_MUL>},
    {"Or", binary<OPMUX_FN_OR>},
    {"Pow", pow},
    {"Sub", binary<OPMUX_FN_SUB>},
    {"Sum", fold_operands<OPMUX_FN_ADD>},
    {"Where", where},
    {"Xor", binary<OPMUX_FN_XOR>},
};

}  // namespace

std::span<const Rule> binary_rules() { return kRules; }

}  // namespace opmux::onnx_import
