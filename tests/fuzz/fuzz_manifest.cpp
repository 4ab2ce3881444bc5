// SPDX-License-Identifier: Apache-2.0
// The reader of ELF headers and manifest notes, given any bytes: it may only return a sound manifest or throw
// Error.
#include <cstdlib>

#include "host/loader/manifest.hpp"
#include "host/platform/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto manifest = opmux::read_manifest(std::as_bytes(std::span(data, size)));
    if (manifest.name.empty() || manifest.name.size() > 31 || manifest.version.size() > 31) std::abort();
  } catch (const opmux::Error& e) {
    if (e.text().empty()) std::abort();
  }
  return 0;
}
