// SPDX-License-Identifier: Apache-2.0
// The same bits for any number of threads.
#ifndef OPMUX_TESTS_UNIT_CPU_SAME_BITS_HPP
#define OPMUX_TESTS_UNIT_CPU_SAME_BITS_HPP

#include <string>

#include "run_op.hpp"

namespace opmux::test {

// Calls run(host) on hosts with 1, 2 and 7 threads. Before each call the memory of the outputs (nullptr:
// absent) is as it was before the first, so that a run which writes nothing is seen and one may be in place.
template <class Run>
void expect_same_bits(const std::vector<Tensor*>& outputs, const std::string& what, const Run& run) {
  std::vector<std::vector<std::byte>> before, first;
  for (const Tensor* y : outputs) before.push_back(y ? y->memory() : std::vector<std::byte>{});
  for (uint32_t threads : {1u, 2u, 7u}) {
    for (size_t o = 0; o < outputs.size(); ++o)
      if (outputs[o]) outputs[o]->restore(before[o]);
    Host host(threads);
    run(host);
    if (testing::Test::HasFatalFailure()) return;
    for (size_t o = 0; o < outputs.size(); ++o) {
      if (threads == 1) first.push_back(outputs[o] ? outputs[o]->memory() : std::vector<std::byte>{});
      if (outputs[o]) {
        EXPECT_EQ(outputs[o]->memory(), first[o])
            << what << " output " << o << ": other bits with " << threads << " threads";
      }
    }
  }
}

}  // namespace opmux::test
#endif
