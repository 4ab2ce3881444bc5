// SPDX-License-Identifier: Apache-2.0
// Every operator of the GPU plugins, in the order in which they are asked.
#pragma once

#include "gpu/plan.hpp"
#include "kit/op.h"

namespace opmux::gpu {

// Answers in cap; with YES and a plan that is not NULL, fills it. d is valid by its schema.
using PlanFn = bool (*)(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);

extern const kit_op kOps[];
extern const uint32_t kOpCount;
PlanFn plan_at(size_t index);

}  // namespace opmux::gpu
