// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "kit/insn.hpp"
#include "tests/unit/gpu/gpu_device.hpp"

namespace opmux::test {
namespace {

using Dims = std::vector<int64_t>;

class GpuMatmul : public OnGpu {
 protected:
  static kit::Desc<opmux_op_matmul> desc(const std::vector<Tensor*>& operands) {
    kit::Desc<opmux_op_matmul> d(OPMUX_OP_MATMUL);
    d->acc_dtype = OPMUX_F32;
    for (size_t i = 0; i + 1 < operands.size(); ++i) d.in(operands[i]->t);
    d.out(operands.back()->t);
    return d;
  }

  // One element by a double loop; `sum_abs` gets the sum of |a b|, which bounds the rounding.
  static double dot(Tensor& a, Tensor& b, const Dims& at, double& sum_abs) {
    const int64_t k = a.t.dim[a.t.rank - 1];
    Dims ia = at, ib = at;
    double sum = 0;
    sum_abs = 0;
    for (int64_t i = 0; i < k; ++i) {
      ia[ia.size() - 1] = i;
      ib[ib.size() - 2] = i;
      const double p = static_cast<double>(a.at(ia)) * b.at(ib);
      sum += p;
      sum_abs += std::fabs(p);
    }
    return sum;
  }

  void check(const Dims& a_dims, const Dims& b_dims, const Dims& c_dims) {
    Tensor a(a_dims, rng), b(b_dims, rng), c(c_dims, rng);
    a.random(rng);
    b.random(rng);
    gpu->run(desc({&a, &b, &c}).opd(), {&a, &b, &c});
    const double k = static_cast<double>(a_dims.back());
    c.each([&](const Dims& at) {
      double sum_abs = 0;
      const double want = dot(a, b, at, sum_abs);
      ASSERT_NEAR(c.at(at), want, (k + 2) * 6e-8 * sum_abs) << testing::PrintToString(at);
    });
    EXPECT_EQ(c.gaps_written(), 0u);
  }
};

TEST_P(GpuMatmul, EveryTailAndStrideAgreesWithADoubleLoop) {
  const int64_t shapes[][3] = {{1, 1, 1},    {1, 300, 7},  {33, 7, 65}, {32, 8, 32},
                               {31, 40, 33}, {64, 64, 64}, {5, 9, 1}};
  for (const auto& [m, k, n] : shapes) {
    SCOPED_TRACE(testing::Message() << m << "x" << k << "x" << n);
    for (int repeat = 0; repeat < 3; ++repeat) check({m, k}, {k, n}, {m, n});
  }
}

TEST_P(GpuMatmul, BatchesBroadcastOnEitherSide) {
  check({2, 3, 5, 4}, {2, 3, 4, 6}, {2, 3, 5, 6});
  check({3, 5, 4}, {2, 1, 4, 6}, {2, 3, 5, 6});
  check({4, 1, 5, 4}, {4, 6}, {4, 1, 5, 6});
  check({2, 1, 2, 1, 2, 1, 9, 4}, {1, 2, 1, 2, 1, 2, 4, 3}, {2, 2, 2, 2, 2, 2, 9, 3});
}

TEST_P(GpuMatmul, ASumOverNothingIsZeroAndAnEmptyOutputIsNothing) {
  check({3, 0}, {0, 4}, {3, 4});
  check({0, 3}, {3, 4}, {0, 4});
  check({2, 0, 3}, {3, 4}, {2, 0, 4});
}

TEST_P(GpuMatmul, AnEpilogueReadsOperandsOfEveryShape) {
  Tensor a({2, 35, 9}, rng), b({2, 9, 34}, rng), bias({34}, rng), scale({35, 1}, rng), gate({2, 1, 1}, rng),
      residual({2, 35, 34}, rng), c({2, 35, 34}, rng);
  for (Tensor* t : {&a, &b, &bias, &scale, &gate, &residual}) t->random(rng);
  kit::Program p(OPMUX_SLOT_EPILOGUE(0), 5);
  const uint32_t sum = p.apply(OPMUX_FN_ADD, OPMUX_F32, 0, 1);
  const uint32_t half = p.constant(OPMUX_F32, 0x3f000000u);
  const uint32_t scaled = p.apply(OPMUX_FN_FMA, OPMUX_F32, sum, 2, half);
  const uint32_t positive = p.apply(OPMUX_FN_GT, OPMUX_BOOL, scaled, 3);
  const uint32_t active = p.apply(OPMUX_FN_GELU, OPMUX_F32, scaled);
  const uint32_t chosen = p.apply(OPMUX_FN_SELECT, OPMUX_F32, positive, active, 4);
  p.out(p.apply(OPMUX_FN_SUB, OPMUX_F32, chosen, 0));
  const opmux_prog prog = p.view();
  auto d = desc({&a, &b, &bias, &scale, &gate, &residual, &c});
  d.program(p);
  gpu->run(d.opd(), {&a, &b, &bias, &scale, &gate, &residual, &c});
  int near_edge = 0;
  c.each([&](const Dims& at) {
    double sum_abs = 0;
    kit::Scalar value[16];
    uint32_t dtype[16] = {OPMUX_F32, OPMUX_F32, OPMUX_F32, OPMUX_F32, OPMUX_F32};
    value[0].f = dot(a, b, at, sum_abs);
    value[1].f = bias.at(at);
    value[2].f = scale.at(at);
    value[3].f = gate.at(at);
    value[4].f = residual.at(at);
    kit::value_types(prog, dtype);
    kit::run_program(prog, dtype, value);
    // Where the comparison is close, either side is right.
    if (std::fabs(value[scaled].f - value[3].f) < 1e-5) {
      ++near_edge;
      return;
    }
    ASSERT_NEAR(c.at(at), value[prog.out[0]].f, 1e-5) << testing::PrintToString(at);
  });
  EXPECT_LT(near_edge, 10);
  EXPECT_EQ(c.gaps_written(), 0u);
}

TEST_P(GpuMatmul, RefusalsCarryTheReasonAndPrepareRepeatsIt) {
  const auto refused = [&](opmux_opd* d, uint32_t why, uint32_t arg, int64_t have) {
    const opmux_cap cap = gpu->query(d);
    EXPECT_EQ(cap.verdict, OPMUX_NO);
    EXPECT_EQ(cap.why, why);
    EXPECT_EQ(cap.why_arg, arg);
    EXPECT_EQ(cap.why_have, have);
    EXPECT_ANY_THROW(gpu->op.release(gpu->prepare(d)));
    return cap;
  };
  Tensor a({3, 4}), b({4, 5}), c({3, 5}), x({5});
  auto foreign = desc({&a, &b, &c});
  foreign.inputs()[1].layout = 77;
  refused(foreign.opd(), OPMUX_WHY_LAYOUT, 1, 77);

  kit::Program p(OPMUX_SLOT_EPILOGUE(0), 2);
  const uint32_t sum = p.apply(OPMUX_FN_ADD, OPMUX_F32, 0, 1);
  const uint32_t wide = p.apply(OPMUX_FN_CAST, OPMUX_F64, sum);
  p.out(p.apply(OPMUX_FN_CAST, OPMUX_F32, p.apply(OPMUX_FN_LGAMMA, OPMUX_F64, wide)));
  auto lgamma = desc({&a, &b, &x, &c});
  lgamma.program(p);
  refused(lgamma.opd(), OPMUX_WHY_PROGRAM, 0, 2);

  const int64_t side = int64_t{1} << 24;  // a matrix of 16 Mi columns: no binding holds it
  kit::Desc<opmux_op_matmul> large(OPMUX_OP_MATMUL);
  large->acc_dtype = OPMUX_F32;
  large.in(kit::tensor(OPMUX_F32, {100, side})).in(kit::tensor(OPMUX_F32, {side, 1}));
  large.out(kit::tensor(OPMUX_F32, {100, 1}));
  const opmux_cap cap = refused(large.opd(), OPMUX_WHY_MEMORY, 0, 100 * side * 4);
  EXPECT_LE(static_cast<uint64_t>(cap.why_limit), gpu->info.max_binding_bytes);

  constexpr uint32_t kNoOperator = 0x7fff0001;
  kit::Desc<opmux_op_matmul> unknown(kNoOperator);
  refused(unknown.opd(), OPMUX_WHY_OP, OPMUX_NO_ARG, kNoOperator);
}

// 136 MB of weights: some drivers bind 128 MiB at once.
TEST_P(GpuMatmul, WeightsBeyondABindingGiveWhatTheyShould) {
  constexpr int64_t kDepth = 4100, kCols = 8300;
  Tensor a({2, kDepth}), b({kCols, kDepth}), x({kCols}), y({2, kCols});
  a.random(rng);
  x.random(rng);
  for (size_t i = 0; i < b.data().size(); ++i) b.data()[i] = static_cast<float>(i % 251) / 128.0f - 1.0f;
  std::swap(b.t.dim[0], b.t.dim[1]);
  std::swap(b.t.stride[0], b.t.stride[1]);
  kit::Program p(OPMUX_SLOT_EPILOGUE(0), 2);
  p.out(p.apply(OPMUX_FN_ADD, OPMUX_F32, 0, 1));
  auto d = desc({&a, &b, &x, &y});
  d.program(p);
  gpu->run(d.opd(), {&a, &b, &x, &y});
  for (int64_t row : {0, 1}) {
    for (int64_t col : {int64_t{0}, int64_t{1}, kCols / 2 - 1, kCols / 2, kCols / 2 + 1, kCols - 1}) {
      double want = x.at({col});
      for (int64_t k = 0; k < kDepth; ++k) want += double{a.at({row, k})} * double{b.at({k, col})};
      EXPECT_NEAR(y.at({row, col}), want, 1e-3) << row << ", " << col;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Device, GpuMatmul, ::testing::Values(OPMUX_GPU_PLUGINS),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace opmux::test
