// SPDX-License-Identifier: Apache-2.0
// Turns the pairs of one head. x and y may be the same.
#ifndef OPMUX_CPU_KERNELS_ROTARY_HPP
#define OPMUX_CPU_KERNELS_ROTARY_HPP

#include <cstdint>

#include "cpu/tiles.hpp"

namespace opmux::cpu {

// (y_a, y_b) = (c a - s b, s a + c b) for `pairs` pairs of contiguous elements.
using RotaryFn = void (*)(void* y, const void* x, const void* cosine, const void* sine, int64_t pairs);
// lane: kF32 or kF64.
RotaryFn find_rotary(Lane lane, bool interleaved);

}  // namespace opmux::cpu
#endif
