// SPDX-License-Identifier: Apache-2.0
#include "host/platform/environment.hpp"

#include <sys/auxv.h>

#include <cstdlib>

namespace opmux::environment {

bool privileged() { return getauxval(AT_SECURE) != 0; }

std::optional<std::string> get(const char* name) {
  const char* value = secure_getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

}  // namespace opmux::environment
