// SPDX-License-Identifier: Apache-2.0
// Views of operands in the shape of a product [.., rows, columns].
#pragma once

#include "gpu/ops/step.hpp"

namespace opmux::gpu {

// Batch strides of an operand in the shape of y, without its last two axes.
std::array<int64_t, 8> batch_strides(const opmux_tdesc& t, const opmux_tdesc& y);
// Of the last axis (0) or the one before it (1); 0 where the operand repeats.
uint64_t stride_at(const opmux_tdesc& t, uint32_t from_end);
// The walk over the batch of y with the strides of operands, of the program's views and of y: at 6 the row's,
// at 7 the column's.
struct ProductView {
  const char* name;
  const opmux_tdesc* t;
};
void product_walk(const opmux_opd& d, const std::vector<ProductView>& own, uint32_t first_program_arg,
                  StepMaker& s);

}  // namespace opmux::gpu
