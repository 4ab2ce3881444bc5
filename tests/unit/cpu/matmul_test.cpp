// SPDX-License-Identifier: Apache-2.0
#include "every_instruction_set.hpp"
#include "run_op.hpp"
#include "same_bits.hpp"

namespace opmux::test {
namespace {

using Desc = kit::Desc<opmux_op_matmul>;

uint32_t accumulator(uint32_t dtype) {
  return dtype == OPMUX_F64 ? OPMUX_F64 : dtype == OPMUX_I8 || dtype == OPMUX_U8 ? OPMUX_I32 : OPMUX_F32;
}

Desc matmul(const Tensor& a, const Tensor& b, const Tensor& c) {
  Desc d(OPMUX_OP_MATMUL);
  d.in(a.t).in(b.t).out(c.t);
  d->acc_dtype = accumulator(a.t.dtype);
  return d;
}

// Sum and sum of magnitudes of every element, plainly.
void expect_product(const Tensor& a, const Tensor& b, const Tensor& c) {
  const std::vector<double> av = a.dense(), bv = b.dense();
  const int64_t k = a.t.dim[a.t.rank - 1], n = b.t.dim[b.t.rank - 1], m = a.t.dim[a.t.rank - 2];
  // Number of the matrix of an operand that belongs to an index of the output.
  auto matrix = [](const Tensor& t, const Index& i) {
    int64_t at = 0;
    for (uint32_t x = 0; x + 2 < t.t.rank; ++x) {
      at = at * t.t.dim[x] + (t.t.dim[x] == 1 ? 0 : i[x + i.size() - t.t.rank]);
    }
    return at;
  };
  const double u = unit_roundoff(accumulator(a.t.dtype)), u_out = unit_roundoff(c.t.dtype);
  c.each([&](const Index& i) {
    if (testing::Test::HasFailure()) return;
    const int64_t x = (matrix(a, i) * m + i[i.size() - 2]) * k;
    const int64_t y = matrix(b, i) * k * n + i.back();
    long double want = 0, magnitude = 0;
    for (int64_t q = 0; q < k; ++q) {
      const long double p = static_cast<long double>(av[x + q]) * bv[y + q * n];
      want += p;
      magnitude += std::fabs(p);
    }
    const long double bound = (static_cast<double>(k) + 1) * u * magnitude + u_out * std::fabs(want) + 1e-38L;
    const long double have = c.get(i);
    if (!(std::fabs(have - want) <= bound)) {
      ADD_FAILURE() << text(i) << ": " << have << " instead of " << want << ", bound " << bound;
    }
  });
  EXPECT_TRUE(c.gaps_untouched());
}

struct Case {
  Index a, b, c;
};
const Case kCases[] = {
    {{1, 1}, {1, 1}, {1, 1}},
    {{31, 17}, {17, 33}, {31, 33}},
    {{0, 4}, {4, 5}, {0, 5}},
    {{4, 4}, {4, 0}, {4, 0}},
    {{4, 0}, {0, 5}, {4, 5}},
    {{2, 3, 31, 17}, {3, 17, 7}, {2, 3, 31, 7}},
    {{127, 129}, {129, 257}, {127, 257}},
    {{1, 409}, {409, 63}, {1, 63}},
    {{5, 401}, {401, 97}, {5, 97}},
    {{97, 401}, {401, 1}, {97, 1}},
    {{97, 401}, {401, 3}, {97, 3}},
    {{3, 1, 13, 800}, {1, 2, 800, 35}, {3, 2, 13, 35}},
    {{2, 5, 7, 11}, {11, 40}, {2, 5, 7, 40}},
    {{61, 1000}, {1000, 70}, {61, 70}},
    {{7, 1, 19}, {19, 64}, {7, 1, 64}},
    {{1, 2, 1, 2, 1, 2, 3, 5}, {5, 4}, {1, 2, 1, 2, 1, 2, 3, 4}},
};

class MatmulCases : public testing::TestWithParam<uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Types, MatmulCases,
                         testing::Values(OPMUX_F32, OPMUX_F64, OPMUX_F16, OPMUX_BF16, OPMUX_I8, OPMUX_U8),
                         [](const auto& i) { return "type" + std::to_string(i.param & 255); });

TEST_P(MatmulCases, AgreesWithThePlainSumForEveryStrideAndConstancy) {
  std::mt19937 rng(1);
  Host host(2);
  const uint32_t out = accumulator(GetParam()) == OPMUX_I32 ? OPMUX_I32 : GetParam();
  for (const Case& k : kCases) {
    for (int form = 0; form < 8; ++form) {
      SCOPED_TRACE(text(k.a) + " x " + text(k.b) + " form " + std::to_string(form));
      const bool odd = form & 4;
      Tensor a = make(GetParam(), k.a, odd, rng);
      Tensor b = make(GetParam(), k.b, odd, rng);
      Tensor c = make(out, k.c, odd, rng);
      a.random(rng);
      b.random(rng);
      a.t.flags = form & 1 ? OPMUX_T_CONST : 0;
      b.t.flags = form & 2 ? OPMUX_T_CONST : 0;
      Desc d = matmul(a, b, c);
      ASSERT_TRUE(run_op(host, d, {a.data(), b.data(), c.data()}));
      expect_product(a, b, c);
      if (HasFailure()) return;
    }
  }
}

TEST(Matmul, TakesTransposedOperandsByTheirStrides) {
  std::mt19937 rng(2);
  Host host(2);
  for (int form = 0; form < 8; ++form) {
    Tensor a(OPMUX_F32, {45, 83}), b(OPMUX_F32, {83, 102}), c(OPMUX_F32, {45, 102});
    auto flip = [](Tensor& t) {
      t.t.stride[0] = 1;
      t.t.stride[1] = t.t.dim[0];
    };
    if (form & 1) flip(a);
    if (form & 2) flip(b);
    if (form & 4) flip(c);
    a.random(rng);
    b.random(rng);
    Desc d = matmul(a, b, c);
    ASSERT_TRUE(run_op(host, d, {a.data(), b.data(), c.data()}));
    expect_product(a, b, c);
  }
}

TEST(Matmul, GivesTheSameBitsForAnyNumberOfThreads) {
  std::mt19937 rng(3);
  for (const Case& k : {Case{{130, 500}, {500, 333}, {130, 333}}, Case{{1, 3000}, {3000, 700}, {1, 700}},
                        Case{{6, 40, 300}, {6, 300, 90}, {6, 40, 90}}}) {
    Tensor a(OPMUX_F32, k.a), b(OPMUX_F32, k.b);
    a.random(rng);
    b.random(rng);
    Tensor c(OPMUX_F32, k.c);
    expect_same_bits({&c}, "a " + text(k.a), [&](Host& host) {
      Desc d = matmul(a, b, c);
      ASSERT_TRUE(run_op(host, d, {a.data(), b.data(), c.data()}));
    });
  }
}

TEST(Matmul, AgreesOnEveryInstructionSet) {
  std::mt19937 rng(4);
  on_every_instruction_set([&] {
    for (uint32_t dtype : {OPMUX_F32, OPMUX_F64, OPMUX_F16, OPMUX_U8}) {
      Host host(2);
      Tensor a(dtype, {29, 410}), b(dtype, {410, 75}), c(accumulator(dtype), {29, 75});
      a.random(rng);
      b.random(rng);
      b.t.flags = OPMUX_T_CONST;
      Desc d = matmul(a, b, c);
      EXPECT_TRUE(run_op(host, d, {a.data(), b.data(), c.data()}));
      expect_product(a, b, c);
    }
  });
}

// Bias along rows or columns, residual, activation; compared with the same steps on the plain product's own
// output.
TEST(Matmul, AppliesItsEpilogueToTheSums) {
  std::mt19937 rng(5);
  Host host(2);
  for (int form = 0; form < 12; ++form) {
    SCOPED_TRACE(form);
    const Index dims{2, 53, 71};
    Tensor a(OPMUX_F32, {2, 53, 430}), b(OPMUX_F32, {430, 71}), plain(OPMUX_F32, dims), c(OPMUX_F32, dims);
    Tensor bias(OPMUX_F32, form % 3 == 0 ? Index{71} : form % 3 == 1 ? Index{53, 1} : dims);
    a.random(rng);
    b.random(rng);
    bias.random(rng);
    Desc d = matmul(a, b, plain);
    ASSERT_TRUE(run_op(host, d, {a.data(), b.data(), plain.data()}));
    kit::Program p(OPMUX_SLOT_EPILOGUE(0), 2);
    uint32_t v = p.apply(OPMUX_FN_ADD, OPMUX_F32, 0, 1);
    if (form >= 9) v = p.apply(OPMUX_FN_MUL, OPMUX_F32, 1, v);
    if (form / 3 == 1) v = p.apply(OPMUX_FN_RELU, OPMUX_F32, v);
    if (form / 3 == 2) {
      v = p.apply(OPMUX_FN_CLAMP, OPMUX_F32, v, p.constant(OPMUX_F32, 0xbf000000u),
                  p.constant(OPMUX_F32, 0x40400000u));
    }
    p.out(v);
    Desc e = matmul(a, b, c);
    e.in(bias.t).program(p);
    ASSERT_TRUE(run_op(host, e, {a.data(), b.data(), bias.data(), c.data()}));
    c.each([&](const Index& i) {
      const Index at = form % 3 == 0 ? Index{i[2]} : form % 3 == 1 ? Index{i[1], 0} : i;
      const float x = static_cast<float>(bias.get(at));
      float want = static_cast<float>(plain.get(i)) + x;
      if (form >= 9) want = x * want;
      if (form / 3 == 1) want = std::max(want, 0.0f);
      if (form / 3 == 2) want = std::min(std::max(want, -0.5f), 3.0f);
      EXPECT_EQ(static_cast<float>(c.get(i)), want) << text(i);
    });
  }
}

// A program that no built-in step covers, into another type, over odd strides.
TEST(Matmul, RunsAnyProgramAsEpilogue) {
  std::mt19937 rng(6);
  Host host(2);
  for (int form = 0; form < 4; ++form) {
    SCOPED_TRACE(form);
    const Index dims{3, 20, 150};
    const uint32_t out = form & 1 ? OPMUX_F16 : OPMUX_F32;
    Tensor a(OPMUX_F32, {3, 20, 290}), b(OPMUX_F32, {290, 150}), plain(OPMUX_F32, dims);
    Tensor c = form & 2 ? Tensor(out, dims, rng) : Tensor(out, dims);
    Tensor other = Tensor(OPMUX_F32, dims, rng);
    a.random(rng);
    b.random(rng);
    other.random(rng);
    Desc d = matmul(a, b, plain);
    ASSERT_TRUE(run_op(host, d, {a.data(), b.data(), plain.data()}));
    kit::Program p(OPMUX_SLOT_EPILOGUE(0), 2);
    uint32_t v = p.apply(OPMUX_FN_SUB, OPMUX_F32, 0, 1);
    v = p.apply(OPMUX_FN_ABS, OPMUX_F32, v);
    if (form & 1) v = p.apply(OPMUX_FN_CAST, OPMUX_F16, v);
    p.out(v);
    Desc e = matmul(a, b, c);
    e.in(other.t).program(p);
    ASSERT_TRUE(run_op(host, e, {a.data(), b.data(), other.data(), c.data()}));
    c.each([&](const Index& i) {
      const float want = std::fabs(static_cast<float>(plain.get(i)) - static_cast<float>(other.get(i)));
      EXPECT_EQ(c.get(i), form & 1 ? decode16(encode16(want, 10, 15), 10, 15) : want) << text(i);
    });
    EXPECT_TRUE(c.gaps_untouched());
  }
}

TEST(Matmul, MayWriteOverTheResidualThatItAdds) {
  std::mt19937 rng(7);
  Host host(2);
  Tensor a(OPMUX_F32, {70, 900}), b(OPMUX_F32, {900, 80}), plain(OPMUX_F32, {70, 80}), c(OPMUX_F32, {70, 80});
  a.random(rng);
  b.random(rng);
  c.random(rng);
  const Tensor before = c;
  Desc d = matmul(a, b, plain);
  ASSERT_TRUE(run_op(host, d, {a.data(), b.data(), plain.data()}));
  kit::Program p(OPMUX_SLOT_EPILOGUE(0), 2);
  p.out(p.apply(OPMUX_FN_ADD, OPMUX_F32, 0, 1));
  Desc e = matmul(a, b, c);
  e.in(c.t).program(p).alias({3});
  ASSERT_TRUE(run_op(host, e, {a.data(), b.data(), c.data(), c.data()}));
  // Sums over 900 terms are cut differently when they cannot grow in place.
  c.each([&](const Index& i) { EXPECT_NEAR(c.get(i), plain.get(i) + before.get(i), 1e-4) << text(i); });
}

TEST(Matmul, KeepsNaNThroughReluAndClamp) {
  Host host(1);
  for (uint32_t fn : {OPMUX_FN_RELU, OPMUX_FN_CLAMP}) {
    Tensor a(OPMUX_F32, {20, 3}), b(OPMUX_F32, {3, 70}), c(OPMUX_F32, {20, 70});
    a.each([&](const Index& i) { a.set(i, i[0] == 4 ? NAN : 1); });
    b.each([&](const Index& i) { b.set(i, 1); });
    kit::Program p(OPMUX_SLOT_EPILOGUE(0), 1);
    const uint32_t lo = p.constant(OPMUX_F32, 0), hi = p.constant(OPMUX_F32, 0x40000000u);
    p.out(fn == OPMUX_FN_RELU ? p.apply(fn, OPMUX_F32, 0) : p.apply(fn, OPMUX_F32, 0, lo, hi));
    Desc d = matmul(a, b, c);
    d.program(p);
    ASSERT_TRUE(run_op(host, d, {a.data(), b.data(), c.data()}));
    c.each([&](const Index& i) {
      if (i[0] == 4) {
        EXPECT_TRUE(std::isnan(c.get(i))) << text(i);
      } else {
        EXPECT_EQ(c.get(i), fn == OPMUX_FN_RELU ? 3 : 2) << text(i);
      }
    });
  }
}

TEST(Matmul, SaysWhyItRefuses) {
  Tensor a(OPMUX_F32, {4, 5}), b(OPMUX_F64, {5, 6}), c(OPMUX_F32, {4, 6});
  Desc d = matmul(a, b, c);
  Answer no = ask(d.opd());
  EXPECT_EQ(no.cap.verdict, OPMUX_NO);
  EXPECT_EQ(no.cap.why, OPMUX_WHY_DTYPE);
  EXPECT_EQ(no.cap.why_arg, 1u);
  EXPECT_EQ(no.cap.why_have, static_cast<int64_t>(OPMUX_F64));

  d.inputs()[1].dtype = OPMUX_F32;
  d.inputs()[0].layout = 77;
  no = ask(d.opd());
  EXPECT_EQ(no.cap.why, OPMUX_WHY_LAYOUT);
  EXPECT_EQ(no.cap.why_have, 77);

  d.inputs()[0].layout = 0;
  d.alias({1});
  no = ask(d.opd());
  EXPECT_EQ(no.cap.why, OPMUX_WHY_ALIAS);
  EXPECT_EQ(no.cap.why_arg, 0u);
}

}  // namespace
}  // namespace opmux::test
