// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

namespace opmux {

// The directory for what may be lost: `wanted`, else OPMUX_CACHE_DIR, else $XDG_CACHE_HOME/opmux, else
// ~/.cache/opmux. Made with mode 0700 when missing. Nothing when it is not ours, is open to others, cannot be
// made, or is not absolute: why then says so in a sentence, and the caller works without a cache.
std::optional<std::string> cache_dir(const std::string& wanted, std::string& why);

// Makes dir/name with mode 0700 under a directory from cache_dir; false when that fails.
bool make_private_dir(const std::string& path, std::string& why);

}  // namespace opmux
