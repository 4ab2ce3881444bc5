// SPDX-License-Identifier: Apache-2.0
// Runs a test on every instruction set that this machine has.
#ifndef OPMUX_TESTS_UNIT_CPU_EVERY_INSTRUCTION_SET_HPP
#define OPMUX_TESTS_UNIT_CPU_EVERY_INSTRUCTION_SET_HPP

#include <gtest/gtest.h>

#include <string>

#include "cpu/simd.hpp"

namespace opmux::test {

// Calls f() on each, the best one last.
template <class F>
void on_every_instruction_set(F f) {
  const std::string best = cpu::simd_name();
  for (const char* name : {"EMU128", "SCALAR", "SSE4", "AVX2", "AVX3", "NEON"}) {
    if (name == best || !cpu::simd_limit(name) || std::string(cpu::simd_name()) != name) continue;
    SCOPED_TRACE(name);
    f();
  }
  cpu::simd_limit(best.c_str());
  SCOPED_TRACE(best);
  f();
}

}  // namespace opmux::test
#endif
