// SPDX-License-Identifier: Apache-2.0
// Bounds. u is half a unit in the last place of 1 in the type in which the operator computes (f32 for f16,
// bf16 and smaller), K the schema's length, M the oracle's magnitude. Each is an error before the last
// rounding, to which half a unit in the last place of the result comes.
//   ulp        2 c u max(|y|, M): c units in the last place of the computing type; M is above |y| for a * b +
//   c,
//              whose product may be rounded, and overflow, apart
//   sum, dot   c u K M: recursive summation in any order errs by at most (K - 1) u M (Higham 2002, 4.2), and
//              each product by u of itself
//   statistic  c u K M, where M has the amplification by the mean (see the reference)
//   tile       c u K max|x| max|w|: a transformed tile mixes elements, so only norms bound it
// Rounding errors are independent, so over many elements their root mean square is held to sqrt(K) in place
// of K: that sees a sum in a type too narrow, which the worst case does not.
#include "tests/conformance/bounds.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>

#include "kit/scalar.hpp"
#include "kit/view.hpp"

namespace opmux::cts {
namespace {

using schema::Bound;
using schema::BoundForm;

struct FloatType {
  int mantissa, least;  // bits with the leading one; exponent e of the least normal number 2^(e - 1)
  double most;
};

FloatType float_type(uint32_t dtype) {
  switch (dtype) {
    case OPMUX_F64:
      return {53, -1021, 1.7976931348623157e308};
    case OPMUX_F32:
      return {24, -125, 3.4028234663852886e38};
    case OPMUX_F16:
      return {11, -13, 65504};
    case OPMUX_BF16:
      return {8, -125, 3.3895313892515355e38};
    case OPMUX_E5M2:
      return {3, -13, 57344};
    case OPMUX_E4M3FN:
      return {4, -5, 448};
    case OPMUX_E2M1:
      return {2, 1, 6};
    default:  // e8m0
      return {1, -126, 0x1p127};
  }
}

// Distance between neighbours at |v|.
double spacing(const FloatType& t, double v) {
  int e = t.least;
  if (v != 0 && std::isfinite(v)) std::frexp(std::min(std::fabs(v), t.most), &e);
  return std::ldexp(1.0, std::max(e, t.least) - t.mantissa);
}

// Functions that IEEE 754 rounds correctly, or that do not round.
bool is_exact(uint32_t fn) {
  switch (fn) {
    case OPMUX_FN_CONST:
    case OPMUX_FN_CAST:
    case OPMUX_FN_ADD:
    case OPMUX_FN_SUB:
    case OPMUX_FN_MUL:
    case OPMUX_FN_MIN:
    case OPMUX_FN_MAX:
    case OPMUX_FN_NEG:
    case OPMUX_FN_ABS:
    case OPMUX_FN_SIGN:
    case OPMUX_FN_RELU:
    case OPMUX_FN_FLOOR:
    case OPMUX_FN_CEIL:
    case OPMUX_FN_ROUND:
    case OPMUX_FN_TRUNC:
    case OPMUX_FN_SELECT:
    case OPMUX_FN_CLAMP:
      return true;
    default:
      return false;
  }
}

// Is the sign of a zero result defined? By IEEE 754 for these; the others may give either.
bool signs_zeros(const Descriptor& d) {
  const opmux_prog p = d.program[0].view();
  return std::all_of(p.insn, p.insn + p.n_insn, [](const opmux_insn& i) {
    return is_exact(i.op) && i.op != OPMUX_FN_MIN && i.op != OPMUX_FN_MAX && i.op != OPMUX_FN_SIGN &&
           i.op != OPMUX_FN_RELU && i.op != OPMUX_FN_CLAMP;
  });
}

bool exact_program(const Descriptor& d) {
  if (d.info->op != OPMUX_OP_POINTWISE) return false;
  const opmux_prog p = d.program[0].view();
  return std::all_of(p.insn, p.insn + p.n_insn, [](const opmux_insn& i) { return is_exact(i.op); });
}

double largest(const opmux_tdesc& t, const unsigned char* base) {
  double most = 0;
  kit::Walk walk(t);
  walk.add(t);
  walk.each([&](const int64_t* at) {
    const kit::Scalar v = kit::load(t.dtype, base, at[0]);
    most = std::max(most, kit::is_float(t.dtype) ? std::fabs(v.f) : std::fabs(static_cast<double>(v.i)));
  });
  return most;
}

class Judge {
 public:
  Judge(Case& c, const Data& data, uint32_t o, bool algebraic)
      : t_(c.d.out[o]), type_(float_type(t_.dtype)), bound_(algebraic ? c.from->algebraic : c.from->strict) {
    const uint32_t primary = c.from->primary < c.d.in.size() ? c.d.in[c.from->primary].dtype : OPMUX_F32;
    const uint32_t dtype = kit::is_float(primary) ? primary : t_.dtype;
    wide_ = dtype == OPMUX_F64;
    u_ = wide_ ? 0x1p-53 : 0x1p-24;
    least_ = wide_ ? 0x1p-1074 : 0x1p-149;
    schema::View view;
    schema::open_view(*c.d.opd(), view);
    K_ = std::max(1.0, static_cast<double>(bound_.length(view).value()));
    inexact_ = bound_.inexact(view);
    exact_ = bound_.form == BoundForm::kExact || exact_program(c.d);
    signed_zero_ = c.d.info->op == OPMUX_OP_POINTWISE ? signs_zeros(c.d) : exact_;
    if (bound_.form == BoundForm::kTile && c.d.in.size() > 1)
      tile_ = largest(c.d.in[0], data.image.at(0)) * largest(c.d.in[1], data.image.at(1));
    repeats_ = c.view == kBroadcast;
    for (kit::Program& program : c.d.program)
      for (const opmux_insn& i : program.insn()) fma_ = fma_ || i.op == OPMUX_FN_FMA;
    epilogue_ = c.d.info->op != OPMUX_OP_POINTWISE && !c.d.program.empty();
  }

  // Error before the last rounding.
  double allowed(double want, double magnitude) const {
    if (exact_) return 0;
    double a = 0;
    switch (bound_.form) {
      case BoundForm::kUlp:
        // e^-a below the normal numbers has an error of its own, times an a of at most 2^10 (f32: 2^7).
        a = 2 * bound_.c * u_ * std::max(std::fabs(want), magnitude) +
            bound_.c * least_ * (wide_ ? 1024 : 128);
        break;
      case BoundForm::kTile:
        a = bound_.c * u_ * K_ * tile_;
        break;
      default:
        a = bound_.c * u_ * K_ * magnitude + K_ * least_;
    }
    // The epilogue of the suite adds and clips: an error passes through it, with one more rounding.
    if (std::isnan(a)) a = 0;
    return epilogue_ ? a + 2 * u_ * (std::fabs(want) + magnitude) : a;
  }
  double half_ulp(double want, double a) const { return spacing(type_, std::fabs(want) + a) / 2; }

  // 0: right to the bit or nearly; above 1: wrong. Sign as that of the error.
  double error(kit::Scalar got, const Truth& truth, size_t k) const {
    if (!kit::is_float(t_.dtype)) return integer_error(got, truth, k);
    const double y = got.f, want = truth.hi[k];
    // Statistics of a row with an infinity are infinite or NaN, by the order of the terms.
    if (bound_.form == BoundForm::kStatistic && std::isinf(want) && std::isnan(y)) return 0;
    // A product that overflows apart is infinite, and so NaN with the other infinity.
    if (fma_ && std::isnan(y) && truth.magnitude[k] >= type_.most) return 0;
    if (std::isnan(y) || std::isnan(want)) return std::isnan(y) == std::isnan(want) ? 0 : kWrong;
    if (y == 0 && want == 0 && signed_zero_ && truth.lo[k] == 0) return same(y, want) ? 0 : kWrong;
    if (std::isinf(want)) return y == want ? 0 : kWrong;
    const double a = allowed(want, truth.magnitude[k]);
    if (std::isinf(a)) return 0;
    if (exact_) return exact_error(y, want, truth.lo[k]);
    // A value that the reference has rounded already may lie on the other side of a tie.
    const double bound = a + half_ulp(want, a) * (truth.written ? 2 : 1);
    if (fma_ && std::isinf(y) && truth.magnitude[k] >= type_.most) return 0;
    if (std::isinf(y)) {
      const double edge = type_.most + spacing(type_, type_.most) / 2;
      return (y > 0) == (want > 0) && std::fabs(want) + a >= edge ? 0 : kWrong;
    }
    const auto off = static_cast<double>(static_cast<long double>(y) - want - truth.lo[k]);
    return off / bound;
  }
  // Part of the error that the last rounding does not explain, in units of c u M.
  double excess(kit::Scalar got, const Truth& truth, size_t k) const {
    const double want = truth.hi[k], m = truth.magnitude[k];
    if (!std::isfinite(want) || !std::isfinite(got.f) || !(m > 0) || want == 0) return 0;
    const double off = std::fabs(got.f - want - truth.lo[k]) - half_ulp(want, 0);
    return off <= 0 ? 0 : off / (bound_.c * u_ * m + least_ * K_);
  }
  bool statistical() const {
    const bool sums = bound_.form == BoundForm::kSum || bound_.form == BoundForm::kDot ||
                      bound_.form == BoundForm::kStatistic;
    // Repeated elements make repeated errors, which do not cancel.
    return sums && !epilogue_ && !repeats_ && kit::is_float(t_.dtype);
  }
  double K() const { return K_; }
  bool exact() const { return exact_; }

 private:
  static constexpr double kWrong = 1e30;
  static bool same(double a, double b) { return a == b && std::signbit(a) == std::signbit(b); }
  // The wide value of f64 is long double, which has been rounded once itself: next to a tie both sides are
  // right.
  double exact_error(double y, double want, double lo) const {
    const double right = rounded(want, lo);
    if (y == 0 && right == 0) return !signed_zero_ || same(y, right) ? 0 : kWrong;
    if (y == right) return 0;
    const bool tie = t_.dtype == OPMUX_F64 && lo != 0 && std::isfinite(y) &&
                     std::fabs((y - want) - lo) <= spacing(type_, want) * (0.5 + 0x1p-10);
    return tie ? 0 : kWrong;
  }
  // hi + lo rounded once: what lies between two doubles goes to the odd one first (Boldo and Melquiond 2008).
  double rounded(double hi, double lo) const {
    const bool even = (std::bit_cast<uint64_t>(hi) & 1) == 0;
    if (t_.dtype != OPMUX_F64 && lo != 0 && even) hi = std::nextafter(hi, lo > 0 ? HUGE_VAL : -HUGE_VAL);
    return kit::round_to(t_.dtype, hi);
  }
  double integer_error(kit::Scalar got, const Truth& truth, size_t k) const {
    const long double want = static_cast<long double>(truth.hi[k]) + truth.lo[k];
    const long double y =
        kit::is_signed(t_.dtype) ? static_cast<long double>(got.i) : static_cast<long double>(got.u);
    if (y == want) return 0;
    if (inexact_) {
      const double a = std::max(1.0, 4 * static_cast<double>(std::fabs(want)) * 0x1p-53);
      return static_cast<double>((y - want) / (a + bound_.c * 0x1p-53 * K_ * truth.magnitude[k]));
    }
    return y > want ? kWrong : -kWrong;
  }
  const opmux_tdesc& t_;
  FloatType type_;
  const Bound& bound_;
  bool wide_ = false, exact_ = false, signed_zero_ = false, epilogue_ = false, inexact_ = false,
       repeats_ = false, fma_ = false;
  double u_ = 0, least_ = 0, K_ = 1, tile_ = 0;
};

std::string number(uint32_t dtype, kit::Scalar v) {
  char text[48];
  if (kit::is_float(dtype))
    std::snprintf(text, sizeof text, "%.17g", v.f);
  else if (kit::is_signed(dtype))
    std::snprintf(text, sizeof text, "%lld", static_cast<long long>(v.i));
  else
    std::snprintf(text, sizeof text, "%llu", static_cast<unsigned long long>(v.u));
  return text;
}

std::string index_text(const opmux_tdesc& t, size_t k) {
  std::string s;
  for (uint32_t i = t.rank; i-- > 0;) {
    s = std::to_string(k % static_cast<size_t>(t.dim[i])) + (s.empty() ? "" : ",") + s;
    k /= static_cast<size_t>(t.dim[i]);
  }
  return "[" + s + "]";
}

}  // namespace

Judgement judge(Case& c, const Data& data, uint32_t o, const Truth& truth, bool algebraic) {
  const opmux_tdesc& t = c.d.out[o];
  const Judge rule(c, data, o, algebraic);
  Judgement j;
  size_t k = 0, worst = 0, wrong = 0, counted = 0;
  double most = 1, square = 0;
  kit::Scalar worst_got{};
  const unsigned char* base = data.image.at(static_cast<uint32_t>(c.d.in.size()) + o);
  kit::Walk walk(t);
  walk.add(t);
  walk.each([&](const int64_t* at) {
    const kit::Scalar got = kit::load(t.dtype, base, at[0]);
    double e = rule.error(got, truth, k);
    if (t.dtype == OPMUX_BOOL && base[at[0]] > 1) e = 2;
    if (std::fabs(e) > 1) ++wrong;
    if (std::fabs(e) > most) most = std::fabs(e), worst = k, worst_got = got;
    if (!rule.exact() && kit::is_float(t.dtype)) j.errors.add(std::clamp(e, -9e9, 9e9));
    if (rule.statistical()) square += std::pow(rule.excess(got, truth, k), 2), ++counted;
    ++k;
  });
  char text[512];
  if (wrong != 0) {
    std::snprintf(
        text, sizeof text,
        "output %u %s: %zu of %zu elements are wrong; worst: element %s is %s, must be %.17g +- %.3g", o,
        cts::text(t).c_str(), wrong, k, index_text(t, worst).c_str(), number(t.dtype, worst_got).c_str(),
        truth.hi[worst], kit::is_float(t.dtype) ? rule.allowed(truth.hi[worst], truth.magnitude[worst]) : 0);
    j.wrong = text;
  } else if (counted >= 64 && rule.K() >= 16) {
    const double rms = std::sqrt(square / static_cast<double>(counted));
    if (rms > std::sqrt(rule.K())) {
      std::snprintf(text, sizeof text,
                    "output %u %s: root mean square of the errors is %.3g c u sum|terms|, more than sqrt(%g)",
                    o, cts::text(t).c_str(), rms, rule.K());
      j.wrong = text;
    }
  }
  return j;
}

}  // namespace opmux::cts
