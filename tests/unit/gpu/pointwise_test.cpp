// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "kit/insn.hpp"
#include "tests/unit/gpu/gpu_device.hpp"

namespace opmux::test {
namespace {

using Dims = std::vector<int64_t>;

// A function with what its result may be off by, in units in the last place of the true value. gelu_tanh
// loses what the rounding of its cubic argument costs the exponential: the worst are results near 1e-38.
struct Function {
  uint32_t fn;
  const char* name;
  double ulp;
};

const Function kUnary[] = {
    {OPMUX_FN_NEG, "neg", 0},     {OPMUX_FN_ABS, "abs", 0},           {OPMUX_FN_SIGN, "sign", 0},
    {OPMUX_FN_FLOOR, "floor", 0}, {OPMUX_FN_CEIL, "ceil", 0},         {OPMUX_FN_ROUND, "round", 0},
    {OPMUX_FN_TRUNC, "trunc", 0}, {OPMUX_FN_RELU, "relu", 0},         {OPMUX_FN_RECIPROCAL, "reciprocal", 3},
    {OPMUX_FN_SQRT, "sqrt", 3},   {OPMUX_FN_RSQRT, "rsqrt", 4},       {OPMUX_FN_EXP, "exp", 2},
    {OPMUX_FN_LOG, "log", 2},     {OPMUX_FN_TANH, "tanh", 2},         {OPMUX_FN_SIGMOID, "sigmoid", 4},
    {OPMUX_FN_ERF, "erf", 4},     {OPMUX_FN_ERFC, "erfc", 16},        {OPMUX_FN_SILU, "silu", 4},
    {OPMUX_FN_GELU, "gelu", 8},   {OPMUX_FN_SOFTSIGN, "softsign", 3}, {OPMUX_FN_GELU_TANH, "gelu_tanh", 160},
};
const Function kBinary[] = {{OPMUX_FN_ADD, "add", 0}, {OPMUX_FN_SUB, "sub", 0}, {OPMUX_FN_MUL, "mul", 0},
                            {OPMUX_FN_DIV, "div", 3}, {OPMUX_FN_MIN, "min", 0}, {OPMUX_FN_MAX, "max", 0}};
const Function kCompare[] = {{OPMUX_FN_EQ, "eq", 0}, {OPMUX_FN_NE, "ne", 0}, {OPMUX_FN_LT, "lt", 0},
                             {OPMUX_FN_LE, "le", 0}, {OPMUX_FN_GT, "gt", 0}, {OPMUX_FN_GE, "ge", 0}};

double ulp_of(double v) {
  const float f = static_cast<float>(std::fabs(v));
  return std::max<double>(static_cast<double>(std::nextafter(f, INFINITY)) - f, 1.5e-45);
}

class GpuPointwise : public OnGpu {
 protected:
  static std::vector<float> samples() {
    const float inf = std::numeric_limits<float>::infinity();
    std::vector<float> v = {0.0f, -0.0f, 1.0f, -1.0f, 0.5f,   1.5f,  2.5f,  -2.5f,
                            inf,  -inf,  NAN,  3e38f, -3e38f, 88.0f, -87.0f};
    std::mt19937 rng(3);
    std::uniform_real_distribution<float> wide(-12, 12), small(-1, 1);
    for (int i = 0; i < 500; ++i) v.push_back(wide(rng));
    for (int i = 0; i < 300; ++i) v.push_back(small(rng));
    for (int i = 0; i < 100; ++i) v.push_back(std::ldexp(small(rng), -40));
    return v;
  }

  // y = program(x0, x1, ...) against the same program in double, element by element.
  void check(kit::Program p, std::vector<Tensor*> in, Tensor& y, double ulp) {
    const opmux_prog prog = p.view();
    kit::Desc<opmux_op_pointwise> d(OPMUX_OP_POINTWISE);
    for (Tensor* t : in) d.in(t->t);
    d.out(y.t).program(p);
    std::vector<Tensor*> all = in;
    all.push_back(&y);
    gpu->run(d.opd(), all);
    double worst = 0;
    Dims worst_at;
    y.each([&](const Dims& at) {
      kit::Scalar value[80];
      uint32_t dtype[80];
      for (size_t i = 0; i < in.size(); ++i) {
        value[i].f = in[i]->at(at);
        dtype[i] = OPMUX_F32;
      }
      kit::value_types(prog, dtype);
      kit::run_program(prog, dtype, value);
      const double want = value[prog.out[0]].f, have = y.at(at);
      if (std::isnan(want) && std::isnan(have)) return;
      if (want == have) return;
      // The least normal number: drivers may flush what is below it.
      if (std::fabs(want) < 1.2e-38 && std::fabs(have) < 1.2e-38) return;
      const double off =
          std::isnan(want) || std::isnan(have) ? INFINITY : std::fabs(have - want) / ulp_of(want);
      if (off > worst) {
        worst = off;
        worst_at = at;
      }
    });
    if (worst <= ulp) return;
    std::string operands;
    for (Tensor* t : in) operands += " " + testing::PrintToString(t->at(worst_at));
    ADD_FAILURE() << "off by " << worst << " ulp at" << operands << ": " << y.at(worst_at);
  }
};

TEST_P(GpuPointwise, EveryFunctionKeepsItsBound) {
  const auto v = samples();
  const auto n = static_cast<int64_t>(v.size());
  for (const Function& f : kUnary) {
    SCOPED_TRACE(f.name);
    Tensor x({n}), y({n});
    x.values(v);
    kit::Program p(OPMUX_SLOT_MAIN, 1);
    p.out(p.apply(f.fn, OPMUX_F32, 0));
    check(p, {&x}, y, f.ulp);
  }
}

TEST_P(GpuPointwise, EveryPairOfValuesIsCombinedAndCompared) {
  auto v = samples();
  v.resize(60);
  Tensor a({60, 1}), b({60}), y({60, 60});
  a.values(v);
  b.values(v);
  for (const Function& f : kBinary) {
    SCOPED_TRACE(f.name);
    kit::Program p(OPMUX_SLOT_MAIN, 2);
    p.out(p.apply(f.fn, OPMUX_F32, 0, 1));
    check(p, {&a, &b}, y, f.ulp);
  }
  for (const Function& f : kCompare) {
    SCOPED_TRACE(f.name);
    kit::Program p(OPMUX_SLOT_MAIN, 2);
    const uint32_t truth = p.apply(f.fn, OPMUX_BOOL, 0, 1);
    const uint32_t odd = p.apply(OPMUX_FN_NOT, OPMUX_BOOL, p.apply(OPMUX_FN_IS_NAN, OPMUX_BOOL, 0));
    const uint32_t both = p.apply(OPMUX_FN_AND, OPMUX_BOOL, truth, odd);
    const uint32_t one = p.apply(OPMUX_FN_CAST, OPMUX_F32, both);
    p.out(p.apply(OPMUX_FN_SELECT, OPMUX_F32, truth, one, 1));
    check(p, {&a, &b}, y, 0);
  }
}

TEST_P(GpuPointwise, ViewsOfEveryRankBroadcast) {
  const Dims shapes[] = {{}, {1}, {7}, {3, 1, 5}, {2, 3, 2, 3, 2, 3, 2, 3}, {1, 1, 400, 1, 3}, {4, 0, 2}};
  for (const Dims& shape : shapes) {
    for (int repeat = 0; repeat < 4; ++repeat) {
      SCOPED_TRACE(testing::PrintToString(shape));
      Dims part = shape, tail(shape.begin() + static_cast<std::ptrdiff_t>(shape.size() / 2), shape.end());
      for (int64_t& d : part) {
        if (rng() % 2 && d != 0) d = 1;
      }
      Tensor a(shape, rng), b(part, rng), c(tail, rng), y(shape, rng);
      for (Tensor* t : {&a, &b, &c}) t->random(rng);
      kit::Program p(OPMUX_SLOT_MAIN, 3);
      p.out(p.apply(OPMUX_FN_SUB, OPMUX_F32, p.apply(OPMUX_FN_MUL, OPMUX_F32, 0, 1), 2));
      check(p, {&a, &b, &c}, y, 0);
      EXPECT_EQ(y.gaps_written(), 0u);
    }
  }
}

TEST_P(GpuPointwise, MoreGroupsThanOneDispatchHasAreAllRun) {
  // Vulkan promises 65535 groups, lavapipe has no more.
  const int64_t n = 65536 * 128 + 77;
  Tensor x({1}), y({n});
  x.values({2.5f});
  kit::Program p(OPMUX_SLOT_MAIN, 1);
  p.out(p.apply(OPMUX_FN_NEG, OPMUX_F32, 0));
  kit::Desc<opmux_op_pointwise> d(OPMUX_OP_POINTWISE);
  d.in(x.t).out(y.t).program(p);
  gpu->run(d.opd(), {&x, &y});
  EXPECT_EQ(std::count(y.data().begin(), y.data().end(), -2.5f), n);
}

TEST_P(GpuPointwise, SixteenOperandsRun) {
  std::vector<Tensor> x(16, Tensor({5}));
  for (Tensor& t : x) t.random(rng);
  for (uint32_t n : {8u, 16u}) {
    Tensor y({5});
    kit::Program p(OPMUX_SLOT_MAIN, n);
    uint32_t sum = 0;
    for (uint32_t i = 1; i < n; ++i) sum = p.apply(OPMUX_FN_ADD, OPMUX_F32, sum, i);
    p.out(sum);
    std::vector<Tensor*> in;
    for (uint32_t i = 0; i < n; ++i) in.push_back(&x[i]);
    check(p, in, y, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Device, GpuPointwise, ::testing::Values(OPMUX_GPU_PLUGINS),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace opmux::test
