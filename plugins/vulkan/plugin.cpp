// SPDX-License-Identifier: Apache-2.0
// Entry of the Vulkan plugin: every device with a compute queue. Start reading at gpu/backend.hpp.
#include "kit/plugin.h"
#include "gpu/objects.hpp"

OPMUX_PLUGIN("vulkan", "0.1.0", OPMUX_PF_PROBE, /*opset*/ 0, opmux::gpu::core_table())
