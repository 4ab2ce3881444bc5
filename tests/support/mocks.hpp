// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>

#include "host/loader/registry.hpp"
#include "tests/support/paths.h"
#include "tests/support/temp_dir.hpp"

namespace opmux::test {

inline std::string mock(const std::string& name) { return mock_dir() + "/opmux_" + name + ".so"; }

// Options that find these plugin files and nothing else, and cache nothing.
inline LoaderOptions only(std::initializer_list<std::string> paths) {
  LoaderOptions options;
  options.plugins = paths;
  options.search = false;
  options.use_cache = false;
  return options;
}

inline LoaderOptions only_mock(const std::string& name) { return only({mock(name)}); }

}  // namespace opmux::test
