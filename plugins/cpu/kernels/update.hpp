// SPDX-License-Identifier: Apache-2.0
// Elements of a tensor that take in others, one after another.
#ifndef OPMUX_CPU_KERNELS_UPDATE_HPP
#define OPMUX_CPU_KERNELS_UPDATE_HPP

#include <cstdint>

namespace opmux::cpu {

constexpr int64_t kNowhere = INT64_MIN;

// y[i * y_step + at[i]] takes in u[i * u_step] for i < n, unless at[i] is kNowhere; without `at` all at[i]
// are 0.
using UpdateFn = void (*)(void* y, int64_t y_step, const int64_t* at, const void* u, int64_t u_step,
                          int64_t n);
// reduction: OPMUX_SCATTER_*. SET looks only at the width of dtype; for the others f16 and bf16 have f32
// lanes.
UpdateFn find_update(uint32_t reduction, uint32_t dtype);

}  // namespace opmux::cpu
#endif
