// SPDX-License-Identifier: Apache-2.0
// What the host sides of kernels with kernels/body/tile.h share.
#pragma once

#include "gpu/kernels/tile.h"
#include "gpu/ops/step.hpp"

namespace opmux::gpu {

// The type of the sum and its product.
void tile_types(StepMaker& s, uint32_t sum);
// Do the groups of rows x columns, extents of output 0 at these axes, fit the device?
bool check_tile_groups(const opmux_devinfo& info, const opmux_opd& d, uint32_t row_axis, int64_t rows,
                       uint32_t col_axis, int64_t cols, opmux_cap& cap);
void tile_groups(const opmux_devinfo& info, int64_t rows, int64_t cols, int64_t batch, StepMaker& s);

}  // namespace opmux::gpu
