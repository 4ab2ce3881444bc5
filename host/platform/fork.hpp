// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace opmux {

// How many forks lie between the process that loaded the host and this one. Threads and drivers do not
// survive a fork, so what was opened at one count must not be used at another. One relaxed load.
uint32_t fork_count();

}  // namespace opmux
