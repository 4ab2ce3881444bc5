// SPDX-License-Identifier: Apache-2.0
// Functions of one operand, and casts.
#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

template <uint32_t Fn>
void unary(NodeContext& c) {
  c.out(0, c.b.pointwise(Fn, {c.in(0)}));
}

// The pointwise function is for floats; integers are what they are.
template <uint32_t Fn>
void unary_float(NodeContext& c) {
  const ValueId x = c.in(0);
  c.out(0, is_float(c.b.dtype(x)) ? c.b.pointwise(Fn, {x}) : x);
}

void identity(NodeContext& c) { c.out(0, c.in(0)); }

void abs(NodeContext& c) {
  const ValueId x = c.in(0);
  c.out(0, OPMUX_DTYPE_CLASS(c.b.dtype(x)) == OPMUX_CLASS_UNSIGNED ? x : c.b.pointwise(OPMUX_FN_ABS, {x}));
}

void is_inf(NodeContext& c) {
  const Math m(c.b);
  const ValueId x = c.b.cast(c.in(0), formula_dtype(c.b.dtype(c.in(0))));
  const bool negative = c.flag("detect_negative", true), positive = c.flag("detect_positive", true);
  ValueId y = m(OPMUX_FN_IS_INF, {x});
  if (!negative) y = m(OPMUX_FN_AND, {y, m(OPMUX_FN_GT, {x, m.number(x, 0)})});
  if (!positive) y = m(OPMUX_FN_AND, {y, m(OPMUX_FN_LT, {x, m.number(x, 0)})});
  c.out(0, y);
}

void is_nan(NodeContext& c) {
  c.out(0, c.b.pointwise(OPMUX_FN_IS_NAN, {c.b.cast(c.in(0), formula_dtype(c.b.dtype(c.in(0))))}));
}

// Up to operator set 5 the type was written out.
uint32_t dtype_of_name(const std::string& name) {
  static constexpr const char* kNames[] = {"UNDEFINED", "FLOAT",  "UINT8",  "INT8",   "UINT16",
                                           "INT16",     "INT32",  "INT64",  "STRING", "BOOL",
                                           "FLOAT16",   "DOUBLE", "UINT32", "UINT64"};
  const auto at = std::find(std::begin(kNames), std::end(kNames), name);
  if (at == std::end(kNames)) fail(OPMUX_E_INVALID, "attribute 'to' is '{}', which is unknown", name);
  return dtype_of_attr(at - std::begin(kNames));
}

// Which power of two a cast to e8m0 takes.
uint32_t power_rounding(NodeContext& c) {
  const std::string mode = c.text("round_mode", "up");
  if (mode == "up") return OPMUX_INSN_ROUND_UP;
  if (mode == "down") return OPMUX_INSN_ROUND_DOWN;
  if (mode != "nearest")
    fail(OPMUX_E_INVALID, "attribute 'round_mode' is '{}', it must be up, down or nearest", mode);
  return 0;
}

void cast(NodeContext& c) {
  const uint32_t to = c.opset < 6 ? dtype_of_name(c.text("to", "")) : dtype_of_attr(c.integer("to"));
  if (to == OPMUX_E8M0 && c.b.dtype(c.in(0)) != to) {
    c.out(0, c.b.cast(widen_narrow(c.b, c.in(0)), to, c.flag("saturate", true), power_rounding(c)));
    return;
  }
  c.out(0, convert(c.b, c.in(0), to, c.flag("saturate", true)));
}

void cast_like(NodeContext& c) {
  c.out(0, convert(c.b, c.in(0), c.b.dtype(c.in(1)), c.flag("saturate", true)));
}

// The same bytes under another type of the same width.
void bit_cast(NodeContext& c) {
  const ValueId x = c.b.contiguous(c.in(0));
  const uint32_t to = dtype_of_attr(c.integer("to")), from = c.b.dtype(x);
  if (OPMUX_DTYPE_BITS(to) != OPMUX_DTYPE_BITS(from)) {
    fail(OPMUX_E_UNSUPPORTED, "types of {} and {} bits differ in width", OPMUX_DTYPE_BITS(from),
         OPMUX_DTYPE_BITS(to));
  }
  opmux_tdesc desc = c.b.desc(x);
  desc.dtype = to;
  c.out(0, c.b.graph().add_view(x, desc, 0, c.op()));
}

constexpr Rule kRules[] = {
    {"Abs", abs},
    {"Acos", unary<OPMUX_FN_ACOS>},
    {"Acosh", unary<OPMUX_FN_ACOSH>},
    {"Asin", unary<OPMUX_FN_ASIN>},
    {"Asinh", unary<OPMUX_FN_ASINH>},
    {"Atan", unary<OPMUX_FN_ATAN>},
    {"Atanh", unary<OPMUX_FN_ATANH>},
    {"BitCast", bit_cast},
    {"BitwiseNot", unary<OPMUX_FN_BIT_NOT>},
    {"Cast", cast},
    {"CastLike", cast_like},
    {"Ceil", unary_float<OPMUX_FN_CEIL>},
    {"Cos", unary<OPMUX_FN_COS>},
    {"Cosh", unary<OPMUX_FN_COSH>},
    {"Erf", unary<OPMUX_FN_ERF>},
    {"Exp", unary<OPMUX_FN_EXP>},
    {"Floor", unary_float<OPMUX_FN_FLOOR>},
    {"Identity", identity},
    {"IsInf", is_inf},
    {"IsNaN", is_nan},
    {"Log", unary<OPMUX_FN_LOG>},
    {"Neg", unary<OPMUX_FN_NEG>},
    {"Not", unary<OPMUX_FN_NOT>},
    {"Reciprocal", unary<OPMUX_FN_RECIPROCAL>},
    {"Round", unary_float<OPMUX_FN_ROUND>},
    {"Sign", unary<OPMUX_FN_SIGN>},
    {"Sin", unary<OPMUX_FN_SIN>},
    {"Sinh", unary<OPMUX_FN_SINH>},
    {"Sqrt", unary<OPMUX_FN_SQRT>},
    {"Tan", unary<OPMUX_FN_TAN>},
    {"Tanh", unary<OPMUX_FN_TANH>},
};

}  // namespace

std::span<const Rule> unary_rules() { return kRules; }

}  // namespace opmux::onnx_import
