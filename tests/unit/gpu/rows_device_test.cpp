// SPDX-License-Identifier: Apache-2.0
// Rows so long that several groups share each.
#include <cmath>

#include "opmux/ops/normalise.gen.h"
#include "opmux/ops/reduce.gen.h"
#include "tests/unit/gpu/blocks_run.hpp"

namespace opmux::test {
namespace {

using Floats = std::vector<float>;

class GpuRows : public OnGpuBlocks {
 protected:
  static constexpr size_t kLen = 30011;
  static constexpr int64_t kDim = kLen;
  Floats random_floats(size_t n) {
    std::uniform_real_distribution<float> any(-3, 3);
    Floats v(n);
    for (float& x : v) x = any(rng);
    return v;
  }
};

TEST_P(GpuRows, TheArgmaxOfALongRowIsTheFirstOfEquals) {
  Floats x = random_floats(2 * kLen);
  x[9000] = x[20000] = x[29000] = 4;
  x[kLen + 12345] = NAN;
  std::vector<int64_t> y(2), last(2);
  kit::Desc<opmux_op_reduce> d(OPMUX_OP_REDUCE);
  d->kind = OPMUX_REDUCE_ARGMAX;
  d->axes = d.list({1});
  d.in(kit::tensor(OPMUX_F32, {2, kDim})).out(kit::tensor(OPMUX_I64, {2, 1}));
  run(d.opd(), {in(x), out(y)});
  d->select_last = 1;
  run(d.opd(), {in(x), out(last)});
  EXPECT_EQ(y, (std::vector<int64_t>{9000, 12345}));
  EXPECT_EQ(last, (std::vector<int64_t>{29000, 12345}));
}

TEST_P(GpuRows, AVarianceOfALongRowIsThatOfTwoPasses) {
  Floats x = random_floats(kLen), y(1);
  for (float& v : x) v += 50;
  kit::Desc<opmux_op_reduce> d(OPMUX_OP_REDUCE);
  d->kind = OPMUX_REDUCE_VARIANCE;
  d->axes = d.list({0});
  d.in(kit::tensor(OPMUX_F32, {kDim})).out(kit::tensor(OPMUX_F32, {1}));
  run(d.opd(), {in(x), out(y)});
  double mean = 0, variance = 0;
  for (float v : x) mean += v / double{kLen};
  for (float v : x) variance += (v - mean) * (v - mean) / double{kLen};
  EXPECT_NEAR(y[0], variance, 1e-5);
}

TEST_P(GpuRows, ASoftmaxOfLongRowsAddsUpToOne) {
  Floats x = random_floats(3 * kLen), y(x.size());
  x[kLen + 20000] = -INFINITY;
  for (size_t i = 0; i < 9000; ++i) x[2 * kLen + i] = -INFINITY;  // a part has nothing else
  kit::Desc<opmux_op_softmax> d(OPMUX_OP_SOFTMAX);
  d->kind = OPMUX_SOFTMAX_PLAIN;
  d->axis = 1;
  d.in(kit::tensor(OPMUX_F32, {3, kDim})).out(kit::tensor(OPMUX_F32, {3, kDim}));
  run(d.opd(), {in(x), out(y)});
  for (size_t r = 0; r < 3; ++r) {
    double sum = 0, given = 0;
    for (size_t i = 0; i < kLen; ++i) sum += std::exp(static_cast<double>(x[r * kLen + i]));
    for (size_t i = 0; i < kLen; ++i) {
      const double want = std::exp(static_cast<double>(x[r * kLen + i])) / sum;
      ASSERT_NEAR(y[r * kLen + i], want, 2e-6 * want) << "row " << r << ", element " << i;
      given += y[r * kLen + i];
    }
    EXPECT_NEAR(given, 1, 1e-5);
  }
}

TEST_P(GpuRows, LayerNormOfLongRowsIsThatOfTwoPasses) {
  Floats x = random_floats(2 * kLen), scale = random_floats(kLen), bias = random_floats(kLen), y(x.size()),
         mean(2), inverse(2);
  kit::Desc<opmux_op_layer_norm> d(OPMUX_OP_LAYER_NORM);
  d->kind = OPMUX_NORM_LAYER;
  d->axis = 1;
  d->epsilon = 1e-5f;
  d.in(kit::tensor(OPMUX_F32, {2, kDim})).in(kit::tensor(OPMUX_F32, {kDim}));
  d.in(kit::tensor(OPMUX_F32, {kDim})).out(kit::tensor(OPMUX_F32, {2, kDim}));
  d.out(kit::tensor(OPMUX_F32, {2, 1})).out(kit::tensor(OPMUX_F32, {2, 1}));
  run(d.opd(), {in(x), in(scale), in(bias), out(y), out(mean), out(inverse)});
  for (size_t r = 0; r < 2; ++r) {
    double m = 0, v = 0;
    for (size_t i = 0; i < kLen; ++i) m += x[r * kLen + i] / double{kLen};
    for (size_t i = 0; i < kLen; ++i) v += (x[r * kLen + i] - m) * (x[r * kLen + i] - m) / double{kLen};
    const double factor = 1 / std::sqrt(v + 1e-5);
    EXPECT_NEAR(mean[r], m, 1e-6);
    EXPECT_NEAR(inverse[r], factor, 1e-6);
    for (size_t i = 0; i < kLen; ++i)
      ASSERT_NEAR(y[r * kLen + i], (x[r * kLen + i] - m) * factor * scale[i] + bias[i], 1e-5) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Device, GpuRows, ::testing::Values(OPMUX_GPU_PLUGINS),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace opmux::test
