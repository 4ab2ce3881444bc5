// SPDX-License-Identifier: Apache-2.0
// How two elements become one in sums, products and extremes, and what they start from.
#pragma once

#include <limits>

#include "reference/job.hpp"

namespace opmux::reference {

enum class Join { kSum, kProduct, kMax, kMin };

// The neutral element: infinities or the ends of the type's range for extremes.
template <class R>
R neutral(Join join, uint32_t dtype) {
  if (join == Join::kSum) return 0;
  if (join == Join::kProduct) return 1;
  const bool max = join == Join::kMax;
  if constexpr (std::is_floating_point_v<R>) {
    return max ? -std::numeric_limits<R>::infinity() : std::numeric_limits<R>::infinity();
  } else {
    const uint32_t bits = OPMUX_DTYPE_BITS(dtype);
    const uint64_t high = ~uint64_t(0) >> (kit::is_signed(dtype) ? 65 - bits : 64 - bits);
    return max ? (kit::is_signed(dtype) ? ~high : 0) : high;
  }
}

// Extremes give NaN where there is one; of equal elements the first stays.
template <class R>
R joined(Join join, uint32_t dtype, R first, R second) {
  if (join == Join::kSum) return first + second;
  if (join == Join::kProduct) return first * second;
  if constexpr (std::is_floating_point_v<R>) {
    return join == Join::kMax ? kit::detail::maximum(first, second) : kit::detail::minimum(first, second);
  } else {
    const bool is_signed = kit::is_signed(dtype);
    const auto below = [&](R a, R b) { return is_signed ? int64_t(a) < int64_t(b) : a < b; };
    return (join == Join::kMax ? below(first, second) : below(second, first)) ? second : first;
  }
}

// What gradual underflow may add to the error of a product that is computed in f64, as a magnitude: half a
// subnormal step wherever a partial product is that small, multiplied by all factors behind it, over u.
inline double underflow(double carried, double factor, double product) {
  constexpr double kUnit = 0x1p-53;
  const double step = std::fabs(product) < std::numeric_limits<double>::min() ? 0x1p-1074 / kUnit : 0;
  return carried * std::fabs(factor) + step;
}

}  // namespace opmux::reference
