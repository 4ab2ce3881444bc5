// SPDX-License-Identifier: Apache-2.0
// The activations of recurrent layers.
#pragma once

#include <algorithm>
#include <cmath>

#include "opmux/ops.h"

namespace opmux::reference {

struct Activation {
  uint32_t function = OPMUX_ACT_NONE;
  float alpha = 0, beta = 0;

  template <class R>
  R operator()(R x) const {
    const R a = R(alpha), b = R(beta);
    switch (function) {
      case OPMUX_ACT_TANH:
        return std::tanh(x);
      case OPMUX_ACT_SIGMOID:
        return 1 / (1 + std::exp(-x));
      case OPMUX_ACT_RELU:
        return x < 0 ? R(0) : x;
      case OPMUX_ACT_AFFINE:
        return a * x + b;
      case OPMUX_ACT_LEAKY_RELU:
        return x < 0 ? a * x : x;
      case OPMUX_ACT_THRESHOLDED_RELU:
        return x <= a ? R(0) : x;
      case OPMUX_ACT_SCALED_TANH:
        return a * std::tanh(b * x);
      case OPMUX_ACT_HARD_SIGMOID: {
        const R y = a * x + b;
        return y < 0 ? R(0) : y > 1 ? R(1) : y;
      }
      case OPMUX_ACT_ELU:
        return x < 0 ? a * std::expm1(x) : x;
      case OPMUX_ACT_SOFTSIGN:
        return x / (1 + std::fabs(x));
      default:  // OPMUX_ACT_SOFTPLUS
        return std::log1p(std::exp(-std::fabs(x))) + (x < 0 ? R(0) : x);
    }
  }

  // How much larger an error of the argument may come out.
  double steepest() const {
    const double a = std::fabs(double(alpha));
    switch (function) {
      case OPMUX_ACT_SIGMOID:
        return 0.25;
      case OPMUX_ACT_AFFINE:
      case OPMUX_ACT_HARD_SIGMOID:
        return a;
      case OPMUX_ACT_LEAKY_RELU:
      case OPMUX_ACT_ELU:
        return std::max(a, 1.0);
      case OPMUX_ACT_SCALED_TANH:
        return a * std::fabs(double(beta));
      default:
        return 1;
    }
  }
};

}  // namespace opmux::reference
