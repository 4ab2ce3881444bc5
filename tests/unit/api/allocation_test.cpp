// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/support/allocation_count.hpp"
#include "tests/unit/api/small_model.hpp"

namespace opmux::test {
namespace {

// Runs after the first with a shape must not touch the heap, in the host or in the plugin.
void expect_none(api::RunContext& run, const char* what) {
  const uint64_t before = allocations();
  for (int i = 0; i < 20; ++i) run.run();
  EXPECT_EQ(allocations() - before, 0u) << what;
}

TEST(Allocation, ARunAfterWarmUpMakesNone) {
  if (!counting()) return;  // the sanitizer's allocator cannot be counted
  const uint64_t before = allocations();
  const api::Context context;
  EXPECT_GT(allocations(), before) << "the counter does not count";
  for (const char* route : {"cpu"}) {  // the reference favours plain code and does allocate
    const SmallData data({33, 65, 17});
    const api::Plan plan(small_model(context, data, true), route);
    api::RunContext run(plan);
    const int64_t dims[] = {33, 65};
    run.bind_input(0, api::tensor(OPMUX_F32, dims, data.x.data()));
    run.run();
    run.run();
    expect_none(run, route);
    const auto other = random_values(data.x.size(), 5);
    const uint64_t before_rebind = allocations();
    run.bind_input(0, api::tensor(OPMUX_F32, dims, other.data()));
    run.run();
    EXPECT_EQ(allocations() - before_rebind, 0u) << route << ", new input";
  }
}

}  // namespace
}  // namespace opmux::test
