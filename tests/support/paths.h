// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

// Folders of this build, absolute and without a trailing slash.
namespace opmux::test {

std::string source_dir();  // the checkout
std::string build_dir();   // build/<preset>
std::string plugin_dir();  // opmux_cpu.so and the other real plugins
std::string mock_dir();    // the mock plugins, which a normal search never finds

}  // namespace opmux::test
