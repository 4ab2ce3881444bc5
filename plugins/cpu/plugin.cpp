// SPDX-License-Identifier: Apache-2.0
// Entry of the CPU plugin: Google Highway kernels on the host's threads.
#include "kit/plugin.h"

#include "kit/host_device.h"  // the device of device.cpp as the plugin's tables

OPMUX_PLUGIN("cpu", "0.1.0", OPMUX_PF_UNLOADABLE, /*opset*/ 0, &kit_core)
