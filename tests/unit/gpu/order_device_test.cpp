// SPDX-License-Identifier: Apache-2.0
// Scans, sorts and what is made of them over more elements than the conformance suite has time for, so that
// every step of their plans has several groups.
#include <algorithm>
#include <numeric>

#include "opmux/ops/index.gen.h"
#include "opmux/ops/reduce.gen.h"
#include "opmux/ops/sort.gen.h"
#include "tests/unit/gpu/blocks_run.hpp"

namespace opmux::test {
namespace {

using Ints = std::vector<int32_t>;
using Longs = std::vector<int64_t>;

class GpuOrder : public OnGpuBlocks {
 protected:
  Ints random_ints(size_t n, int32_t low, int32_t high) {
    std::uniform_int_distribution<int32_t> any(low, high);
    Ints v(n);
    for (int32_t& x : v) x = any(rng);
    return v;
  }
  static int64_t length(const Ints& v) { return static_cast<int64_t>(v.size()); }

  void check_top(int64_t rows, int64_t n, uint32_t k, bool sorted) {
    SCOPED_TRACE(testing::Message() << rows << " x " << n << ", " << k);
    Ints x = random_ints(static_cast<size_t>(rows * n), -500, 500), y(static_cast<size_t>(rows * k));
    Longs index(y.size());
    kit::Desc<opmux_op_top_k> d(OPMUX_OP_TOP_K);
    d->axis = 1;
    d->k = k;
    d->largest = 1;
    d->sorted = sorted;
    d.in(kit::tensor(OPMUX_I32, {rows, n}));
    d.out(kit::tensor(OPMUX_I32, {rows, k})).out(kit::tensor(OPMUX_I64, {rows, k}));
    run(d.opd(), {in(x), out(y), out(index)});
    for (int64_t r = 0; r < rows; ++r) {
      const int32_t* row = x.data() + r * n;
      Longs want(static_cast<size_t>(n));
      std::iota(want.begin(), want.end(), 0);
      std::ranges::sort(want, {}, [&](int64_t i) { return std::pair(-int64_t{row[i]}, i); });
      want.resize(k);
      if (!sorted) std::sort(want.begin(), want.end());
      for (size_t j = 0; j < k; ++j) {
        ASSERT_EQ(index[static_cast<size_t>(r) * k + j], want[j]) << "row " << r << ", place " << j;
        ASSERT_EQ(y[static_cast<size_t>(r) * k + j], row[want[j]]);
      }
    }
  }
};

TEST_P(GpuOrder, AScanOfManyPartsIsTheRunningSum) {
  Ints x = random_ints(300001, -1000, 1000), y(x.size());
  kit::Desc<opmux_op_scan> d(OPMUX_OP_SCAN);
  d->kind = OPMUX_SCAN_SUM;
  d.in(kit::tensor(OPMUX_I32, {length(x)})).out(kit::tensor(OPMUX_I32, {length(x)}));
  run(d.opd(), {in(x), out(y)});
  int32_t sum = 0;
  for (size_t i = 0; i < x.size(); ++i) ASSERT_EQ(y[i], sum += x[i]) << i;
  d->kind = OPMUX_SCAN_MAX;
  d->reverse = d->exclusive = 1;
  run(d.opd(), {in(x), out(y)});
  int32_t top = INT32_MIN;
  for (size_t i = x.size(); i-- > 0; top = std::max(top, x[i])) ASSERT_EQ(y[i], top) << i;
}

TEST_P(GpuOrder, LongRowsAreSortedStably) {
  for (const auto& [rows, n] : {std::pair<int64_t, int64_t>{1, 30011}, {3, 4097}, {2, 8192}})
    check_top(rows, n, static_cast<uint32_t>(n), true);
}

TEST_P(GpuOrder, TheGreatestOfLongRowsAreTheFirstOfASort) {
  check_top(1, 100003, 1, true);
  check_top(2, 50021, 40, true);
  check_top(3, 7000, 300, true);
  check_top(2, 20011, 3001, true);
  check_top(2, 20011, 40, false);
  check_top(1, 20011, 3001, false);
}

TEST_P(GpuOrder, UniqueOfManyFindsEachOnce) {
  for (uint32_t sorted : {0u, 1u}) {
    Ints x = random_ints(20021, -900, 900), y(x.size());
    Longs first(x.size()), inverse(x.size()), counts(x.size()), count(1);
    kit::Desc<opmux_op_unique> d(OPMUX_OP_UNIQUE);
    d->sorted = sorted;
    d.in(kit::tensor(OPMUX_I32, {length(x)})).out(kit::tensor(OPMUX_I32, {length(x)}));
    for (int i = 0; i < 3; ++i) d.out(kit::tensor(OPMUX_I64, {length(x)}));
    d.out(kit::tensor(OPMUX_I64, {}));
    run(d.opd(), {in(x), out(y), out(first), out(inverse), out(counts), out(count)});
    std::map<int32_t, std::pair<int64_t, int64_t>> want;  // first position, count
    for (size_t i = 0; i < x.size(); ++i)
      ++want.try_emplace(x[i], static_cast<int64_t>(i), 0).first->second.second;
    ASSERT_EQ(count[0], static_cast<int64_t>(want.size()));
    for (size_t g = 0; g < want.size(); ++g) {
      const auto& [position, times] = want.at(y[g]);
      ASSERT_EQ(first[g], position);
      ASSERT_EQ(counts[g], times);
      const bool rises = g == 0 || (sorted ? y[g - 1] < y[g] : first[g - 1] < first[g]);
      ASSERT_TRUE(rises) << g;
    }
    for (size_t i = 0; i < x.size(); ++i) ASSERT_EQ(y[static_cast<size_t>(inverse[i])], x[i]) << i;
    for (size_t g = want.size(); g < x.size(); ++g) ASSERT_EQ(y[g] | first[g] | counts[g], 0) << g;
  }
}

TEST_P(GpuOrder, NonZeroOfManyGivesAllCoordinates) {
  Ints x = random_ints(60060, -1, 1);
  Longs y(2 * x.size(), -1), count(1);
  kit::Desc<opmux_op_non_zero> d(OPMUX_OP_NON_ZERO);
  d.in(kit::tensor(OPMUX_I32, {60, 1001})).out(kit::tensor(OPMUX_I64, {2, length(x)}));
  d.out(kit::tensor(OPMUX_I64, {}));
  run(d.opd(), {in(x), out(y), out(count)});
  size_t found = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (x[i] == 0) continue;
    ASSERT_EQ(y[found], static_cast<int64_t>(i / 1001)) << i;
    ASSERT_EQ(y[x.size() + found], static_cast<int64_t>(i % 1001)) << i;
    ++found;
  }
  EXPECT_EQ(count[0], static_cast<int64_t>(found));
  for (size_t k = found; k < x.size(); ++k) ASSERT_EQ(y[k] | y[x.size() + k], 0) << k;
}

TEST_P(GpuOrder, HistogramsOfFewAndManyBinsCountEveryElement) {
  for (uint32_t bins : {10u, 5000u}) {
    Ints x = random_ints(100003, 0, 10000), low{0}, high{10000};
    Longs y(bins), want(bins);
    kit::Desc<opmux_op_histogram> d(OPMUX_OP_HISTOGRAM);
    d->bins = bins;
    d.in(kit::tensor(OPMUX_I32, {length(x)})).in(kit::tensor(OPMUX_I32, {})).in(kit::tensor(OPMUX_I32, {}));
    d.out(kit::tensor(OPMUX_I64, {bins}));
    run(d.opd(), {in(x), in(low), in(high), out(y)});
    for (int32_t v : x) ++want[std::min<size_t>(static_cast<size_t>(v) * bins / 10000, bins - 1)];
    EXPECT_EQ(y, want) << bins;
  }
}

TEST_P(GpuOrder, SegmentsOfManyRowsInAnyOrderAreSummed) {
  Ints ids = random_ints(20011, 0, 6), x = random_ints(3 * ids.size(), -1000, 1000), y(21), want(21);
  kit::Desc<opmux_op_segment> d(OPMUX_OP_SEGMENT);
  d->kind = OPMUX_SEGMENT_SUM;
  d->segments = 7;
  d.in(kit::tensor(OPMUX_I32, {length(ids), 3})).in(kit::tensor(OPMUX_I32, {length(ids)}));
  d.out(kit::tensor(OPMUX_I32, {7, 3}));
  run(d.opd(), {in(x), in(ids), out(y)});
  for (size_t i = 0; i < x.size(); ++i) want[static_cast<size_t>(ids[i / 3]) * 3 + i % 3] += x[i];
  EXPECT_EQ(y, want);
}

INSTANTIATE_TEST_SUITE_P(Device, GpuOrder, ::testing::Values(OPMUX_GPU_PLUGINS),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace opmux::test
