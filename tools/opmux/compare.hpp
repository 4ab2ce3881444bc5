// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "opmux/opmux.hpp"

namespace opmux::cli {

// Element as a number; integers beyond 2^53 lose their last bits.
double element(const opmux_tensor& t, int64_t index);

struct Tolerance {
  double relative = 1e-3, absolute = 1e-7;  // of the ONNX backend tests
};

// Empty when `have` matches `want`; else one sentence with the worst element, its index and both values. NaN
// matches NaN, infinities by sign; integers and bool must be equal.
std::string mismatch(const opmux_tensor& have, const opmux_tensor& want, const Tolerance& tolerance);

// "f32[1, 3]"
std::string desc_text(const opmux_tdesc& d);

}  // namespace opmux::cli
