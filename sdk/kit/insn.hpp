// SPDX-License-Identifier: Apache-2.0
// Kit: what each function of a program means, for one element. Floats up to f32 are computed in double and
// rounded once to the type; f64 is computed in double where IEEE 754 rounds exactly (+ - * / sqrt fma) and in
// long double elsewhere. Integers wrap in their width.
//
// Corners where ONNX is silent or follows from its formula:
//   gelu, silu, mish of -infinity and softsign of an infinity are NaN (infinity times zero, infinity /
//   infinity); integer pow wraps, and with a negative exponent gives the truncated real value (0 for a base
//   of 0); shifts by the width or more, or by a negative count, shift everything out; min and max of zeros of
//   both signs give either zero.
#pragma once

#include <cmath>
#include <limits>
#include <numbers>

#include "kit/scalar.hpp"
#include "opmux/ops/pointwise.gen.h"

namespace opmux::kit {

namespace detail {

template <class R>
R sign_of(R a) {
  return std::isnan(a) ? a : R((a > 0) - (a < 0));
}
template <class R>
R minimum(R a, R b) {
  return std::isnan(a) ? a : std::isnan(b) ? b : b < a ? b : a;
}
template <class R>
R maximum(R a, R b) {
  return std::isnan(a) ? a : std::isnan(b) ? b : a < b ? b : a;
}
// Sign of the divisor, also for a zero result.
template <class R>
R modulo(R a, R b) {
  const R r = std::fmod(a, b);
  if (r == 0) return std::copysign(r, b);
  return (r < 0) != (b < 0) ? r + b : r;
}
inline double log_gamma(double a) {
  int sign = 0;
  return ::lgamma_r(a, &sign);  // lgamma writes a global
}
inline long double log_gamma(long double a) {
  int sign = 0;
  return ::lgammal_r(a, &sign);
}
template <class R>
R softplus(R a) {
  return std::isnan(a) ? a : (a > 0 ? a : R(0)) + std::log1p(std::exp(-std::fabs(a)));
}

template <class R>
R plain_unary(uint32_t fn, R a) {
  switch (fn) {
    case OPMUX_FN_NEG:
      return -a;
    case OPMUX_FN_ABS:
      return std::fabs(a);
    case OPMUX_FN_SIGN:
      return sign_of(a);
    case OPMUX_FN_RECIPROCAL:
      return 1 / a;
    case OPMUX_FN_SQRT:
      return std::sqrt(a);
    case OPMUX_FN_FLOOR:
      return std::floor(a);
    case OPMUX_FN_CEIL:
      return std::ceil(a);
    case OPMUX_FN_ROUND:
      return std::nearbyint(a);
    case OPMUX_FN_TRUNC:
      return std::trunc(a);
    case OPMUX_FN_RELU:
      return std::isnan(a) || a > 0 ? a : R(0);
    default:
      return std::numeric_limits<R>::quiet_NaN();
  }
}

template <class R>
R activation(uint32_t fn, R a) {
  switch (fn) {
    case OPMUX_FN_SIGMOID:
      return 1 / (1 + std::exp(-a));
    case OPMUX_FN_GELU:
      return a * std::erfc(-a / std::numbers::sqrt2_v<R>) / 2;  // erfc: no cancellation for a < 0
    case OPMUX_FN_GELU_TANH: {                                  // (1 + tanh u) / 2 = 1 / (1 + exp(-2 u))
      const R c = std::sqrt(2 / std::numbers::pi_v<R>), u = c * (a + R(0.044715L) * a * a * a);
      return a * (1 / (1 + std::exp(-2 * u)));
    }
    case OPMUX_FN_SILU:
      return a * (1 / (1 + std::exp(-a)));
    case OPMUX_FN_SOFTPLUS:
      return softplus(a);
    case OPMUX_FN_SOFTSIGN:
      return a / (1 + std::fabs(a));
    case OPMUX_FN_MISH:
      return a * std::tanh(softplus(a));
    default:
      return plain_unary(fn, a);
  }
}

template <class R>
R unary(uint32_t fn, R a) {
  switch (fn) {
    case OPMUX_FN_RSQRT:
      return 1 / std::sqrt(a);
    case OPMUX_FN_EXP:
      return std::exp(a);
    case OPMUX_FN_EXPM1:
      return std::expm1(a);
    case OPMUX_FN_EXP2:
      return std::exp2(a);
    case OPMUX_FN_LOG:
      return std::log(a);
    case OPMUX_FN_LOG1P:
      return std::log1p(a);
    case OPMUX_FN_LOG2:
      return std::log2(a);
    case OPMUX_FN_SIN:
      return std::sin(a);
    case OPMUX_FN_COS:
      return std::cos(a);
    case OPMUX_FN_TAN:
      return std::tan(a);
    case OPMUX_FN_ASIN:
      return std::asin(a);
    case OPMUX_FN_ACOS:
      return std::acos(a);
    case OPMUX_FN_ATAN:
      return std::atan(a);
    case OPMUX_FN_SINH:
      return std::sinh(a);
    case OPMUX_FN_COSH:
      return std::cosh(a);
    case OPMUX_FN_TANH:
      return std::tanh(a);
    case OPMUX_FN_ASINH:
      return std::asinh(a);
    case OPMUX_FN_ACOSH:
      return std::acosh(a);
    case OPMUX_FN_ATANH:
      return std::atanh(a);
    case OPMUX_FN_ERF:
      return std::erf(a);
    case OPMUX_FN_ERFC:
      return std::erfc(a);
    case OPMUX_FN_LGAMMA:
      return log_gamma(a);
    default:
      return activation(fn, a);
  }
}

template <class R>
R binary(uint32_t fn, R a, R b) {
  switch (fn) {
    case OPMUX_FN_ADD:
      return a + b;
    case OPMUX_FN_SUB:
      return a - b;
    case OPMUX_FN_MUL:
      return a * b;
    case OPMUX_FN_DIV:
      return a / b;
    case OPMUX_FN_MOD:
      return modulo(a, b);
    case OPMUX_FN_FMOD:
      return std::fmod(a, b);
    case OPMUX_FN_POW:
      return std::pow(a, b);
    case OPMUX_FN_MIN:
      return minimum(a, b);
    case OPMUX_FN_MAX:
      return maximum(a, b);
    case OPMUX_FN_ATAN2:
      return std::atan2(a, b);
    default:
      return std::numeric_limits<R>::quiet_NaN();
  }
}

template <class R>
R ternary(uint32_t fn, R a, R b, R c) {
  if (fn == OPMUX_FN_FMA) return std::fma(a, b, c);
  if (fn == OPMUX_FN_CLAMP) return minimum(maximum(a, b), c);
  return std::numeric_limits<R>::quiet_NaN();
}

// Is this function exact or correctly rounded in double, so that long double would only round twice?
inline bool rounds_exactly(uint32_t fn) {
  return fn <= OPMUX_FN_SQRT || (fn >= OPMUX_FN_FLOOR && fn <= OPMUX_FN_TRUNC) || fn == OPMUX_FN_RELU ||
         (fn >= OPMUX_FN_ADD && fn <= OPMUX_FN_FMOD) || fn == OPMUX_FN_MIN || fn == OPMUX_FN_MAX ||
         fn >= OPMUX_FN_SELECT;
}

template <class R>
R apply_real(uint32_t fn, R a, R b, R c) {
  if (fn < OPMUX_FN_ADD) return unary(fn, a);
  return fn < OPMUX_FN_SELECT ? binary(fn, a, b) : ternary(fn, a, b, c);
}

// A comparison, or a test of floats: the result is bool.
inline bool gives_bool(uint32_t fn) {
  return (fn >= OPMUX_FN_EQ && fn <= OPMUX_FN_GE) || (fn >= OPMUX_FN_IS_NAN && fn <= OPMUX_FN_IS_FINITE);
}

template <class V>
bool compare(uint32_t fn, V a, V b) {
  switch (fn) {
    case OPMUX_FN_EQ:
      return a == b;
    case OPMUX_FN_NE:
      return a != b;
    case OPMUX_FN_LT:
      return a < b;
    case OPMUX_FN_LE:
      return a <= b;
    case OPMUX_FN_GT:
      return a > b;
    default:
      return a >= b;
  }
}

inline bool test(uint32_t fn, uint32_t dtype, Scalar a, Scalar b) {
  if (fn >= OPMUX_FN_EQ) {
    if (is_float(dtype)) return compare(fn, a.f, b.f);
    return is_signed(dtype) ? compare(fn, a.i, b.i) : compare(fn, a.u, b.u);
  }
  if (!is_float(dtype)) return fn == OPMUX_FN_IS_FINITE;
  if (fn == OPMUX_FN_IS_NAN) return std::isnan(a.f);
  return fn == OPMUX_FN_IS_INF ? std::isinf(a.f) : std::isfinite(a.f);
}

// base^exponent modulo 2^64.
inline uint64_t power(uint64_t base, uint64_t exponent) {
  uint64_t result = 1;
  for (; exponent; exponent >>= 1, base *= base)
    if (exponent & 1) result *= base;
  return result;
}
inline uint64_t int_power(bool is_signed_type, Scalar a, Scalar b) {
  if (!is_signed_type || b.i >= 0) return power(a.u, b.u);
  if (a.i == 1) return 1;
  return a.i == -1 ? (b.i & 1 ? ~uint64_t(0) : 1) : 0;
}
// Division by zero gives 0; the quotient of the lowest value by -1 wraps.
inline uint64_t int_quotient(bool is_signed_type, Scalar a, Scalar b) {
  if (b.u == 0) return 0;
  if (!is_signed_type) return a.u / b.u;
  return b.i == -1 ? 0 - a.u : uint64_t(a.i / b.i);
}
inline uint64_t int_rest(bool is_signed_type, Scalar a, Scalar b, bool of_divisor) {
  if (b.u == 0) return 0;
  if (!is_signed_type) return a.u % b.u;
  const int64_t r = b.i == -1 ? 0 : a.i % b.i;
  return uint64_t(of_divisor && r != 0 && (r < 0) != (b.i < 0) ? r + b.i : r);
}
inline uint64_t shift(uint32_t fn, uint32_t dtype, Scalar a, Scalar b) {
  const uint32_t width = OPMUX_DTYPE_BITS(dtype);
  const bool all = b.u >= width;  // a negative count is a large one
  if (fn == OPMUX_FN_SHIFT_LEFT) return all ? 0 : a.u << b.u;
  if (!is_signed(dtype)) return all ? 0 : a.u >> b.u;
  return uint64_t(a.i >> (all ? 63 : b.i));
}

// Of integers and bool; the caller wraps the result to the type.
inline uint64_t int_unary(uint32_t fn, bool is_signed_type, Scalar a) {
  switch (fn) {
    case OPMUX_FN_NEG:
      return 0 - a.u;
    case OPMUX_FN_ABS:
      return is_signed_type && a.i < 0 ? 0 - a.u : a.u;
    case OPMUX_FN_SIGN:
      return is_signed_type && a.i < 0 ? ~uint64_t(0) : a.u != 0;
    case OPMUX_FN_RECIPROCAL:
      return int_quotient(is_signed_type, of_int(1), a);
    case OPMUX_FN_RELU:
      return is_signed_type && a.i < 0 ? 0 : a.u;
    case OPMUX_FN_NOT:
      return a.u == 0;
    case OPMUX_FN_BIT_NOT:
      return ~a.u;
    default:
      return a.u;  // floor, ceil, round, trunc
  }
}
inline uint64_t int_binary(uint32_t fn, uint32_t dtype, Scalar a, Scalar b) {
  const bool s = is_signed(dtype);
  const bool less = s ? a.i < b.i : a.u < b.u;
  switch (fn) {
    case OPMUX_FN_ADD:
      return a.u + b.u;
    case OPMUX_FN_SUB:
      return a.u - b.u;
    case OPMUX_FN_MUL:
      return a.u * b.u;
    case OPMUX_FN_DIV:
      return int_quotient(s, a, b);
    case OPMUX_FN_MOD:
      return int_rest(s, a, b, true);
    case OPMUX_FN_FMOD:
      return int_rest(s, a, b, false);
    case OPMUX_FN_POW:
      return int_power(s, a, b);
    case OPMUX_FN_MIN:
      return less ? a.u : b.u;
    case OPMUX_FN_MAX:
      return less ? b.u : a.u;
    case OPMUX_FN_AND:
    case OPMUX_FN_BIT_AND:
      return a.u & b.u;
    case OPMUX_FN_OR:
    case OPMUX_FN_BIT_OR:
      return a.u | b.u;
    case OPMUX_FN_XOR:
    case OPMUX_FN_BIT_XOR:
      return a.u ^ b.u;
    default:
      return shift(fn, dtype, a, b);
  }
}

inline Scalar apply_int(uint32_t fn, uint32_t dtype, Scalar a, Scalar b, Scalar c) {
  if (fn < OPMUX_FN_ADD) return wrap(dtype, int_unary(fn, is_signed(dtype), a));
  if (fn < OPMUX_FN_SELECT) return wrap(dtype, int_binary(fn, dtype, a, b));
  if (fn == OPMUX_FN_FMA) return wrap(dtype, a.u * b.u + c.u);
  const Scalar low{.u = int_binary(OPMUX_FN_MAX, dtype, a, b)};
  return wrap(dtype, int_binary(OPMUX_FN_MIN, dtype, low, c));
}

}  // namespace detail

// The result of x before it is rounded to x.dtype; for float results only. dtype: of operand a.
inline long double evaluate_unrounded(const opmux_insn& x, uint32_t dtype, Scalar a, Scalar b, Scalar c) {
  if (x.op == OPMUX_FN_CAST && is_float(dtype)) return a.f;
  if (x.op == OPMUX_FN_CAST && is_signed(dtype)) return static_cast<long double>(a.i);
  if (x.op == OPMUX_FN_CAST) return static_cast<long double>(a.u);
  if (x.op == OPMUX_FN_CONST) return from_bits(x.dtype, x.imm).f;
  if (x.op == OPMUX_FN_SELECT) return a.u ? b.f : c.f;
  if (x.dtype != OPMUX_F64) return detail::apply_real<double>(x.op, a.f, b.f, c.f);
  return detail::apply_real<long double>(x.op, a.f, b.f, c.f);
}

// Value of instruction x, rounded to x.dtype. dtype: type of its operand a; of no matter for CONST.
inline Scalar evaluate(const opmux_insn& x, uint32_t dtype, Scalar a, Scalar b, Scalar c) {
  if (x.op == OPMUX_FN_CONST) return from_bits(x.dtype, x.imm);
  if (x.op == OPMUX_FN_CAST) {
    const ToPower mode = x.flags & OPMUX_INSN_ROUND_UP     ? ToPower::kUp
                         : x.flags & OPMUX_INSN_ROUND_DOWN ? ToPower::kDown
                                                           : ToPower::kNearest;
    return cast_to(dtype, x.dtype, a, (x.flags & OPMUX_INSN_SATURATE) != 0, mode);
  }
  if (x.op == OPMUX_FN_SELECT) return a.u ? b : c;
  if (detail::gives_bool(x.op)) return of_bool(detail::test(x.op, dtype, a, b));
  if (!is_float(x.dtype)) return detail::apply_int(x.op, x.dtype, a, b, c);
  if (x.dtype == OPMUX_F64 && !detail::rounds_exactly(x.op))
    return of_float(double(detail::apply_real<long double>(x.op, a.f, b.f, c.f)));
  return of_float(round_to(x.dtype, detail::apply_real<double>(x.op, a.f, b.f, c.f)));
}

// Types of all values of a program: dtype[0, n_in) is given, dtype[n_in, n_in + n_insn) is written.
inline void value_types(const opmux_prog& prog, uint32_t* dtype) {
  for (uint32_t i = 0; i < prog.n_insn; ++i) dtype[prog.n_in + i] = prog.insn[i].dtype;
}

// Runs a checked program on value[0, n_in); writes value[n_in, n_in + n_insn).
inline void run_program(const opmux_prog& prog, const uint32_t* dtype, Scalar* value) {
  for (uint32_t i = 0; i < prog.n_insn; ++i) {
    const opmux_insn& x = prog.insn[i];
    value[prog.n_in + i] =
        evaluate(x, x.op == OPMUX_FN_CONST ? x.dtype : dtype[x.a], value[x.a],
                 value[x.op >= OPMUX_FN_ADD ? x.b : x.a], value[x.op >= OPMUX_FN_SELECT ? x.c : x.a]);
  }
}

// Inputs of the operator itself: those of its epilogues and prologues follow them. d: validated.
inline uint32_t own_inputs(const opmux_opd& d) {
  uint32_t own = d.n_in;
  for (uint32_t i = 0; i < d.n_prog; ++i)
    if (d.prog[i].slot != OPMUX_SLOT_MAIN && d.prog[i].n_in > 0) own -= d.prog[i].n_in - 1;
  return own;
}

}  // namespace opmux::kit
