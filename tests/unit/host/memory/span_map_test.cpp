// SPDX-License-Identifier: Apache-2.0
#include "host/memory/span_map.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace opmux {
namespace {

constexpr uint64_t kG = SpanMap::kGranule;

TEST(SpanMap, GivesAllOfItselfToOneRequest) {
  SpanMap map(100 * kG);
  const uint32_t all = map.allocate(100 * kG, 1);
  ASSERT_NE(all, SpanMap::kNone);
  EXPECT_EQ(map.offset(all), 0u);
  EXPECT_EQ(map.largest_free_bytes(), 0u);
  EXPECT_EQ(map.allocate(1, 1), SpanMap::kNone);
  map.release(all);
  EXPECT_EQ(map.largest_free_bytes(), 100 * kG);
  EXPECT_TRUE(map.consistent());
}

TEST(SpanMap, JoinsNeighboursInEveryOrder) {
  const std::vector<std::vector<int>> orders = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                                {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  for (const auto& order : orders) {
    SpanMap map(30 * kG);
    std::vector<uint32_t> spans;
    for (int i = 0; i < 3; ++i) spans.push_back(map.allocate(10 * kG, 1));
    for (const int i : order) {
      map.release(spans[static_cast<size_t>(i)]);
      EXPECT_TRUE(map.consistent());
    }
    EXPECT_EQ(map.largest_free_bytes(), 30 * kG);
  }
}

TEST(SpanMap, AlignsAndKeepsTheGapUsable) {
  SpanMap map(64 * kG);
  const uint32_t first = map.allocate(kG, 1);
  const uint32_t aligned = map.allocate(kG, 16 * kG);
  ASSERT_NE(aligned, SpanMap::kNone);
  EXPECT_EQ(map.offset(aligned) % (16 * kG), 0u);
  const uint32_t gap = map.allocate(15 * kG, 1);
  ASSERT_NE(gap, SpanMap::kNone);
  EXPECT_LT(map.offset(gap), map.offset(aligned));
  EXPECT_TRUE(map.consistent());
  for (const uint32_t span : {first, aligned, gap}) map.release(span);
  EXPECT_TRUE(map.empty());
}

TEST(SpanMap, RefusesMoreThanItHas) {
  SpanMap map(8 * kG);
  EXPECT_EQ(map.allocate(8 * kG + 1, 1), SpanMap::kNone);
  EXPECT_EQ(map.allocate(~uint64_t{0}, 1), SpanMap::kNone);
  EXPECT_EQ(map.allocate(1, uint64_t{1} << 40), SpanMap::kNone);
}

// The model is a sorted list of what is in use: nothing may overlap, leave the range or miss its alignment,
// and a request may fail only when no gap of the model holds it.
class Model {
 public:
  explicit Model(uint64_t size) : size_(size), map_(size) {}

  void allocate(uint64_t bytes, uint64_t align) {
    const uint32_t span = map_.allocate(bytes, align);
    const uint64_t size = (bytes + kG - 1) / kG * kG;
    if (span == SpanMap::kNone) {
      // With a large alignment the classes may pass over a gap that would fit, so only the usual one is
      // exact.
      EXPECT_TRUE(align > kG || largest_gap() < size) << "gap of " << largest_gap() << " refused " << size;
      return;
    }
    const uint64_t begin = map_.offset(span);
    EXPECT_EQ(begin % align, 0u);
    EXPECT_GE(map_.size(span), bytes);
    EXPECT_LE(begin + map_.size(span), size_);
    const auto after = used_.lower_bound(begin);
    if (after != used_.end()) {
      EXPECT_LE(begin + map_.size(span), after->first);
    }
    if (after != used_.begin()) {
      EXPECT_LE(std::prev(after)->first + std::prev(after)->second.size, begin);
    }
    used_[begin] = {map_.size(span), span};
  }

  void release(size_t which) {
    if (used_.empty()) return;
    auto at = std::next(used_.begin(), static_cast<std::ptrdiff_t>(which % used_.size()));
    map_.release(at->second.span);
    used_.erase(at);
  }

  void check() const {
    uint64_t in_use = 0;
    for (const auto& [begin, entry] : used_) in_use += entry.size;
    EXPECT_EQ(map_.in_use_bytes(), in_use);
    EXPECT_EQ(map_.largest_free_bytes(), largest_gap());
    ASSERT_TRUE(map_.consistent());
  }

 private:
  struct Entry {
    uint64_t size;
    uint32_t span;
  };
  uint64_t largest_gap() const {
    uint64_t at = 0, largest = 0;
    for (const auto& [begin, entry] : used_) {
      largest = std::max(largest, begin - at);
      at = begin + entry.size;
    }
    return std::max(largest, size_ - at);
  }

  uint64_t size_;
  SpanMap map_;
  std::map<uint64_t, Entry> used_;
};

TEST(SpanMap, AgreesWithAModelOverRandomRequests) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    Model model((256 + random() % 4096) * kG);
    for (int step = 0; step < 2000; ++step) {
      if (random() % 5 < 3) {
        const uint64_t bytes = 1 + random() % (random() % 10 == 0 ? 200 * kG : 8 * kG);
        model.allocate(bytes, kG << (random() % 4 == 0 ? random() % 5 : 0));
      } else {
        model.release(random());
      }
      if (step % 50 == 0) model.check();
    }
    model.check();
  }
}

}  // namespace
}  // namespace opmux
