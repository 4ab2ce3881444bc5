// SPDX-License-Identifier: Apache-2.0
// A value with a magnitude: what multiplies eps K in a first-order bound of its error, where errors of
// operands that were computed themselves count too.
#pragma once

#include <cmath>
#include <vector>

#include "reference/job.hpp"

namespace opmux::reference {

template <class R>
struct Number {
  R value = 0;
  double size = 0;
};

template <class R>
Number<R> operator+(Number<R> a, Number<R> b) {
  return {a.value + b.value, a.size + b.size};
}
template <class R>
Number<R> operator*(Number<R> a, Number<R> b) {
  const R y = a.value * b.value;
  return {y,
          double(std::fabs(y)) + double(std::fabs(a.value)) * b.size + double(std::fabs(b.value)) * a.size};
}
// A value that is given, not computed.
template <class R>
Number<R> exact(R value) {
  return {value, 0};
}
// A value that is given as the first term of a sum, which is rounded in relation to it.
template <class R>
Number<R> term(R value) {
  return {value, double(std::fabs(value))};
}
// e^x for an argument with an error.
template <class R>
Number<R> exponential(Number<R> x) {
  const R y = std::exp(x.value);
  return {y, double(y) * (1 + double(std::fabs(x.value)) + x.size)};
}

template <class R>
using Numbers = std::vector<Number<R>>;

// Operand i, or n zeros where it is absent.
template <class R>
Numbers<R> terms_or_zero(const Job& job, uint32_t i, int64_t n) {
  Numbers<R> out;
  if (!job.has_in(i)) return Numbers<R>(size_t(n));
  for (R v : job.read<R>(i)) out.push_back(term(v));
  return out;
}

template <class R>
void write_numbers(Job& job, uint32_t o, const Numbers<R>& from) {
  std::vector<R> values;
  std::vector<double> sizes;
  for (const Number<R>& v : from) {
    values.push_back(v.value);
    sizes.push_back(v.size);
  }
  job.write(o, values, sizes);
}

}  // namespace opmux::reference
