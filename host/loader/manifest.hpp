// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace opmux {

// What a plugin's file says about itself before any of its code runs.
struct Manifest {
  uint32_t abi_major = 0, abi_minor = 0;
  uint32_t flags = 0;  // OPMUX_PF_*
  uint32_t sanitizer = 0;
  uint32_t opset = 0;
  std::string name, version;
  std::string build_id;  // GNU build id in hex; empty when the linker wrote none
};

// Reads the manifest note of a shared library from its bytes, which may be anything: every offset and size is
// checked. Throws Error with a sentence when the file is no ELF library for this machine, when a part that
// the dynamic loader would map lies outside the file (mapping it would end in SIGBUS), or when there is no
// sound note.
Manifest read_manifest(std::span<const std::byte> file);

}  // namespace opmux
