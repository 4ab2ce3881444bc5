// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

namespace opmux {

// Runs `work` on a thread of its own and waits for it; throws what it throws. False: it has not ended after
// timeout_ns. The thread then goes on, to the end of the process if need be, so `work` must own, or share,
// all that it uses. Where no thread may be made (threads::concurrency() is 1) there is no deadline.
// look, where given, is called by the waiting thread every 20 ms.
bool run_within(uint64_t timeout_ns, std::function<void()> work, const std::function<void()>& look = {});

}  // namespace opmux
