// SPDX-License-Identifier: Apache-2.0
// What the command line asks for.
#pragma once

#include <cstdint>
#include <string>

namespace opmux::cts {

struct Options {
  std::string plugin, reference;
  std::string filter = "*";
  std::string xfail, junit, markdown;
  uint64_t seed = 1;
  uint32_t device = 0;
  uint32_t threads = 3;  // of the host that the suite is for the plugin
  uint32_t jobs = 2;     // tests at a time
  uint32_t every = 1;    // one test of so many
  bool full = false, tap = false, json = false, determinism = false, list = false, quick = false,
       fail_fast = false;
};

// Does the glob fit the whole name? * stands for any text, also with slashes, ? for one character.
bool matches(const std::string& glob, const std::string& name);

}  // namespace opmux::cts
