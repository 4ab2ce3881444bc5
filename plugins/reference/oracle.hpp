// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "opmux/ext/oracle.h"

namespace opmux::reference {

// The table of OPMUX_I_ORACLE, or NULL for another id.
const opmux_hdr* oracle_interface(uint32_t id);

}  // namespace opmux::reference
