// SPDX-License-Identifier: Apache-2.0
#include "opmux/ops/pool.gen.h"

#include <limits>

#include "run_op.hpp"
#include "same_bits.hpp"

namespace opmux::test {
namespace {

struct Case {
  Index x, kernel, stride, dilation, pad;
  bool ceil = false;
};

// ONNX: a window of the ceil form that starts in the end padding is dropped.
Index output(const Case& k) {
  Index y{k.x[0], k.x[1]};
  const size_t n = k.kernel.size();
  for (size_t i = 0; i < n; ++i) {
    const int64_t span = k.x[i + 2] + k.pad[i] + k.pad[n + i] - k.dilation[i] * (k.kernel[i] - 1) - 1;
    int64_t out = (span + (k.ceil ? k.stride[i] - 1 : 0)) / k.stride[i] + 1;
    if (k.ceil && (out - 1) * k.stride[i] >= k.x[i + 2] + k.pad[i]) --out;
    y.push_back(out);
  }
  return y;
}

kit::Desc<opmux_op_pool> pool(const Case& k, uint32_t kind, const Tensor& x, const Tensor& y) {
  kit::Desc<opmux_op_pool> d(OPMUX_OP_POOL);
  d.in(x.t).out(y.t);
  d->kind = kind;
  d->ceil_mode = k.ceil;
  d->kernel = slice(d, k.kernel);
  d->stride = slice(d, k.stride);
  d->dilation = slice(d, k.dilation);
  d->pad = slice(d, k.pad);
  return d;
}

// Calls f(position in x, is it inside x, is it inside x with its padding) for the taps of the window at y
// index i.
template <class F>
void each_tap(const Case& k, const Index& i, const F& f) {
  const size_t n = k.kernel.size();
  Tensor::each_in(k.kernel, [&](const Index& tap) {
    Index at{i[0], i[1]};
    bool inside = true, padded = true;
    for (size_t a = 0; a < n; ++a) {
      const int64_t p = i[a + 2] * k.stride[a] + tap[a] * k.dilation[a] - k.pad[a];
      inside = inside && p >= 0 && p < k.x[a + 2];
      padded = padded && p >= -k.pad[a] && p < k.x[a + 2] + k.pad[n + a];
      at.push_back(p);
    }
    f(at, inside, padded);
  });
}

const Case kCases[] = {
    {{1, 3, 17}, {3}, {2}, {1}, {1, 1}},
    {{2, 3, 9, 11}, {3, 3}, {2, 2}, {1, 1}, {0, 0, 1, 1}},
    {{2, 3, 9, 11}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {{1, 2, 7, 7}, {7, 7}, {1, 1}, {1, 1}, {0, 0, 1, 1}, true},
    {{1, 2, 8, 8}, {2, 2}, {2, 2}, {1, 1}, {0, 0, 0, 0}},
    {{3, 5, 13, 67}, {3, 2}, {2, 3}, {2, 1}, {1, 0, 2, 1}, true},
    {{1, 4, 5, 6, 7}, {2, 3, 2}, {1, 2, 2}, {1, 1, 3}, {1, 1, 0, 0, 1, 1}},
    {{2, 70, 1, 1}, {1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {{0, 3, 5, 5}, {2, 2}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {{1, 3, 40, 40}, {40, 40}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {{1, 1, 6, 90}, {2, 5}, {1, 1}, {1, 2}, {0, 4, 0, 4}},
};

class PoolCases : public testing::TestWithParam<uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Types, PoolCases,
                         testing::Values(OPMUX_F32, OPMUX_F64, OPMUX_F16, OPMUX_BF16, OPMUX_I8, OPMUX_U8),
                         [](const auto& i) { return "type" + std::to_string(i.param & 255); });

TEST_P(PoolCases, MaxTakesTheLargestOfEachWindow) {
  std::mt19937 rng(1);
  Host host(2);
  for (const Case& k : kCases) {
    for (bool odd : {false, true}) {
      SCOPED_TRACE("x " + text(k.x) + (odd ? " odd" : ""));
      Tensor x = make(GetParam(), k.x, odd, rng);
      Tensor y = make(GetParam(), output(k), odd, rng);
      x.random(rng);
      auto d = pool(k, OPMUX_POOL_MAX, x, y);
      ASSERT_TRUE(run_op(host, d, {x.data(), y.data()}));
      y.each([&](const Index& i) {
        double want = -std::numeric_limits<double>::infinity();
        each_tap(k, i, [&](const Index& at, bool inside, bool) {
          want = inside ? std::max(want, x.get(at)) : want;
        });
        EXPECT_EQ(y.get(i), want) << text(i);
      });
      EXPECT_TRUE(y.gaps_untouched());
    }
  }
}

TEST_P(PoolCases, MaxNamesTheFirstWinner) {
  std::mt19937 rng(2);
  Host host(2);
  for (const Case& k : kCases) {
    for (uint32_t column_major : {0u, 1u}) {
      SCOPED_TRACE("x " + text(k.x));
      Tensor x(GetParam(), k.x, rng), y(GetParam(), output(k)), index(OPMUX_I64, output(k), rng);
      x.each([&](const Index& i) { x.set(i, static_cast<double>(rng() % 5)); });  // many ties
      auto d = pool(k, OPMUX_POOL_MAX, x, y);
      d.out(index.t);
      d->column_major = column_major;
      ASSERT_TRUE(run_op(host, d, {x.data(), y.data(), index.data()}));
      y.each([&](const Index& i) {
        double best = -1;
        int64_t want = -1;
        each_tap(k, i, [&](const Index& at, bool inside, bool) {
          if (!inside || x.get(at) <= best) return;
          best = x.get(at);
          int64_t plane = at[0] * k.x[1] + at[1], flat = 0;
          const auto n = static_cast<int64_t>(k.kernel.size());
          for (int64_t a = 0; a < n; ++a) {
            const int64_t axis = column_major ? n - 1 - a : a;
            flat = flat * k.x[axis + 2] + at[axis + 2];
            plane *= k.x[axis + 2];
          }
          want = plane + flat;
        });
        EXPECT_EQ(y.get(i), best) << text(i);
        EXPECT_EQ(static_cast<int64_t>(index.get(i)), want) << text(i);
      });
    }
  }
}

class PoolFloats : public PoolCases {};
INSTANTIATE_TEST_SUITE_P(Types, PoolFloats, testing::Values(OPMUX_F32, OPMUX_F64, OPMUX_F16, OPMUX_BF16),
                         [](const auto& i) { return "type" + std::to_string(i.param & 255); });

TEST_P(PoolFloats, AverageDividesByWhatItCounts) {
  std::mt19937 rng(3);
  Host host(2);
  for (const Case& k : kCases) {
    for (uint32_t include : {0u, 1u}) {
      SCOPED_TRACE("x " + text(k.x));
      Tensor x(GetParam(), k.x, rng), y(GetParam(), output(k), rng);
      x.random(rng);
      auto d = pool(k, OPMUX_POOL_AVERAGE, x, y);
      d->count_include_pad = include;
      ASSERT_TRUE(run_op(host, d, {x.data(), y.data()}));
      y.each([&](const Index& i) {
        long double sum = 0, magnitude = 0;
        int64_t n = 0, all = 0;
        each_tap(k, i, [&](const Index& at, bool inside, bool padded) {
          ++all;
          n += include ? padded : inside;
          if (!inside) return;
          sum += x.get(at);
          magnitude += std::fabs(x.get(at));
        });
        const long double want = n ? sum / static_cast<long double>(n) : 0;
        const long double u = unit_roundoff(GetParam() == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32);
        const long double bound = (static_cast<double>(all) + 2) * u * magnitude / std::max<int64_t>(n, 1) +
                                  unit_roundoff(GetParam()) * std::fabs(want) + 1e-30L;
        EXPECT_NEAR(y.get(i), static_cast<double>(want), static_cast<double>(bound)) << text(i);
      });
    }
  }
}

TEST_P(PoolFloats, LpIsTheRootOfTheSumOfPowers) {
  std::mt19937 rng(4);
  Host host(2);
  for (const Case& k : kCases) {
    for (uint32_t p : {1u, 2u, 3u}) {
      SCOPED_TRACE("x " + text(k.x) + " p " + std::to_string(p));
      Tensor x(GetParam(), k.x, rng), y(GetParam(), output(k));
      x.random(rng);
      auto d = pool(k, OPMUX_POOL_LP, x, y);
      d->p = p;
      ASSERT_TRUE(run_op(host, d, {x.data(), y.data()}));
      y.each([&](const Index& i) {
        long double sum = 0, all = 0;
        each_tap(k, i, [&](const Index& at, bool inside, bool) {
          ++all;
          if (inside) sum += std::pow(std::fabs(static_cast<long double>(x.get(at))), p);
        });
        const long double want = std::pow(sum, 1.0L / p);
        const long double u = unit_roundoff(GetParam() == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32);
        const long double bound = ((all + 8) * u + unit_roundoff(GetParam())) * want + 1e-30L;
        EXPECT_NEAR(y.get(i), static_cast<double>(want), static_cast<double>(bound)) << text(i);
      });
    }
  }
}

TEST(Pool, MaxKeepsNaN) {
  Host host(1);
  Tensor x(OPMUX_F32, {1, 1, 4, 40}), y(OPMUX_F32, {1, 1, 3, 39}), index(OPMUX_I64, {1, 1, 3, 39});
  x.each([&](const Index& i) { x.set(i, i[2] == 1 && i[3] == 20 ? NAN : 1); });
  const Case k{{1, 1, 4, 40}, {2, 2}, {1, 1}, {1, 1}, {0, 0, 0, 0}};
  for (bool with_index : {false, true}) {
    auto d = pool(k, OPMUX_POOL_MAX, x, y);
    if (with_index) d.out(index.t);
    ASSERT_TRUE(run_op(host, d, {x.data(), y.data(), index.data()}));
    y.each([&](const Index& i) {
      const bool hit = i[2] <= 1 && i[3] >= 19 && i[3] <= 20;
      EXPECT_EQ(std::isnan(y.get(i)), hit) << text(i);
      if (with_index && hit) {
        EXPECT_EQ(index.get(i), 60) << text(i);
      }
    });
  }
}

TEST(Pool, GivesTheSameBitsForAnyNumberOfThreads) {
  std::mt19937 rng(5);
  const Case k{{2, 300, 20, 20}, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}};
  Tensor x(OPMUX_F16, k.x);
  x.random(rng);
  Tensor y(OPMUX_F16, output(k));
  expect_same_bits({&y}, "pool", [&](Host& host) {
    auto d = pool(k, OPMUX_POOL_AVERAGE, x, y);
    ASSERT_TRUE(run_op(host, d, {x.data(), y.data()}));
  });
}

TEST(Pool, SaysWhyItRefuses) {
  Tensor x(OPMUX_I64, {1, 1, 4}), y(OPMUX_I64, {1, 1, 4});
  auto d = pool({{1, 1, 4}, {1}, {1}, {1}, {0, 0}}, OPMUX_POOL_MAX, x, y);
  const Answer no = ask(d.opd());
  EXPECT_EQ(no.cap.verdict, OPMUX_NO);
  EXPECT_EQ(no.cap.why, OPMUX_WHY_DTYPE);
  EXPECT_EQ(no.cap.why_have, static_cast<int64_t>(OPMUX_I64));
}

}  // namespace
}  // namespace opmux::test
