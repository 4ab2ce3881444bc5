// SPDX-License-Identifier: Apache-2.0
#ifndef OPMUX_CPU_OP_TABLE_HPP
#define OPMUX_CPU_OP_TABLE_HPP

#include "kit/host_device.h"

namespace opmux::cpu {

// All implementations in order of preference: the first that accepts a descriptor wins.
extern const kit_op kOps[];
extern const uint32_t kOpCount;

}  // namespace opmux::cpu
#endif
