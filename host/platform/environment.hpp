// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

namespace opmux::environment {

// True in a set-user-id process and the like, where no variable of ours may be obeyed.
bool privileged();

// Value of an environment variable; nothing when unset, empty, or in a privileged process.
std::optional<std::string> get(const char* name);

}  // namespace opmux::environment
