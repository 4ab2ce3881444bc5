// SPDX-License-Identifier: Apache-2.0
// What the host sides of kernels that work row by row share.
#pragma once

#include "gpu/ops/step.hpp"

namespace opmux::gpu {

// Lanes for a row of `len` elements, a power of two up to the group's.
uint32_t row_width(const Source& s, int64_t rows, int64_t len);
// Lanes for a cell that joins an unknown share of `len` elements: more only while cells leave the device
// idle.
uint32_t shared_width(const Source& s, int64_t cells, int64_t len);
// Groups for `rows` rows of `width` lanes, into the step with the words `width` and `len`.
void row_groups(const opmux_devinfo& info, int64_t rows, int64_t len, StepMaker& s);
// Steps over `rows` rows of `len` elements with a kernel that includes parts.h, as `s` has it but for the
// words of those: one, or one for each pass from `first` on where few rows are so long that several groups
// share each, the last again a group a row if `joined`.
struct RowPlan {
  int64_t rows, len;
  uint32_t sum;  // type of what parts leave
  uint32_t first = 1;
  bool joined = false;
  uint64_t workspace() const;
};
void row_steps(const opmux_devinfo& info, const RowPlan& r, const StepMaker& s, KernelPlan& plan);

// The axes of t, those to keep or the others, as a walk over its dims.
kit::Walk walk_of(const opmux_tdesc& t, const std::array<bool, 8>& taken);
// Strides of t in the shape of `to` for the same axes.
std::array<int64_t, 8> strides_of(const opmux_tdesc& t, const opmux_tdesc& to,
                                  const std::array<bool, 8>& taken);

}  // namespace opmux::gpu
