// SPDX-License-Identifier: Apache-2.0
// histogram and tensor_stats against the reference.
#include "against_reference.hpp"
#include "opmux/ops/reduce.gen.h"
#include "opmux/ops/watch.gen.h"
#include "run_fault.hpp"

namespace opmux::test {
namespace {

constexpr uint32_t kTypes[] = {OPMUX_F64, OPMUX_F32, OPMUX_F16, OPMUX_BF16,
                               OPMUX_I64, OPMUX_I32, OPMUX_I8,  OPMUX_U8};

void fill(Tensor& t, std::mt19937& rng) {
  std::uniform_real_distribution<double> real(-3, 9);
  t.each([&](const Index& i) {
    double v = is_float(t.t.dtype) ? real(rng) : double(rng() % 14);
    if (rng() % 6 == 0) v = std::nearbyint(v);
    if (is_float(t.t.dtype) && rng() % 20 == 0) {
      constexpr double kStrange[] = {NAN, INFINITY, -INFINITY, -0.0};
      v = kStrange[rng() % 4];
    }
    t.set(i, v);
  });
}

Index random_dims(std::mt19937& rng) {
  Index dims(rng() % 5);
  for (int64_t& e : dims) e = 1 + int64_t(rng() % 9);
  if (!dims.empty() && rng() % 10 == 0) dims[rng() % dims.size()] = 0;
  return dims;
}

void binned(uint32_t type, const Index& dims, uint32_t bins, bool odd, uint32_t seed) {
  std::mt19937 rng(seed);
  Tensor x = make(type, dims, odd, rng), low(type, {}), high(type, {}), y = make(OPMUX_I64, {bins}, odd, rng);
  fill(x, rng);
  low.set({}, double(rng() % 3));
  high.set({}, 4 + double(rng() % 4));
  kit::Desc<opmux_op_histogram> d(OPMUX_OP_HISTOGRAM);
  d->bins = bins;
  expect_reference(d, {&x, &low, &high}, {&y},
                   std::string(schema::dtype_name(type)) + " " + text(dims) + " seed " + std::to_string(seed),
                   exactly);
}

TEST(Histogram, EveryTypeThroughAnyViews) {
  uint32_t seed = 0;
  for (uint32_t type : kTypes)
    for (int round = 0; round < 12; ++round) {
      std::mt19937 rng(++seed);
      binned(type, random_dims(rng), 1 + rng() % 20, true, seed);
    }
  binned(OPMUX_F32, {3, 50001}, 64, false, ++seed);
  binned(OPMUX_U8, {200001}, 5000, false, ++seed);
}

TEST(Histogram, ReportsLimitsThatDoNotRise) {
  Host host(1);
  Tensor x(OPMUX_F32, {3}), low(OPMUX_F32, {}), high(OPMUX_F32, {}), y(OPMUX_I64, {4});
  kit::Desc<opmux_op_histogram> d(OPMUX_OP_HISTOGRAM);
  d.in(x.t).in(low.t).in(high.t).out(y.t);
  d->bins = 4;
  for (const auto& [a, b] : {std::pair{2.0, 2.0}, {3.0, 2.0}, {0.0, double(INFINITY)}, {double(NAN), 1.0}}) {
    low.set({}, a);
    high.set({}, b);
    const Fault f = run_fault(host, d, {x.data(), low.data(), high.data(), y.data()});
    EXPECT_EQ(f.status, OPMUX_E_FAULT);
    EXPECT_EQ(f.text.substr(0, 15), "histogram: low ");
  }
}

void described(uint32_t type, const Index& dims, bool odd, uint32_t seed) {
  std::mt19937 rng(seed);
  Tensor x = make(type, dims, odd, rng), counts = make(OPMUX_I64, {3}, odd, rng),
         y = make(OPMUX_F64, {5}, odd, rng);
  fill(x, rng);
  kit::Desc<opmux_op_tensor_stats> d(OPMUX_OP_TENSOR_STATS);
  expect_reference(d, {&x}, {&counts, &y},
                   std::string(schema::dtype_name(type)) + " " + text(dims) + " seed " + std::to_string(seed),
                   sum_bound(4, double(x.count())));
}

TEST(TensorStats, EveryTypeThroughAnyViews) {
  uint32_t seed = 1000;
  for (uint32_t type : kTypes)
    for (int round = 0; round < 12; ++round) {
      std::mt19937 rng(++seed);
      described(type, random_dims(rng), true, seed);
    }
  described(OPMUX_F32, {5, 40001}, false, ++seed);
  described(OPMUX_I64, {200001}, false, ++seed);
}

TEST(TensorStats, OfNothingFiniteHasNoMean) {
  Tensor x(OPMUX_F32, {3}), counts(OPMUX_I64, {3}), y(OPMUX_F64, {5});
  x.set({0}, NAN);
  x.set({1}, INFINITY);
  x.set({2}, -INFINITY);
  kit::Desc<opmux_op_tensor_stats> d(OPMUX_OP_TENSOR_STATS);
  d.in(x.t).out(counts.t).out(y.t);
  Host host(1);
  ASSERT_TRUE(run_op(host, d, {x.data(), counts.data(), y.data()}));
  EXPECT_EQ(counts.dense(), (std::vector<double>{1, 2, 0}));
  EXPECT_EQ(y.get({0}), 0);
  EXPECT_EQ(y.get({1}), INFINITY);
  EXPECT_EQ(y.get({2}), -INFINITY);
  EXPECT_TRUE(std::isnan(y.get({3})) && std::isnan(y.get({4})));
}

}  // namespace
}  // namespace opmux::test
