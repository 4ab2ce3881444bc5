// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace opmux::test {

// Heap allocations of the whole process since it started, plugins included; only where this program's malloc
// is in use.
uint64_t allocations();
bool counting();

}  // namespace opmux::test
