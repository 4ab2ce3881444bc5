// SPDX-License-Identifier: Apache-2.0
#include "gpu/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kit/insn.hpp"

namespace opmux::gpu {
namespace {

// Functions of floats; $a, $b and $c are the operands. part, wide_part: texts that it needs in f32 and in
// f64. With wide_part gk_x is gk_x_d in f64; otherwise the text holds for both.
struct FloatFn {
  uint32_t fn;
  const char* text;
  const char *part = "", *wide_part = nullptr;
};
constexpr const char *kCore = "double_core.h", *kCycle = "double_core.h double_cycle.h",
                     *kErf = "double_core.h double_erf.h", *kNone = "-";
constexpr FloatFn kFloatFns[] = {
    {OPMUX_FN_NEG, "-$a"},
    {OPMUX_FN_ABS, "gk_fabs($a)"},
    {OPMUX_FN_SIGN, "($a > $0 ? $1 : ($a < $0 ? -$1 : $a))"},
    {OPMUX_FN_RECIPROCAL, "$1 / $a"},
    {OPMUX_FN_SQRT, "sqrt($a)"},
    {OPMUX_FN_RSQRT, "$1 / sqrt($a)"},
    {OPMUX_FN_EXP, "gk_exp($a)", "", kCore},
    {OPMUX_FN_LOG, "gk_log($a)", "", kCore},
    {OPMUX_FN_TANH, "gk_tanh($a)", "", kCore},
    {OPMUX_FN_ERF, "gk_erf($a)", "", kErf},
    {OPMUX_FN_ERFC, "gk_erfc($a)", "", kErf},
    {OPMUX_FN_FLOOR, "floor($a)"},
    {OPMUX_FN_CEIL, "ceil($a)"},
    {OPMUX_FN_ROUND, "gk_rint($a)"},
    {OPMUX_FN_TRUNC, "trunc($a)"},
    {OPMUX_FN_SIGMOID, "gk_sigmoid($a)", "", kCore},
    {OPMUX_FN_RELU, "($a < $0 ? $0 : $a)"},
    {OPMUX_FN_GELU, "gk_gelu($a)", "", kErf},
    {OPMUX_FN_GELU_TANH, "gk_gelu_tanh($a)", "", kCore},
    {OPMUX_FN_SILU, "gk_silu($a)", "", kCore},
    {OPMUX_FN_SOFTSIGN, "$a / ($1 + gk_fabs($a))"},
    {OPMUX_FN_ADD, "$a + $b"},
    {OPMUX_FN_SUB, "$a - $b"},
    {OPMUX_FN_MUL, "$a * $b"},
    {OPMUX_FN_DIV, "$a / $b"},
    {OPMUX_FN_MIN, "(GK_ISNAN($a) ? $a : ($a < $b ? $a : $b))"},
    {OPMUX_FN_MAX, "(GK_ISNAN($a) ? $a : ($a > $b ? $a : $b))"},
    {OPMUX_FN_FMA, "gk_mad($a, $b, $c)"},
    {OPMUX_FN_EXPM1, "gk_expm1($a)", "powers.h", kCore},
    {OPMUX_FN_EXP2, "gk_exp2($a)", "powers.h", kCore},
    {OPMUX_FN_LOG1P, "gk_log1p($a)", "powers.h", kCore},
    {OPMUX_FN_LOG2, "gk_log2($a)", "powers.h", kCore},
    {OPMUX_FN_SINH, "gk_sinh($a)", "powers.h", kCore},
    {OPMUX_FN_COSH, "gk_cosh($a)", "powers.h", kCore},
    {OPMUX_FN_ASINH, "gk_asinh($a)", "powers.h", kCore},
    {OPMUX_FN_ACOSH, "gk_acosh($a)", "powers.h", kCore},
    {OPMUX_FN_ATANH, "gk_atanh($a)", "powers.h", kCore},
    {OPMUX_FN_SOFTPLUS, "gk_softplus($a)", "powers.h", kCore},
    {OPMUX_FN_MISH, "gk_mish($a)", "powers.h", kCore},
    {OPMUX_FN_POW, "gk_pow($a, $b)", "powers.h", kCore},
    {OPMUX_FN_SIN, "gk_sin($a)", "angles.h", kCycle},
    {OPMUX_FN_COS, "gk_cos($a)", "angles.h", kCycle},
    {OPMUX_FN_TAN, "gk_tan($a)", "angles.h", kCycle},
    {OPMUX_FN_ASIN, "gk_asin($a)", "angles.h", kCycle},
    {OPMUX_FN_ACOS, "gk_acos($a)", "angles.h", kCycle},
    {OPMUX_FN_ATAN, "gk_atan($a)", "angles.h", kCycle},
    {OPMUX_FN_ATAN2, "gk_atan2($a, $b)", "angles.h", kCycle},
    {OPMUX_FN_MOD, "gk_mod($a, $b)", "rests.h", "double_rests.h"},
    // Of f64 it would cancel between -30 and -2, near its zeros.
    {OPMUX_FN_LGAMMA, "gk_lgamma($a)", "double_core.h double_cycle.h double_log_gamma.h", kNone},
    {OPMUX_FN_FMOD, "gk_fmod($a, $b)", "rests.h", "double_rests.h"},
};

// Of integers; # is the suffix of functions of the type, U() and T() the unsigned type of the same width and
// the type, W the bits of the type.
struct IntFn {
  uint32_t fn;
  const char *is_signed, *is_unsigned;
};
constexpr IntFn kIntFns[] = {
    {OPMUX_FN_NEG, "T(U(0) - U($a))", "U(0) - $a"},
    {OPMUX_FN_ABS, "($a < T(0) ? T(U(0) - U($a)) : $a)", "$a"},
    {OPMUX_FN_SIGN, "T($a > T(0) ? 1 : ($a < T(0) ? -1 : 0))", "T($a > T(0) ? 1 : 0)"},
    {OPMUX_FN_RECIPROCAL, "gk_div_#(T(1), $a)", "gk_div_#(T(1), $a)"},
    {OPMUX_FN_FLOOR, "$a", "$a"},
    {OPMUX_FN_CEIL, "$a", "$a"},
    {OPMUX_FN_ROUND, "$a", "$a"},
    {OPMUX_FN_TRUNC, "$a", "$a"},
    {OPMUX_FN_RELU, "($a < T(0) ? T(0) : $a)", "$a"},
    {OPMUX_FN_NOT, "T($a == T(0) ? 1 : 0)", "T($a == T(0) ? 1 : 0)"},
    {OPMUX_FN_BIT_NOT, "~$a", "~$a"},
    {OPMUX_FN_ADD, "T(U($a) + U($b))", "$a + $b"},
    {OPMUX_FN_SUB, "T(U($a) - U($b))", "$a - $b"},
    {OPMUX_FN_MUL, "T(U($a) * U($b))", "$a * $b"},
    {OPMUX_FN_DIV, "gk_div_#($a, $b)", "gk_div_#($a, $b)"},
    {OPMUX_FN_MOD, "gk_mod_#($a, $b)", "gk_rem_#($a, $b)"},
    {OPMUX_FN_FMOD, "gk_rem_#($a, $b)", "gk_rem_#($a, $b)"},
    {OPMUX_FN_POW, "gk_pow_#($a, $b)", "gk_pow_#($a, $b)"},
    {OPMUX_FN_MIN, "($a < $b ? $a : $b)", "($a < $b ? $a : $b)"},
    {OPMUX_FN_MAX, "($a < $b ? $b : $a)", "($a < $b ? $b : $a)"},
    {OPMUX_FN_AND, "$a & $b", "$a & $b"},
    {OPMUX_FN_OR, "$a | $b", "$a | $b"},
    {OPMUX_FN_XOR, "$a ^ $b", "$a ^ $b"},
    {OPMUX_FN_BIT_AND, "$a & $b", "$a & $b"},
    {OPMUX_FN_BIT_OR, "$a | $b", "$a | $b"},
    {OPMUX_FN_BIT_XOR, "$a ^ $b", "$a ^ $b"},
    {OPMUX_FN_SHIFT_LEFT, "T(U($b) >= U(W) ? U(0) : U($a) << GK_U32($b))",
     "($b >= U(W) ? U(0) : $a << GK_U32($b))"},
    {OPMUX_FN_SHIFT_RIGHT, "($a >> (U($b) >= U(W) ? W - 1u : GK_U32($b)))",
     "($b >= U(W) ? U(0) : $a >> GK_U32($b))"},
    {OPMUX_FN_FMA, "T(U($a) * U($b) + U($c))", "$a * $b + $c"},
};

bool is_int(Kind k) { return k == Kind::kInt || k == Kind::kUint || k == Kind::kLong || k == Kind::kUlong; }
bool is_long(Kind k) { return k == Kind::kLong || k == Kind::kUlong; }
bool is_real(Kind k) { return k == Kind::kFloat || k == Kind::kDouble; }

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
}

std::string bits64(uint64_t v) {
  return fmt::format("((GK_U64(0x{:x}u) << 32u) | GK_U64(0x{:x}u))", v >> 32, v & 0xffffffffu);
}

// A float as one of 8 or 4 bits.
std::string small_float(const opmux_insn& x, const std::string& v) {
  const char* saturate = x.flags & OPMUX_INSN_SATURATE ? "true" : "false";
  const int mode = x.flags & OPMUX_INSN_ROUND_UP ? 1 : x.flags & OPMUX_INSN_ROUND_DOWN ? -1 : 0;
  switch (x.dtype) {
    case OPMUX_E4M3FN:
      return fmt::format("gk_e4m3fn_float(gk_e4m3fn_bits({}, {}))", v, saturate);
    case OPMUX_E5M2:
      return fmt::format("gk_e5m2_float(gk_e5m2_bits({}, {}))", v, saturate);
    case OPMUX_E4M3FNUZ:
      return fmt::format("gk_e4m3fnuz_float(gk_e4m3fnuz_bits({}, {}))", v, saturate);
    case OPMUX_E5M2FNUZ:
      return fmt::format("gk_e5m2fnuz_float(gk_e5m2fnuz_bits({}, {}))", v, saturate);
    case OPMUX_E8M0:
      return fmt::format("gk_e8m0_float(gk_e8m0_bits({}, {}, {}))", v, saturate, mode);
    default:
      return fmt::format("gk_e2m1_float(gk_e2m1_bits({}, {}))", v, saturate);
  }
}

bool is_small_float(uint32_t dtype) { return kit::is_float(dtype) && OPMUX_DTYPE_BITS(dtype) <= 8; }

// What an expression in the computing type must go through to be a value of the type.
std::string narrowed(uint32_t dtype, const std::string& x) {
  if (dtype == OPMUX_F16) return fmt::format("gk_round_f16({})", x);
  if (dtype == OPMUX_BF16) return fmt::format("gk_round_bf16({})", x);
  const uint32_t bits = OPMUX_DTYPE_BITS(dtype);
  if (kind_of(dtype) == Kind::kInt && bits < 32)
    return fmt::format("((({}) << {}u) >> {}u)", x, 32 - bits, 32 - bits);
  if (kind_of(dtype) == Kind::kUint && bits < 32) return fmt::format("(({}) & 0x{:x}u)", x, (1u << bits) - 1);
  return x;
}

}  // namespace

std::string float_to_int(Kind from, uint32_t dtype, const std::string& v, bool saturate) {
  const uint32_t bits = OPMUX_DTYPE_BITS(dtype);
  const Kind to = kind_of(dtype);
  const bool is_signed = kit::is_signed(dtype), wide = is_long(to);
  const char* wrap = from == Kind::kDouble ? "gk_whole64_double" : wide ? "gk_whole64" : "gk_whole";
  const std::string whole = narrowed(dtype, fmt::format("{}({}({}))", conversion(to), wrap, v));
  if (!saturate) return whole;
  const double above = std::ldexp(1.0, static_cast<int>(bits) - is_signed);
  const uint64_t top = ~uint64_t{0} >> (64 - bits + is_signed),
                 low = is_signed ? uint64_t{1} << (bits - 1) : 0;
  return fmt::format("({0} >= {1}({2:.1f}f) ? {3} : (trunc({0}) < {1}({4:.1f}f) ? {5} : {6}))", v,
                     conversion(from), above, literal(dtype, top), is_signed ? -above : 0.0,
                     literal(dtype, low), whole);
}

std::string literal(uint32_t dtype, uint64_t imm) {
  const kit::Scalar v = kit::from_bits(dtype, imm);
  switch (kind_of(dtype)) {
    case Kind::kFloat: {
      uint32_t bits;
      const auto f = static_cast<float>(v.f);
      std::memcpy(&bits, &f, sizeof bits);
      return fmt::format("gk_float(0x{:x}u)", bits);
    }
    case Kind::kDouble: {
      uint64_t bits;
      std::memcpy(&bits, &v.f, sizeof bits);
      return fmt::format("gk_double({})", bits64(bits));
    }
    case Kind::kBool:
      return v.u ? "true" : "false";
    case Kind::kInt:
      return fmt::format("GK_I32(0x{:x}u)", static_cast<uint32_t>(v.u));
    case Kind::kUint:
      return fmt::format("0x{:x}u", static_cast<uint32_t>(v.u));
    case Kind::kLong:
      return fmt::format("GK_I64({})", bits64(v.u));
    default:
      return bits64(v.u);
  }
}

namespace {

class Writer {
 public:
  Writer(const opmux_prog& p, uint32_t first, uint64_t features, Source& s)
      : p_(p), first_(first), features_(features), s_(s) {}

  ProgramRefusal run(uint32_t dtype0, const opmux_tdesc* operands, const opmux_tdesc* results) {
    if (first_ > 0) dtype_[0] = dtype0;
    s_.operands = p_.n_in - first_;
    s_.results = p_.n_out;
    for (uint32_t k = 0; k < s_.operands; ++k) {
      const uint32_t v = first_ + k;
      dtype_[v] = operands[k].dtype;
      s_.types[fmt::format("x{}", k)] = dtype_[v];
      declare(v, fmt::format("LD_x{}(GK_X({}))", k, k));
      if (!use(dtype_[v])) return refusal(p_.n_insn);
    }
    for (uint32_t i = 0; i < p_.n_insn; ++i) {
      dtype_[p_.n_in + i] = p_.insn[i].dtype;
      if (!use(p_.insn[i].dtype) || !instruction(i)) return refusal(i);
    }
    for (uint32_t o = 0; o < p_.n_out; ++o) {
      s_.types[fmt::format("y{}", o)] = results[o].dtype;
      s_.program += fmt::format("ST_y{}(GK_Y({}), v{});\n", o, o, p_.out[o]);
    }
    return {};
  }

 private:
  ProgramRefusal refusal(uint32_t insn) const { return {true, insn, lacking_}; }

  // Does the device have the type?
  bool use(uint32_t dtype) {
    const Kind k = kind_of(dtype);
    if (k == Kind::kNone || k == Kind::kPair) return false;
    s_.doubles |= k == Kind::kDouble;
    s_.longs |= is_long(k) || k == Kind::kDouble;
    if (s_.doubles && !(features_ & OPMUX_FEAT_F64)) lacking_ = OPMUX_FEAT_F64;
    if (s_.longs && !(features_ & OPMUX_FEAT_I64)) lacking_ = OPMUX_FEAT_I64;
    return lacking_ == 0;
  }

  void declare(uint32_t value, const std::string& expression) {
    const Kind k = kind_of(dtype_[value]);
    s_.program +=
        fmt::format("{}{} v{} = {};\n", is_real(k) ? "GK_PRECISE " : "", kind_name(k), value, expression);
  }

  std::string filled(std::string text, const opmux_insn& x, Kind k) const {
    replace_all(text, "$a", fmt::format("v{}", x.a));
    replace_all(text, "$b", fmt::format("v{}", x.b));
    replace_all(text, "$c", fmt::format("v{}", x.c));
    replace_all(text, "$0", fmt::format("{}(0)", conversion(k)));
    replace_all(text, "$1", fmt::format("{}(1)", conversion(k)));
    return text;
  }

  bool instruction(uint32_t i) {
    const opmux_insn& x = p_.insn[i];
    const uint32_t to = p_.n_in + i;
    if (x.op == OPMUX_FN_CONST) return declare(to, literal(x.dtype, x.imm)), true;
    const uint32_t from = dtype_[x.a];
    const Kind k = kind_of(from);
    std::string text;
    if (x.op == OPMUX_FN_CAST)
      text = cast(from, x);
    else if (x.op == OPMUX_FN_SELECT)
      text = filled("($a ? $b : $c)", x, kind_of(x.dtype));
    else if (kit::detail::gives_bool(x.op))
      text = test(x, k);
    else if (k == Kind::kBool)
      text = logic(x);
    else if (is_int(k))
      text = integer(x, from);
    else
      text = real(x, from);
    if (text.empty()) return false;
    declare(to, text);
    // Some functions of f32 are computed in f64.
    return !s_.parts.contains("double_core.h") || use(OPMUX_F64);
  }

  std::string real(const opmux_insn& x, uint32_t dtype) const {
    const Kind k = kind_of(dtype);
    if (x.op == OPMUX_FN_CLAMP) {
      opmux_insn low = x;
      low.op = OPMUX_FN_MAX;
      std::string text = "(GK_ISNAN(@) ? @ : (@ < $c ? @ : $c))";
      replace_all(text, "@", real(low, dtype));
      return filled(text, x, k);
    }
    for (const FloatFn& f : kFloatFns) {
      if (f.fn != x.op) continue;
      const bool wide = k == Kind::kDouble && f.wide_part;
      std::string_view needed = wide ? f.wide_part : f.part;
      if (needed == kNone) return {};
      std::string text = f.text;
      if (wide) text.insert(text.find('('), "_d");
      for (size_t end; !needed.empty(); needed.remove_prefix(std::min(end + 1, needed.size()))) {
        end = std::min(needed.find(' '), needed.size());
        s_.parts.emplace(needed.substr(0, end));
      }
      return narrowed(dtype, filled(text, x, k));
    }
    return {};
  }

  std::string integer(const opmux_insn& x, uint32_t dtype) const {
    const Kind k = kind_of(dtype);
    const bool is_signed = k == Kind::kInt || k == Kind::kLong;
    if (x.op == OPMUX_FN_CLAMP) return filled("(($a < $b ? $b : $a) < $c ? ($a < $b ? $b : $a) : $c)", x, k);
    for (const IntFn& f : kIntFns) {
      if (f.fn != x.op) continue;
      std::string text = filled(is_signed ? f.is_signed : f.is_unsigned, x, k);
      replace_all(text, "W", fmt::format("{}u", OPMUX_DTYPE_BITS(dtype)));
      replace_all(text, "U(", is_long(k) ? "GK_U64(" : "GK_U32(");
      replace_all(text, "T(", fmt::format("{}(", conversion(k)));
      if (text.find('#') != std::string::npos) {
        s_.parts.insert("integers.h");
        if (is_long(k)) s_.parts.insert("integers64.h");
      }
      replace_all(text, "#", k == Kind::kInt ? "i" : k == Kind::kUint ? "u" : k == Kind::kLong ? "l" : "m");
      return narrowed(dtype, text);
    }
    return {};
  }

  std::string logic(const opmux_insn& x) const {
    switch (x.op) {
      case OPMUX_FN_NOT:
        return filled("!$a", x, Kind::kBool);
      case OPMUX_FN_AND:
      case OPMUX_FN_BIT_AND:
        return filled("($a && $b)", x, Kind::kBool);
      case OPMUX_FN_OR:
      case OPMUX_FN_BIT_OR:
        return filled("($a || $b)", x, Kind::kBool);
      case OPMUX_FN_XOR:
      case OPMUX_FN_BIT_XOR:
        return filled("($a != $b)", x, Kind::kBool);
      default:
        return {};
    }
  }

  std::string test(const opmux_insn& x, Kind k) const {
    if (x.op < OPMUX_FN_EQ && !is_real(k)) return x.op == OPMUX_FN_IS_FINITE ? "true" : "false";
    if (x.op == OPMUX_FN_IS_NAN) return filled("GK_ISNAN($a)", x, k);
    if (x.op == OPMUX_FN_IS_INF) return filled("(gk_fabs($a) == GK_INF)", x, k);
    if (x.op == OPMUX_FN_IS_FINITE) return filled("(gk_fabs($a) < GK_INF)", x, k);
    if (k == Kind::kBool && x.op != OPMUX_FN_EQ && x.op != OPMUX_FN_NE) return {};
    constexpr const char* kSigns[] = {"==", "!=", "<", "<=", ">", ">="};
    return fmt::format("(v{} {} v{})", x.a, kSigns[x.op - OPMUX_FN_EQ], x.b);
  }

  std::string int_to_int(uint32_t from, const opmux_insn& x) const {
    const std::string plain = narrowed(x.dtype, fmt::format("{}(v{})", conversion(kind_of(x.dtype)), x.a));
    if (!(x.flags & OPMUX_INSN_SATURATE)) return plain;
    const uint32_t fb = OPMUX_DTYPE_BITS(from), tb = OPMUX_DTYPE_BITS(x.dtype);
    const bool fs = kit::is_signed(from), ts = kit::is_signed(x.dtype);
    const uint64_t from_top = ~uint64_t{0} >> (64 - fb + fs), top = ~uint64_t{0} >> (64 - tb + ts);
    std::string text = plain;
    if (from_top > top)
      text = fmt::format("(v{} > {} ? {} : {})", x.a, literal(from, top), literal(x.dtype, top), text);
    if (fs && (!ts || fb > tb)) {
      const uint64_t low = ts ? ~uint64_t{0} << (tb - 1) : 0;
      text = fmt::format("(v{} < {} ? {} : {})", x.a, literal(from, low), literal(x.dtype, low), text);
    }
    return text;
  }

  std::string rounded(const opmux_insn& x, const std::string& v) const {
    if (!is_small_float(x.dtype)) return narrowed(x.dtype, v);
    s_.parts.insert("small_floats.h");
    return small_float(x, v);
  }

  std::string cast(uint32_t from, const opmux_insn& x) const {
    const Kind f = kind_of(from), t = kind_of(x.dtype);
    if (f == Kind::kBool)
      return t == Kind::kBool ? fmt::format("v{}", x.a)
                              : rounded(x, fmt::format("{}(v{} ? 1 : 0)", conversion(t), x.a));
    if (t == Kind::kBool) return fmt::format("!(v{} == {}(0))", x.a, conversion(f));
    if (is_real(f) && is_int(t))
      return float_to_int(f, x.dtype, fmt::format("v{}", x.a), (x.flags & OPMUX_INSN_SATURATE) != 0);
    if (is_int(f) && is_int(t)) return int_to_int(from, x);
    if (t == Kind::kDouble || x.dtype == OPMUX_F32) return fmt::format("{}(v{})", conversion(t), x.a);
    if (f == Kind::kFloat) return rounded(x, fmt::format("v{}", x.a));
    // Two roundings, the first to odd, are as one.
    const char* odd = f == Kind::kDouble ? "gk_odd_double"
                      : f == Kind::kInt  ? "gk_odd_i"
                      : f == Kind::kUint ? "gk_odd_u"
                      : f == Kind::kLong ? "gk_odd_l"
                                         : "gk_odd_m";
    return rounded(x, fmt::format("{}(v{})", odd, x.a));
  }

  const opmux_prog& p_;
  uint32_t first_;
  uint64_t features_, lacking_ = 0;
  Source& s_;
  uint32_t dtype_[OPMUX_MAX_PROG_IN + OPMUX_MAX_INSN] = {};
};

}  // namespace

ProgramRefusal write_program(const opmux_prog& p, uint32_t first, uint32_t dtype0,
                             const opmux_tdesc* operands, const opmux_tdesc* results, uint64_t features,
                             Source& source) {
  return Writer(p, first, features, source).run(dtype0, operands, results);
}

void write_result(uint32_t dtype0, const opmux_tdesc& result, Source& source) {
  source.operands = 0;
  source.results = 1;
  source.types["y0"] = result.dtype;
  const Kind from = kind_of(dtype0), to = kind_of(result.dtype);
  source.program =
      from == to ? "ST_y0(GK_Y(0), v0);\n" : fmt::format("ST_y0(GK_Y(0), {}(v0));\n", conversion(to));
}

}  // namespace opmux::gpu
