// SPDX-License-Identifier: Apache-2.0
#include "host/graph/memory_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace opmux {
namespace {

bool overlap(const Lifetime& a, const Lifetime& b) {
  const bool in_time = a.first <= b.last && b.first <= a.last;
  return in_time && a.offset < b.offset + b.size_bytes && b.offset < a.offset + a.size_bytes;
}

TEST(MemoryPlan, WhatIsAliveTogetherDoesNotOverlap) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<Lifetime> all(random() % 40);
    for (Lifetime& l : all) {
      l.size_bytes = random() % 5000;
      l.first = random() % 30;
      l.last = l.first + random() % 10;
    }
    const uint64_t total = plan_memory(all, 64);
    for (size_t i = 0; i < all.size(); ++i) {
      EXPECT_EQ(all[i].offset % 64, 0u);
      EXPECT_LE(all[i].offset + all[i].size_bytes, total);
      for (size_t k = i + 1; k < all.size(); ++k) ASSERT_FALSE(overlap(all[i], all[k])) << i << " and " << k;
    }
  }
}

TEST(MemoryPlan, AChainNeedsTwoBuffers) {
  std::vector<Lifetime> chain;
  for (uint32_t i = 0; i < 50; ++i) chain.push_back({1024, i, i + 1, 0});
  EXPECT_EQ(plan_memory(chain, 64), 2048u);
}

TEST(MemoryPlan, NothingNeedsNothing) {
  std::vector<Lifetime> none;
  EXPECT_EQ(plan_memory(none, 64), 0u);
}

}  // namespace
}  // namespace opmux
