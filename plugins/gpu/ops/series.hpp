// SPDX-License-Identifier: Apache-2.0
// Running sums and the like, as an operator and as steps of others.
#pragma once

#include <functional>

#include "gpu/ops/step.hpp"
#include "opmux/ops/reduce.gen.h"

namespace opmux::gpu {

// What kernels with joins.h say of elements of `dtype`: their number in the type `sum`, its neutral element
// for an OPMUX_SCAN_*, its order, and the result. Of integers the words of the kernel say it, so that one
// text does for all of a size.
void define_numbers(StepMaker& m, uint32_t kind, uint32_t dtype, uint32_t sum);

struct Series {
  uint32_t kind = OPMUX_SCAN_SUM, dtype = OPMUX_U32;  // dtype: of x and y
  bool exclusive = false;
  int64_t rows = 1, len = 0;
  kit::Walk outer{std::span<const int64_t>{}};  // over the rows: 0: x, 1: y
  int64_t first = 0, step = 1, y_first = 0, y_step = 1;
  std::function<void(StepMaker&)> bind;  // x and y
  uint64_t carry = 0;                    // where in the workspace its room begins

  // The type of the joins. Products of floats are taken in f64: those of a few elements leave the range of
  // f32, and infinity times 0 is not what the whole product is.
  uint32_t sum() const;
  uint64_t workspace() const;  // bytes at `carry`
};

void scan_steps(const opmux_devinfo& info, const Series& s, KernelPlan& plan);

// n numbers of 32 bits in the workspace become their running sums, each its own included.
Series running_counts(uint64_t at, int64_t n, uint64_t carry);

}  // namespace opmux::gpu
