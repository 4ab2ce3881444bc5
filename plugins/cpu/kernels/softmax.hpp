// SPDX-License-Identifier: Apache-2.0
// Softmax of whole rows of f32 or f64 lanes.
#ifndef OPMUX_CPU_KERNELS_SOFTMAX_HPP
#define OPMUX_CPU_KERNELS_SOFTMAX_HPP

#include <cstddef>
#include <cstdint>

#include "cpu/tiles.hpp"

namespace opmux::cpu {

// y = e^(x - max x) / sum of the same, or its logarithm; a row that holds +infinity, NaN or only -infinity
// becomes NaN by that formula. y may be x.
using SoftmaxFn = void (*)(void* y, const void* x, size_t n);
SoftmaxFn find_softmax(Lane lane, bool log);

// The same for a part of a row whose greatest element and sum are known.
using SoftmaxPartFn = void (*)(void* y, const void* x, size_t n, double top, double sum);
SoftmaxPartFn find_softmax_part(Lane lane, bool log);

}  // namespace opmux::cpu
#endif
