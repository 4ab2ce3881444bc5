// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace opmux {

// Keeps a handle or an address that a plugin made to the end of the process: its route is abandoned, so that
// it cannot be given back. [mt]
void quarantine(uint64_t handle) noexcept;
template <class T>
void quarantine(const T* handle) noexcept {
  quarantine(reinterpret_cast<uint64_t>(handle));
}
uint64_t quarantined_handles();

}  // namespace opmux
