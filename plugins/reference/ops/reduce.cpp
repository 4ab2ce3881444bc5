// SPDX-License-Identifier: Apache-2.0
// Reductions over any axes, each in one pass over the elements of an output in row-major order.
//
// Corners: max, min and absmax give NaN if any element is NaN. argmax and argmin take the first NaN (numpy),
// or the last one with select_last. Of no elements: see ops/reduce.gen.h; absmax, l1, l2, sum_square 0,
// log_sum and log_sum_exp -infinity, variance NaN. Integers: sums and products wrap; mean truncates the exact
// mean; l2, the log forms and variance are computed in long double and truncated, out of range goes to the
// nearest bound.
#include <limits>

#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

template <class R>
struct Result {
  R value;
  double magnitude;  // sum of the absolute values of the summed terms, or |value|
};

template <class R, class Term>
Result<R> sum_of(const std::vector<R>& x, Term term, R divisor = 1) {
  R sum = 0, magnitude = 0;
  for (R v : x) {
    sum += term(v);
    magnitude += std::fabs(term(v));
  }
  return {sum / divisor, double(magnitude / divisor)};
}

template <class R>
R extreme(const std::vector<R>& x, bool max) {
  R best = max ? -std::numeric_limits<R>::infinity() : std::numeric_limits<R>::infinity();
  for (R v : x) best = max ? kit::detail::maximum(best, v) : kit::detail::minimum(best, v);
  return best;
}

template <class R>
R log_sum_exp(const std::vector<R>& x) {
  const R top = extreme(x, true);
  if (!std::isfinite(top)) return top;
  R sum = 0;
  for (R v : x) sum += std::exp(v - top);
  return top + std::log(sum);
}

// u: half a unit in the last place of 1 in the type that is computed in.
template <class R>
Result<R> variance(const std::vector<R>& x, double u) {
  // Each difference errs in relation to the element and to the mean of sizes; where all elements are alike,
  // what is left is the square of the mean's own error.
  const R n = R(x.size()), mean = sum_of(x, [](R v) { return v; }).value / n;
  const R sizes = sum_of(x, [](R v) { return std::fabs(v); }).value / n;
  const R amplified =
      sum_of(
          x, [&](R v) { return std::fabs(v - mean) * (std::fabs(v - mean) + std::fabs(v) + sizes); }, n)
          .value;
  return {sum_of(
              x, [&](R v) { return (v - mean) * (v - mean); }, n)
              .value,
          double(amplified + R(u) * n * sizes * sizes)};
}

template <class R>
Result<R> reduce_real(uint32_t kind, const std::vector<R>& x, double u) {
  const auto same = [](R v) { return v; };
  const auto size = [](R v) { return std::fabs(v); };
  const auto square = [](R v) { return v * v; };
  R y = 1, magnitude = -1;
  switch (kind) {
    case OPMUX_REDUCE_SUM:
      return sum_of(x, same);
    case OPMUX_REDUCE_MEAN:
      return sum_of(x, same, R(x.size()));
    case OPMUX_REDUCE_L1:
      return sum_of(x, size);
    case OPMUX_REDUCE_SUM_SQUARE:
      return sum_of(x, square);
    case OPMUX_REDUCE_VARIANCE:
      return variance(x, u);
    case OPMUX_REDUCE_PROD:
      for (R v : x) y *= v;
      break;
    case OPMUX_REDUCE_MAX:
      y = extreme(x, true);
      break;
    case OPMUX_REDUCE_MIN:
      y = extreme(x, false);
      break;
    case OPMUX_REDUCE_L2:
      y = std::sqrt(sum_of(x, square).value);
      break;
    case OPMUX_REDUCE_LOG_SUM:
      // The sum errs in relation to the size of its terms, the logarithm by as much in absolute terms.
      y = sum_of(x, same).value;
      magnitude = sum_of(x, size).value / std::fabs(y);
      y = std::log(y);
      magnitude += std::fabs(y);
      break;
    case OPMUX_REDUCE_LOG_SUM_EXP:
      y = log_sum_exp(x);
      magnitude = 1 + std::fabs(y);
      break;
    default:  // absmax
      y = 0;
      for (R v : x) y = kit::detail::maximum(y, R(std::fabs(v)));
  }
  return {y, double(magnitude < 0 ? std::fabs(y) : magnitude)};
}

// The exact mean, truncated. 2^63 elements of 64 bits stay within 128 bits.
uint64_t int_mean(uint32_t dtype, const std::vector<uint64_t>& x) {
  __extension__ using Wide = __int128;
  Wide sum = 0;
  for (uint64_t v : x) sum += kit::is_signed(dtype) ? Wide(int64_t(v)) : Wide(v);
  return x.empty() ? 0 : uint64_t(sum / Wide(x.size()));
}

// Integers whose result comes from numbers of at least 53 bits.
bool is_by_real(uint32_t kind) {
  return kind == OPMUX_REDUCE_L2 || kind == OPMUX_REDUCE_LOG_SUM || kind == OPMUX_REDUCE_LOG_SUM_EXP ||
         kind == OPMUX_REDUCE_VARIANCE;
}

Result<uint64_t> reduce_by_real(uint32_t kind, uint32_t dtype, const std::vector<uint64_t>& x) {
  std::vector<long double> wide;
  for (uint64_t v : x) wide.push_back(to_wide<long double>(dtype, Scalar{.u = v}));
  const auto [y, magnitude] = reduce_real(kind, wide, 0x1p-53);
  const uint32_t bits = OPMUX_DTYPE_BITS(dtype);
  const long double top = std::ldexp(1.0L, int(bits) - (kit::is_signed(dtype) ? 1 : 0));
  uint64_t whole = 0;
  if (!(std::fabs(y) < top))  // also NaN
    whole = kit::float_to_int(dtype, double(y), true).u;
  else if (kit::is_signed(dtype))
    whole = uint64_t(int64_t(y));
  else if (y > 0)
    whole = uint64_t(y);
  return {whole, magnitude};
}

bool less(uint32_t dtype, uint64_t a, uint64_t b) {
  return kit::is_signed(dtype) ? int64_t(a) < int64_t(b) : a < b;
}

uint64_t int_extreme(uint32_t dtype, const std::vector<uint64_t>& x, bool max) {
  const uint32_t bits = OPMUX_DTYPE_BITS(dtype);
  const uint64_t high = ~uint64_t(0) >> (kit::is_signed(dtype) ? 65 - bits : 64 - bits);
  const uint64_t low = kit::is_signed(dtype) ? ~high : 0;  // two's complement
  uint64_t best = max ? low : high;
  for (uint64_t v : x)
    if (max ? less(dtype, best, v) : less(dtype, v, best)) best = v;
  return best;
}

uint64_t reduce_int(uint32_t kind, uint32_t dtype, const std::vector<uint64_t>& x) {
  const auto size = [&](uint64_t v) { return kit::is_signed(dtype) && int64_t(v) < 0 ? 0 - v : v; };
  uint64_t y = kind == OPMUX_REDUCE_PROD || kind == OPMUX_REDUCE_ALL;
  switch (kind) {
    case OPMUX_REDUCE_MAX:
      return int_extreme(dtype, x, true);
    case OPMUX_REDUCE_MIN:
      return int_extreme(dtype, x, false);
    case OPMUX_REDUCE_MEAN:
      return int_mean(dtype, x);
    default:
      break;
  }
  for (uint64_t v : x) {
    if (kind == OPMUX_REDUCE_SUM) y += v;
    if (kind == OPMUX_REDUCE_PROD) y *= v;
    if (kind == OPMUX_REDUCE_L1) y += size(v);
    if (kind == OPMUX_REDUCE_SUM_SQUARE) y += v * v;
    if (kind == OPMUX_REDUCE_ABSMAX) y = y < size(v) ? size(v) : y;
    if (kind == OPMUX_REDUCE_ANY) y |= v;
    if (kind == OPMUX_REDUCE_ALL) y &= v;
  }
  return y;
}

// Position of the winner, the first or the last among equals.
int64_t arg_of(const std::vector<Scalar>& x, uint32_t dtype, bool max, bool last) {
  const auto nan = [&](Scalar v) { return kit::is_float(dtype) && std::isnan(v.f); };
  const auto below = [&](Scalar a, Scalar b) {
    return kit::is_float(dtype) ? a.f < b.f : less(dtype, a.u, b.u);
  };
  size_t best = 0;
  for (size_t i = 1; i < x.size(); ++i) {
    const bool better =
        nan(x[i]) ? !nan(x[best]) : !nan(x[best]) && (max ? below(x[best], x[i]) : below(x[i], x[best]));
    const bool equal =
        nan(x[i]) ? nan(x[best]) : !nan(x[best]) && !below(x[best], x[i]) && !below(x[i], x[best]);
    if (better || (last && equal)) best = i;
  }
  return int64_t(best);
}

// Offsets of the elements of one output, and of the first element of each output.
struct Plan {
  std::vector<int64_t> inner, outer;
};

Plan plan_of(Job& job) {
  const opmux_tdesc& x = job.in(0);
  opmux_tdesc inner = x, outer = x;
  for (uint32_t i = 0; i < x.rank; ++i) inner.dim[i] = 1;
  for (int64_t axis : job.list(job.desc<opmux_op_reduce>().axes)) {
    inner.dim[axis] = x.dim[axis];
    outer.dim[axis] = 1;
  }
  Plan plan;
  for (auto [shape, offsets] : {std::pair{&inner, &plan.inner}, std::pair{&outer, &plan.outer}}) {
    kit::Walk walk(*shape);
    walk.add_strides(std::to_array(x.stride));
    walk.each([to = offsets](const int64_t* offset) { to->push_back(offset[0]); });
  }
  return plan;
}

// f(elements of one output) for each output.
template <class F>
void each_output(Job& job, F&& f) {
  const Plan plan = plan_of(job);
  std::vector<Scalar> x(plan.inner.size());
  for (int64_t at : plan.outer) {
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = kit::load(job.in(0).dtype, job.in_data(0), at + plan.inner[i]);
    f(x);
  }
}

void reduce_to_numbers(Job& job, uint32_t kind) {
  const uint32_t dtype = job.in(0).dtype;
  with_wide_type(dtype, [&]<class R>(R) {
    std::vector<R> y, wide;
    std::vector<double> magnitude;
    each_output(job, [&](const std::vector<Scalar>& x) {
      wide.clear();
      for (Scalar v : x) wide.push_back(to_wide<R>(dtype, v));
      Result<R> result;
      if constexpr (std::is_floating_point_v<R>)
        result = reduce_real(kind, wide, dtype == OPMUX_F64 ? 0x1p-53 : 0x1p-24);
      else
        result = is_by_real(kind) ? reduce_by_real(kind, dtype, wide)
                                  : Result<R>{reduce_int(kind, dtype, wide), 0};
      y.push_back(result.value);
      magnitude.push_back(result.magnitude);
    });
    job.write(0, y, magnitude);
  });
}

}  // namespace

void reduce(Job& job) {
  const auto& d = job.desc<opmux_op_reduce>();
  const uint32_t dtype = job.in(0).dtype;
  const bool arg = d.kind == OPMUX_REDUCE_ARGMAX || d.kind == OPMUX_REDUCE_ARGMIN;
  if (!arg && d.kind != OPMUX_REDUCE_FINITE_COUNT) {
    reduce_to_numbers(job, d.kind);
    return;
  }
  std::vector<uint64_t> y;
  each_output(job, [&](const std::vector<Scalar>& x) {
    uint64_t finite = 0;
    for (Scalar v : x) finite += !kit::is_float(dtype) || std::isfinite(v.f);
    y.push_back(arg ? uint64_t(arg_of(x, dtype, d.kind == OPMUX_REDUCE_ARGMAX, d.select_last != 0)) : finite);
  });
  job.write(0, y);
}

}  // namespace opmux::reference
