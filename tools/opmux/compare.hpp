// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "opmux/opmux.hpp"

namespace opmux::cli {

// Element as a number; integers beyond 2^53 lose their last bits.
double element(const opmux_tensor& t, int64_t index);

// Of the ONNX backend tests. Floats of 16 bits, whose last place is up to 8e-3 of a value, have at least
// 1e-2. Elements of a tensor often come from the same sums, so an error of four units in the last place of
// the largest one is right for all.
struct Tolerance {
  double relative = 1e-3, absolute = 1e-7;
  bool any_value = false;  // type and shape alone count
};

// Empty when `have` matches `want`; else one sentence with the worst element, its index and both values. NaN
// matches NaN, infinities by sign; integers, bool and types of 8 bits and less must be equal.
std::string mismatch(const opmux_tensor& have, const opmux_tensor& want, const Tolerance& tolerance);

// "f32[1, 3]"
std::string desc_text(const opmux_tdesc& d);

}  // namespace opmux::cli
