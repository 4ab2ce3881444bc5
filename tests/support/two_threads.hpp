// SPDX-License-Identifier: Apache-2.0
// For tests of what happens side by side: they need threads, not cores, since mock cards sleep. Whatever the
// machine has and OPMUX_THREADS says, the pool has two.
#pragma once

#include "host/platform/thread_pool.hpp"

namespace opmux::test {

inline const bool kTwoThreads = threads::configure(2);

}  // namespace opmux::test
