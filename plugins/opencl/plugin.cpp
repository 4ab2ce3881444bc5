// SPDX-License-Identifier: Apache-2.0
// Entry of the OpenCL plugin: every device of every platform. Start reading at gpu/backend.hpp.
#include "kit/plugin.h"
#include "gpu/objects.hpp"

OPMUX_PLUGIN("opencl", "0.1.0", OPMUX_PF_PROBE, /*opset*/ 0, opmux::gpu::core_table())
