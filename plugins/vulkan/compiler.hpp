// SPDX-License-Identifier: Apache-2.0
// GLSL to SPIR-V in this process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace opmux::gpu {

// Throws DriverError with the compiler's first lines. name: for them.
std::vector<uint32_t> compile_glsl(const std::string& name, const std::string& text);

}  // namespace opmux::gpu
