// SPDX-License-Identifier: Apache-2.0
#include "opmux/ops/conv.gen.h"

#include "every_instruction_set.hpp"
#include "run_op.hpp"
#include "same_bits.hpp"

namespace opmux::test {
namespace {

struct Case {
  Index x, w;
  int64_t group;
  Index stride, dilation, pad;
  Index rest = {};  // conv_transpose: what the output has beyond the smallest
};

int64_t extent(const Case& k, size_t i) {
  const size_t n = k.stride.size();
  return (k.x[i + 2] + k.pad[i] + k.pad[n + i] - k.dilation[i] * (k.w[i + 2] - 1) - 1) / k.stride[i] + 1;
}
Index output(const Case& k) {
  Index y{k.x[0], k.w[0]};
  for (size_t i = 0; i < k.stride.size(); ++i) y.push_back(extent(k, i));
  return y;
}
Index transposed_output(const Case& k) {
  Index y{k.x[0], k.w[1] * k.group};
  const size_t n = k.stride.size();
  for (size_t i = 0; i < n; ++i) {
    y.push_back(k.stride[i] * (k.x[i + 2] - 1) + k.dilation[i] * (k.w[i + 2] - 1) + 1 - k.pad[i] -
                k.pad[n + i] + (k.rest.empty() ? 0 : k.rest[i]));
  }
  return y;
}

uint32_t accumulator(uint32_t dtype) {
  return dtype == OPMUX_F64 ? OPMUX_F64 : dtype == OPMUX_I8 || dtype == OPMUX_U8 ? OPMUX_I32 : OPMUX_F32;
}

template <class T>
kit::Desc<T> conv(uint32_t op, const Case& k, const Tensor& x, const Tensor& w, const Tensor& y) {
  kit::Desc<T> d(op);
  d.in(x.t).in(w.t).out(y.t);
  d->group = static_cast<uint32_t>(k.group);
  d->acc_dtype = accumulator(x.t.dtype);
  d->stride = slice(d, k.stride);
  d->dilation = slice(d, k.dilation);
  d->pad = slice(d, k.pad);
  return d;
}

// Adds to value and magnitude of output element i the products that the definition lists.
struct Sum {
  long double value = 0, magnitude = 0;
  void add(double a, double b) {
    value += static_cast<long double>(a) * b;
    magnitude += std::fabs(static_cast<long double>(a) * b);
  }
};

Sum forward(const Case& k, const Tensor& x, const Tensor& w, const Index& i) {
  Sum sum;
  const int64_t channels = k.w[1], m = k.w[0] / k.group, group = i[1] / m;
  const size_t n = k.stride.size();
  Index wi(n + 2, 0);
  wi[0] = i[1];
  w.each_in({k.w.begin() + 1, k.w.end()}, [&](const Index& at) {
    Index xi{i[0], group * channels + at[0]};
    for (size_t s = 0; s < n; ++s) {
      const int64_t p = i[s + 2] * k.stride[s] + at[s + 1] * k.dilation[s] - k.pad[s];
      if (p < 0 || p >= k.x[s + 2]) return;
      xi.push_back(p);
    }
    std::copy(at.begin(), at.end(), wi.begin() + 1);
    sum.add(x.get(xi), w.get(wi));
  });
  return sum;
}

Sum backward(const Case& k, const Tensor& x, const Tensor& w, const Index& i) {
  Sum sum;
  const int64_t m = k.w[1], channels = k.x[1] / k.group, group = i[1] / m;
  const size_t n = k.stride.size();
  Index kernel(k.w.begin() + 2, k.w.end());
  for (int64_t c = 0; c < channels; ++c) {
    w.each_in(kernel, [&](const Index& at) {
      Index xi{i[0], group * channels + c}, wi{group * channels + c, i[1] % m};
      for (size_t s = 0; s < n; ++s) {
        const int64_t p = i[s + 2] + k.pad[s] - at[s] * k.dilation[s];
        if (p < 0 || p % k.stride[s] != 0 || p / k.stride[s] >= k.x[s + 2]) return;
        xi.push_back(p / k.stride[s]);
        wi.push_back(at[s]);
      }
      sum.add(x.get(xi), w.get(wi));
    });
  }
  return sum;
}

using Reference = Sum (*)(const Case&, const Tensor&, const Tensor&, const Index&);

// extra: bound of an algebraic algorithm, as a multiple of u * max|x| * sum|w|, 0 for plain sums.
void expect_conv(Reference reference, const Case& k, const Tensor& x, const Tensor& w, const Tensor& y,
                 double extra = 0) {
  double terms = static_cast<double>(k.x[1]);
  for (size_t i = 2; i < k.w.size(); ++i) terms *= static_cast<double>(k.w[i]);
  const double u = unit_roundoff(accumulator(x.t.dtype)), u_out = unit_roundoff(y.t.dtype);
  y.each([&](const Index& i) {
    if (testing::Test::HasFailure()) return;
    const Sum s = reference(k, x, w, i);
    const long double bound =
        (terms + 1) * u * s.magnitude + u_out * std::fabs(s.value) + extra * u * terms + 1e-38L;
    const long double have = y.get(i);
    if (!(std::fabs(have - s.value) <= bound)) {
      ADD_FAILURE() << text(i) << ": " << have << " instead of " << s.value << ", bound " << bound;
    }
  });
  EXPECT_TRUE(y.gaps_untouched());
}

const Case kConv[] = {
    {{1, 3, 17}, {5, 3, 3}, 1, {1}, {1}, {1, 1}},
    {{2, 4, 9, 11}, {6, 4, 3, 3}, 1, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {{2, 4, 9, 11}, {6, 2, 3, 3}, 2, {2, 2}, {1, 1}, {0, 0, 1, 1}},
    {{1, 8, 14, 14}, {8, 1, 3, 3}, 8, {1, 1}, {2, 2}, {2, 2, 2, 2}},
    {{1, 16, 7, 7}, {32, 16, 1, 1}, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {{0, 3, 8, 8}, {4, 3, 3, 3}, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {{1, 3, 21, 25}, {19, 3, 7, 7}, 1, {2, 2}, {1, 1}, {3, 3, 3, 3}},
    {{1, 20, 5, 6}, {9, 20, 5, 5}, 1, {1, 1}, {1, 1}, {2, 4, 3, 1}},
    {{3, 6, 13, 40}, {12, 1, 5, 5}, 6, {2, 1}, {1, 3}, {2, 6, 2, 6}},
    {{1, 5, 23, 23}, {5, 1, 3, 3}, 5, {2, 2}, {1, 1}, {1, 1, 1, 1}},
    {{2, 7, 12, 100}, {7, 1, 3, 3}, 7, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {{1, 2, 5, 6, 7}, {4, 2, 2, 3, 2}, 1, {1, 2, 1}, {2, 1, 1}, {1, 1, 0, 0, 1, 1}},
    {{1, 6, 4, 5, 9}, {6, 1, 3, 3, 3}, 6, {1, 1, 2}, {1, 1, 1}, {1, 1, 1, 1, 1, 1}},
    {{1, 3, 30, 2}, {2, 3, 1, 1}, 1, {3, 1}, {1, 1}, {0, 0, 0, 0}},
    {{1, 64, 1, 1}, {70, 64, 1, 1}, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {{1, 2, 3, 3}, {3, 2, 3, 3}, 1, {1, 1}, {1, 1}, {5, 5, 5, 5}},
    {{1, 48, 9, 9}, {20, 48, 3, 3}, 1, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {{1, 20, 9, 19}, {30, 10, 3, 3}, 2, {1, 1}, {1, 1}, {1, 0, 0, 1}},
};

class ConvCases : public testing::TestWithParam<uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Types, ConvCases,
                         testing::Values(OPMUX_F32, OPMUX_F64, OPMUX_F16, OPMUX_BF16, OPMUX_I8, OPMUX_U8),
                         [](const auto& i) { return "type" + std::to_string(i.param & 255); });

TEST_P(ConvCases, AgreesWithTheDefinitionForEveryStrideAndVariant) {
  std::mt19937 rng(1);
  Host host(2);
  const uint32_t out = accumulator(GetParam()) == OPMUX_I32 ? OPMUX_I32 : GetParam();
  for (const Case& k : kConv) {
    for (int form = 0; form < 6; ++form) {
      SCOPED_TRACE("x " + text(k.x) + " w " + text(k.w) + " form " + std::to_string(form));
      const bool odd = form >= 4;
      Tensor x = make(GetParam(), k.x, odd, rng);
      Tensor w = make(GetParam(), k.w, odd, rng);
      Tensor y = make(out, output(k), odd, rng);
      x.random(rng);
      w.random(rng);
      w.t.flags = form & 1 ? OPMUX_T_CONST : 0;
      auto d = conv<opmux_op_conv>(OPMUX_OP_CONV, k, x, w, y);
      if (form & 2) d.opd()->math = OPMUX_MATH_STRICT;
      const char* variant = run_op(host, d, {x.data(), w.data(), y.data()});
      ASSERT_TRUE(variant);
      SCOPED_TRACE(variant);
      expect_conv(forward, k, x, w, y, std::strcmp(variant, "winograd") == 0 ? 64 : 0);
      if (HasFailure()) return;
    }
  }
}

const Case kTransposed[] = {
    {{1, 3, 7}, {3, 5, 3}, 1, {2}, {1}, {1, 1}, {}},
    {{2, 4, 5, 6}, {4, 3, 3, 3}, 2, {2, 2}, {1, 1}, {1, 1, 1, 1}, {1, 0}},
    {{1, 2, 4, 4}, {2, 2, 2, 2}, 1, {2, 2}, {1, 1}, {0, 0, 0, 0}, {}},
    {{1, 6, 5, 7}, {6, 4, 4, 3}, 1, {3, 1}, {1, 2}, {1, 0, 2, 3}, {2, 0}},
    {{2, 3, 3, 2, 4}, {3, 2, 2, 3, 2}, 1, {1, 2, 2}, {1, 1, 1}, {0, 1, 0, 0, 0, 1}, {}},
    {{1, 5, 6, 6}, {5, 1, 3, 3}, 5, {2, 2}, {1, 1}, {1, 1, 1, 1}, {1, 1}},
    {{0, 3, 4}, {3, 2, 3}, 1, {2}, {1}, {0, 0}, {}},
    {{1, 1, 1, 1}, {1, 1, 1, 1}, 1, {5, 5}, {1, 1}, {0, 0, 0, 0}, {4, 4}},
};

class ConvTransposeCases : public testing::TestWithParam<uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Types, ConvTransposeCases,
                         testing::Values(OPMUX_F32, OPMUX_F64, OPMUX_F16, OPMUX_BF16),
                         [](const auto& i) { return "type" + std::to_string(i.param & 255); });

TEST_P(ConvTransposeCases, AgreesWithTheDefinitionForEveryStride) {
  std::mt19937 rng(2);
  Host host(2);
  for (const Case& k : kTransposed) {
    for (int form = 0; form < 3; ++form) {
      SCOPED_TRACE("x " + text(k.x) + " w " + text(k.w) + " form " + std::to_string(form));
      const bool odd = form == 2;
      Tensor x = make(GetParam(), k.x, odd, rng);
      Tensor w = make(GetParam(), k.w, odd, rng);
      Tensor y = make(GetParam(), transposed_output(k), odd, rng);
      x.random(rng);
      w.random(rng);
      w.t.flags = form == 1 ? OPMUX_T_CONST : 0;
      auto d = conv<opmux_op_conv_transpose>(OPMUX_OP_CONV_TRANSPOSE, k, x, w, y);
      ASSERT_TRUE(run_op(host, d, {x.data(), w.data(), y.data()}));
      expect_conv(backward, k, x, w, y);
      if (HasFailure()) return;
    }
  }
}

// Bias per channel, residual, ReLU on every path: compared with the same steps on the path's own plain
// output.
TEST(Conv, AppliesBiasResidualAndReluOnEveryVariant) {
  std::mt19937 rng(3);
  Host host(2);
  for (const Case& k : {kConv[1], kConv[4], kConv[10], kConv[9], kConv[16], kConv[11], kConv[6]}) {
    for (int form = 0; form < 4; ++form) {
      SCOPED_TRACE("x " + text(k.x) + " w " + text(k.w) + " form " + std::to_string(form));
      Tensor x(OPMUX_F32, k.x), w(OPMUX_F32, k.w), plain(OPMUX_F32, output(k));
      Tensor y = form & 1 ? Tensor(OPMUX_F32, output(k), rng) : Tensor(OPMUX_F32, output(k));
      Index channel(k.x.size() - 1, 1);
      channel[0] = k.w[0];
      Tensor bias(OPMUX_F32, channel);
      Tensor residual = form & 2 ? Tensor(OPMUX_F32, output(k), rng) : Tensor(OPMUX_F32, output(k));
      x.random(rng);
      w.random(rng);
      bias.random(rng);
      residual.random(rng);
      auto d = conv<opmux_op_conv>(OPMUX_OP_CONV, k, x, w, plain);
      const char* variant = run_op(host, d, {x.data(), w.data(), plain.data()});
      ASSERT_TRUE(variant);
      kit::Program p(OPMUX_SLOT_EPILOGUE(0), 3);
      uint32_t v = p.apply(OPMUX_FN_ADD, OPMUX_F32, 0, 1);
      v = p.apply(OPMUX_FN_ADD, OPMUX_F32, 2, v);
      p.out(p.apply(OPMUX_FN_RELU, OPMUX_F32, v));
      auto e = conv<opmux_op_conv>(OPMUX_OP_CONV, k, x, w, y);
      e.in(bias.t).in(residual.t).program(p);
      ASSERT_STREQ(run_op(host, e, {x.data(), w.data(), bias.data(), residual.data(), y.data()}), variant);
      y.each([&](const Index& i) {
        Index at(channel.size(), 0);
        at[0] = i[1];
        const float sum = static_cast<float>(plain.get(i)) + static_cast<float>(bias.get(at));
        // Sums over many channels may be cut differently when they cannot grow in place.
        EXPECT_NEAR(y.get(i), std::max(sum + static_cast<float>(residual.get(i)), 0.0f), 2e-5) << text(i);
      });
      EXPECT_TRUE(y.gaps_untouched());
    }
  }
}

TEST(Conv, GivesTheSameBitsForAnyNumberOfThreads) {
  std::mt19937 rng(4);
  for (const Case& k : {kConv[6], kConv[10], kConv[16], kConv[17],
                        Case{{1, 70, 30, 30}, {90, 70, 3, 3}, 1, {1, 1}, {1, 1}, {1, 1, 1, 1}}}) {
    Tensor x(OPMUX_F32, k.x), w(OPMUX_F32, k.w);
    x.random(rng);
    w.random(rng);
    Tensor y(OPMUX_F32, output(k));
    expect_same_bits({&y}, "x " + text(k.x), [&](Host& host) {
      auto d = conv<opmux_op_conv>(OPMUX_OP_CONV, k, x, w, y);
      ASSERT_TRUE(run_op(host, d, {x.data(), w.data(), y.data()}));
    });
  }
}

TEST(Conv, AgreesOnEveryInstructionSet) {
  std::mt19937 rng(5);
  on_every_instruction_set([&] {
    for (const Case& k : {kConv[1], kConv[6], kConv[7], kConv[10], kConv[9], kConv[17]}) {
      Host host(2);
      Tensor x(OPMUX_F32, k.x), w(OPMUX_F32, k.w), y(OPMUX_F32, output(k));
      x.random(rng);
      w.random(rng);
      w.t.flags = OPMUX_T_CONST;
      auto d = conv<opmux_op_conv>(OPMUX_OP_CONV, k, x, w, y);
      const char* variant = run_op(host, d, {x.data(), w.data(), y.data()});
      ASSERT_TRUE(variant);
      expect_conv(forward, k, x, w, y, std::strcmp(variant, "winograd") == 0 ? 64 : 0);
    }
  });
}

TEST(Conv, SaysWhyItRefuses) {
  const Case& k = kConv[1];
  Tensor x(OPMUX_F32, k.x), w(OPMUX_F32, k.w), y(OPMUX_F32, output(k));
  auto d = conv<opmux_op_conv>(OPMUX_OP_CONV, k, x, w, y);
  d.inputs()[0].dtype = OPMUX_I64;
  Answer no = ask(d.opd());
  EXPECT_EQ(no.cap.verdict, OPMUX_NO);
  EXPECT_EQ(no.cap.why, OPMUX_WHY_DTYPE);
  EXPECT_EQ(no.cap.why_arg, 0u);
  EXPECT_EQ(no.cap.why_have, static_cast<int64_t>(OPMUX_I64));
}

}  // namespace
}  // namespace opmux::test
