// SPDX-License-Identifier: Apache-2.0
#include "tests/support/paths.h"

namespace opmux::test {

std::string source_dir() { return OPMUX_PATH_SOURCE; }
std::string build_dir() { return OPMUX_PATH_BUILD; }
std::string plugin_dir() { return OPMUX_PATH_PLUGINS; }
std::string mock_dir() { return OPMUX_PATH_MOCKS; }

}  // namespace opmux::test
