// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/ops.hpp"
#include "gpu/ops/rows.hpp"
#include "kit/scalar.hpp"

#include <fmt/format.h>

namespace opmux::gpu {
namespace {

constexpr const char* kSum = "((a) + (b))";
constexpr const char* kGreatest = "(GK_ISNAN(a) ? (a) : ((a) > (b) ? (a) : (b)))";
constexpr const char* kLeast = "(GK_ISNAN(a) ? (a) : ((a) < (b) ? (a) : (b)))";
constexpr const char* kPerElement = "(len == 0u ? TO_sum(GK_NAN) : (s) / TO_sum(len))";

// Of floats, in the type of the sum, whose functions GK_EXP and GK_LOG are.
struct Form {
  uint32_t kind;
  const char *neutral, *term, *join, *result;
};
constexpr Form kForms[] = {
    {OPMUX_REDUCE_SUM, "TO_sum(0)", "(v)", kSum, "(s)"},
    {OPMUX_REDUCE_PROD, "TO_sum(1)", "(v)", "((a) * (b))", "(s)"},
    {OPMUX_REDUCE_MEAN, "TO_sum(0)", "(v)", kSum, kPerElement},
    {OPMUX_REDUCE_MAX, "TO_sum(-GK_INF)", "(v)", kGreatest, "(s)"},
    {OPMUX_REDUCE_MIN, "TO_sum(GK_INF)", "(v)", kLeast, "(s)"},
    {OPMUX_REDUCE_L1, "TO_sum(0)", "gk_fabs(v)", kSum, "(s)"},
    {OPMUX_REDUCE_L2, "TO_sum(0)", "((v) * (v))", kSum, "sqrt(s)"},
    {OPMUX_REDUCE_SUM_SQUARE, "TO_sum(0)", "((v) * (v))", kSum, "(s)"},
    {OPMUX_REDUCE_LOG_SUM, "TO_sum(0)", "(v)", kSum, "GK_LOG(s)"},
    {OPMUX_REDUCE_LOG_SUM_EXP, "TO_sum(0)", "GK_EXP((v) - centre)", kSum,
     "(gk_fabs(centre) < GK_INF ? centre + GK_LOG(s) : centre)"},
    {OPMUX_REDUCE_VARIANCE, "TO_sum(0)", "(((v) - centre) * ((v) - centre))", kSum, kPerElement},
    {OPMUX_REDUCE_ABSMAX, "TO_sum(0)", "gk_fabs(v)", kGreatest, "(s)"},
};

uint32_t unsigned_of(uint32_t dtype) { return OPMUX_DTYPE_BITS(dtype) == 64 ? OPMUX_U64 : OPMUX_U32; }
uint32_t signed_of(uint32_t dtype) { return OPMUX_DTYPE_BITS(dtype) == 64 ? OPMUX_I64 : OPMUX_I32; }

void define(StepMaker& s, const std::string& neutral, const std::string& term, const char* join,
            const std::string& result) {
  s.define("GK_NEUTRAL", neutral);
  s.define("GK_TERM(v)", term);
  s.define("GK_SECOND_JOIN(a, b)", join);
  s.define("GK_RESULT(s)", result);
}

// A term of a number v, of a buffer of integers.
std::string number_term(std::string term) {
  for (size_t at = 0; (at = term.find("(v)", at)) != std::string::npos; at += 9)
    term.replace(at, 3, "TO_sum(v)");
  return term;
}

// A function from f64 to integers of this type that goes to the nearest bound.
std::string saturating(const char* name, uint32_t dtype) {
  return fmt::format("GK_FN {} {}(double v) {{ return {}; }}\n", kind_name(kind_of(dtype)), name,
                     float_to_int(Kind::kDouble, dtype, "v", true));
}

// Parts of a product leave the range of f32 soon, and 0 times infinity is not what the whole product is.
void define_product(StepMaker& s) {
  s.type("sum", kRaw64);
  s.source().parts.insert({"powers.h", "products.h"});
  define(s, "GK_PAIR_OF(0x3f800000u, 0u)", "gk_product_of(v, 0)", "gk_product_join(a, b)",
         "gk_product_value(s)");
}

// Floats, and integers whose result comes from numbers of 53 bits.
bool define_real(StepMaker& s, uint32_t kind, uint32_t dtype) {
  for (const Form& f : kForms) {
    if (f.kind != kind) continue;
    const bool real = kit::is_float(dtype), wide = dtype == OPMUX_F64 || !real;
    if (kind == OPMUX_REDUCE_PROD && !wide) return define_product(s), true;
    s.type("sum", wide ? OPMUX_F64 : OPMUX_F32);
    define(s, f.neutral, real ? f.term : number_term(f.term), f.join,
           real ? f.result : "gk_to_y(" + std::string(f.result) + ")");
    if (!real) s.source().functions = saturating("gk_to_y", dtype);
    const bool logs = kind == OPMUX_REDUCE_LOG_SUM || kind == OPMUX_REDUCE_LOG_SUM_EXP;
    if (logs && wide) s.source().parts.insert("double_core.h");
    s.define("GK_EXP(v)", wide ? "gk_exp_d(v)" : "gk_exp(v)");
    s.define("GK_LOG(v)", wide ? "gk_log_d(v)" : "gk_log(v)");
    const bool top = kind == OPMUX_REDUCE_LOG_SUM_EXP;
    if (!top && kind != OPMUX_REDUCE_VARIANCE) return true;
    s.define("GK_CENTRED", "1");
    s.define("GK_FIRST_NEUTRAL", top ? "TO_sum(-GK_INF)" : "TO_sum(0)");
    s.define("GK_FIRST_TERM(v)", "TO_sum(v)");
    s.define("GK_FIRST_JOIN(a, b)", top ? kGreatest : kSum);
    s.define("GK_CENTRE(s)", top ? "(s)" : "((s) / TO_sum(len))");
    return true;
  }
  return false;
}

// The exact mean of integers of 64 bits, truncated: the sum of the quotients by the count, then that of the
// rests, which joins in with the sign of the whole.
void define_mean64(StepMaker& s, bool is_signed) {
  s.type("sum", is_signed ? OPMUX_I64 : OPMUX_U64);
  s.source().parts.insert({"integers.h", "integers64.h"});
  const char* u = is_signed ? "l" : "m";
  s.define("GK_CENTRED", "1");
  s.define("GK_FIRST_NEUTRAL", "TO_sum(0)");
  s.define("GK_FIRST_TERM(v)", fmt::format("gk_div_{}(v, TO_sum(len))", u));
  s.define("GK_FIRST_JOIN(a, b)", kSum);
  s.define("GK_CENTRE(s)", "(s)");
  s.define("GK_WHOLE(s)", fmt::format("(centre + gk_div_{}(s, TO_sum(len)))", u));
  s.define("GK_REST(s)", fmt::format("gk_rem_{}(s, TO_sum(len))", u));
  define(
      s, "TO_sum(0)", fmt::format("gk_rem_{}(v, TO_sum(len))", u), kSum,
      is_signed
          ? "(GK_WHOLE(s) - ((GK_WHOLE(s) > TO_sum(0) && GK_REST(s) < TO_sum(0)) ? TO_sum(1) : TO_sum(0)) + "
            "((GK_WHOLE(s) < TO_sum(0) && GK_REST(s) > TO_sum(0)) ? TO_sum(1) : TO_sum(0)))"
          : "GK_WHOLE(s)");
}

// Integers and bool, which lies as numbers 0 and 1.
bool define_int(StepMaker& s, uint32_t kind, uint32_t dtype) {
  const bool is_signed = kit::is_signed(dtype), is_bool = dtype == OPMUX_BOOL;
  const std::string size = is_signed ? "((v) < TO_x(0) ? TO_sum(0) - TO_sum(v) : TO_sum(v))" : "TO_sum(v)";
  const char* truth = is_bool ? "TO_y((s) != TO_sum(0) ? 1 : 0)" : "TO_y(s)";
  const uint32_t bits = OPMUX_DTYPE_BITS(dtype);
  const uint64_t top = is_bool ? 1 : ~uint64_t{0} >> (64 - bits + is_signed);
  s.type("sum", unsigned_of(dtype));
  switch (kind) {
    case OPMUX_REDUCE_SUM:
      return define(s, "TO_sum(0)", "TO_sum(v)", kSum, truth), true;
    case OPMUX_REDUCE_PROD:
      return define(s, "TO_sum(1)", "TO_sum(v)", "((a) * (b))", truth), true;
    case OPMUX_REDUCE_L1:
      return define(s, "TO_sum(0)", size, kSum, truth), true;
    case OPMUX_REDUCE_SUM_SQUARE:
      return define(s, "TO_sum(0)", "(TO_sum(v) * TO_sum(v))", kSum, truth), true;
    case OPMUX_REDUCE_ABSMAX:
      return define(s, "TO_sum(0)", size, "((a) > (b) ? (a) : (b))", truth), true;
    case OPMUX_REDUCE_MAX:
    case OPMUX_REDUCE_MIN: {
      const bool max = kind == OPMUX_REDUCE_MAX;
      if (is_signed) s.type("sum", signed_of(dtype));
      const uint64_t low = is_signed ? ~top : 0;
      define(s, fmt::format("TO_sum({})", literal(is_bool ? OPMUX_U8 : dtype, max ? low : top)), "TO_sum(v)",
             max ? "((a) > (b) ? (a) : (b))" : "((a) < (b) ? (a) : (b))", "TO_y(s)");
      return true;
    }
    case OPMUX_REDUCE_MEAN:
      if (bits == 64) return define_mean64(s, is_signed), true;
      s.type("sum", is_signed ? OPMUX_I64 : OPMUX_U64);
      define(s, "TO_sum(0)", "TO_sum(v)", kSum, "(len == 0u ? TO_y(0) : TO_y((s) / TO_sum(len)))");
      return true;
    default:
      return define_real(s, kind, dtype);  // logarithms and roots
  }
}

bool define_kind(StepMaker& s, uint32_t kind, uint32_t dtype) {
  const bool real = kit::is_float(dtype);
  if (kind == OPMUX_REDUCE_ANY || kind == OPMUX_REDUCE_ALL) {
    const bool any = kind == OPMUX_REDUCE_ANY;
    s.type("sum", OPMUX_U32);
    define(s, any ? "0u" : "1u", "((v) != TO_x(0) ? 1u : 0u)", any ? "((a) | (b))" : "((a) & (b))", "(s)");
    return true;
  }
  if (kind == OPMUX_REDUCE_FINITE_COUNT) {
    s.type("sum", OPMUX_U32);
    define(s, "0u", real ? "(gk_fabs(v) < GK_INF ? 1u : 0u)" : "1u", kSum, "TO_y(s)");
    return true;
  }
  return real ? define_real(s, kind, dtype) : define_int(s, kind, dtype);
}

// Bool lies as bytes of 0 and 1.
uint32_t as_number(uint32_t dtype) { return dtype == OPMUX_BOOL ? OPMUX_U8 : dtype; }

}  // namespace

bool plan_reduce(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const auto& a = reinterpret_cast<const opmux_op_reduce&>(d);
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  const bool arg = a.kind == OPMUX_REDUCE_ARGMAX || a.kind == OPMUX_REDUCE_ARGMIN;
  if (!check_operands(info, d, cap) || !check_apart(d, cap)) return false;
  StepMaker s(arg ? "reduce_arg" : "reduce");
  s.bind("x", d, 0, as_number(x.dtype));
  s.bind("y", d, 1, as_number(y.dtype));
  if (!arg && !define_kind(s, a.kind, x.dtype)) return kit_no(&cap, OPMUX_WHY_DTYPE, 0, 0, x.dtype, 0);
  if (!arg && !s.check_type(info, "sum", 0, cap)) return false;
  std::array<bool, 8> kept, reduced{};
  for (uint32_t i = 0; i < a.axes.count; ++i) reduced[static_cast<size_t>(d.list[a.axes.first + i])] = true;
  int64_t rows = 1, len = 1;
  for (uint32_t i = 0; i < x.rank; ++i) {
    kept[i] = !reduced[i];
    (reduced[i] ? len : rows) *= x.dim[i];
  }
  RowPlan row{rows, len, arg ? OPMUX_U32 : s.source().types.at("sum")};
  row.first = s.source().defines.contains("GK_CENTRED") ? 1 : 2;
  row.joined = true;
  say_yes(info, d, cap, row.workspace());
  if (!plan) return true;
  kit::Walk outer = walk_of(x, kept);
  outer.add_strides(strides_of(x, x, kept)).add_strides(strides_of(y, x, kept)).collapse();
  s.walk(outer, "rank", "dims", {{"xs"}, {"ys"}});
  if (arg) {
    const bool max = a.kind == OPMUX_REDUCE_ARGMAX;
    s.define("GK_BEATS(b, a)", max ? "((b) > (a))" : "((b) < (a))");
    s.define("GK_LATER(i, j)", a.select_last ? "((j) > (i))" : "((j) < (i))");
    s.set("rstride", static_cast<uint64_t>(x.stride[d.list[a.axes.first]]));
  } else {
    kit::Walk inner = walk_of(x, reduced);
    inner.add_strides(strides_of(x, x, reduced)).collapse();
    s.walk(inner, "rrank", "rdims", {{"rs"}});
  }
  row_steps(info, row, s, *plan);
  return true;
}

}  // namespace opmux::gpu
