// SPDX-License-Identifier: Apache-2.0
// Entry of the reference plugin: every operator, plain and precise, in host memory. The oracle of the test
// suite; `auto` never routes to it. Start reading here, then op_table.cpp, job.hpp and any file of ops/.
#include "reference/oracle.hpp"

#define KIT_MORE_INTERFACE(id) opmux::reference::oracle_interface(id)
#include "kit/host_device.h"
#include "kit/plugin.h"

OPMUX_PLUGIN("reference", "0.1.0", OPMUX_PF_UNLOADABLE | OPMUX_PF_FORK_SAFE | OPMUX_PF_NEVER_AUTO,
             /*opset*/ 0, &kit_core)
