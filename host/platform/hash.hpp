// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace opmux {

// 64-bit checksum of bytes that this machine wrote and reads again; guards against damage, not against
// forgery.
uint64_t checksum64(std::span<const std::byte> bytes, uint64_t seed = 0);
uint64_t checksum64(std::string_view text, uint64_t seed = 0);

}  // namespace opmux
