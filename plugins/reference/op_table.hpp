// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "reference/job.hpp"

namespace opmux::reference {

// The operator behind an entry of the plugin's table, for the oracle.
using Body = void (*)(Job&);
Body body_of(const kit_op* op);

}  // namespace opmux::reference
