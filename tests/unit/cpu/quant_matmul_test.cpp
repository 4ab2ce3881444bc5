// SPDX-License-Identifier: Apache-2.0
// quant_matmul against the reference: every pairing of types, groups, zeros, ways and packed constants.
#include "every_instruction_set.hpp"
#include "opmux/ops/matmul.gen.h"
#include "oracle.hpp"
#include "same_bits.hpp"

namespace opmux::test {
namespace {

using Desc = kit::Desc<opmux_op_quant_matmul>;

struct Form {
  uint32_t a = OPMUX_F32, b = OPMUX_I8, out = OPMUX_F32;
  uint32_t scale = OPMUX_F32, zero = OPMUX_NONE;  // of b, by groups
  uint32_t a_scale = OPMUX_NONE, a_zero = OPMUX_NONE;
  int64_t group = 0, a_group = 0;
  uint32_t code = OPMUX_WEIGHT_LINEAR, acc = OPMUX_F32;
  bool constant = false, transposed = false;
};
struct Size {
  Index batch_a, batch_b;
  int64_t m, k, n;
};

Index with(Index dims, int64_t x, int64_t y) {
  dims.push_back(x);
  dims.push_back(y);
  return dims;
}
int64_t groups(int64_t k, int64_t group) { return group == 0 ? 1 : (k + group - 1) / group; }

// Codes of the low nibble first have their columns apart where k is to lie together.
Tensor matrix(uint32_t dtype, const Index& dims, bool transposed) {
  Tensor t(dtype, dims);
  const uint32_t r = t.t.rank;
  if (transposed) {
    t.t.stride[r - 1] = dims[r - 2];
    t.t.stride[r - 2] = 1;
  }
  return t;
}

void check(Host& host, const Form& f, const Size& z, std::mt19937& rng) {
  SCOPED_TRACE(testing::Message() << "a 0x" << std::hex << f.a << " b 0x" << f.b << " zero 0x" << f.zero
                                  << std::dec << " group " << f.group << " m " << z.m << " k " << z.k << " n "
                                  << z.n << " const " << f.constant);
  Tensor a = Tensor(f.a, with(z.batch_a, z.m, z.k)), b = matrix(f.b, with(z.batch_b, z.k, z.n), f.transposed);
  Index batch = z.batch_a.size() > z.batch_b.size() ? z.batch_a : z.batch_b;
  Tensor c(f.out, with(batch, z.m, z.n));
  a.random(rng);
  b.random(rng);
  Desc d(OPMUX_OP_QUANT_MATMUL);
  std::vector<Tensor> held;
  held.reserve(4);
  std::vector<void*> args{a.data(), b.data()};
  if (f.constant) b.t.flags = OPMUX_T_CONST;
  d.in(a.t).in(b.t);
  const auto parameter = [&](uint32_t dtype, const Index& dims, bool positive, bool constant) {
    if (dtype == OPMUX_NONE) {
      d.in(kit::absent());
      args.push_back(nullptr);
      return;
    }
    Tensor& t = held.emplace_back(dtype, dims);
    t.random(rng);
    if (positive) t.each([&](const Index& i) { t.set(i, 0.01 + static_cast<double>(rng() % 1000) / 1000); });
    if (constant) t.t.flags = OPMUX_T_CONST;
    d.in(t.t);
    args.push_back(t.data());
  };
  const Index of_a = with(z.batch_a, z.m, groups(z.k, f.a_group));
  const Index of_b = with({}, groups(z.k, f.group), z.n);
  parameter(f.a_scale, of_a, true, false);
  parameter(f.a_zero, {}, false, false);
  parameter(f.scale, of_b, true, f.constant);
  parameter(f.zero, of_b, false, f.constant);
  d.out(c.t);
  args.push_back(c.data());
  d->acc_dtype = f.acc;
  d->b_group = static_cast<uint32_t>(f.group);
  d->a_group = static_cast<uint32_t>(f.a_group);
  d->b_code = f.code;
  const Truth truth = Oracle::get().evaluate(d, args);
  ASSERT_TRUE(run_op(host, d, args));
  const double u = std::ldexp(2.0, -24) * static_cast<double>(z.k + 4);
  expect_close(c, truth, "quant_matmul", [&](size_t i, double want) {
    return f.acc == OPMUX_I32 ? 0 : u * truth.magnitude[i] + spacing(f.out, want) / 2;
  });
}

const Size kSizes[] = {{{}, {}, 1, 64, 5},   {{}, {}, 1, 131, 70},  {{}, {}, 2, 96, 33},
                       {{}, {}, 3, 129, 31}, {{}, {}, 4, 64, 100},  {{}, {}, 19, 257, 67},
                       {{3}, {}, 2, 40, 9},  {{2}, {2}, 3, 48, 37}, {{2}, {2}, 9, 65, 37},
                       {{}, {}, 1, 1, 1},    {{}, {}, 5, 0, 3},     {{}, {}, 1, 0, 3},
                       {{}, {}, 0, 8, 3},    {{}, {}, 2, 8, 0},     {{}, {}, 70, 500, 200}};

void check_all(const Form& form) {
  std::mt19937 rng(form.b * 7 + form.a);
  Host host(2);
  for (const Size& z : kSizes)
    for (int way = 0; way < 4; ++way) {
      Form f = form;
      f.constant = way & 1;
      f.transposed = way & 2;
      check(host, f, z, rng);
      if (testing::Test::HasFailure()) return;
    }
}

constexpr uint32_t kWeights[] = {OPMUX_I8,       OPMUX_U8,       OPMUX_I4,     OPMUX_U4,
                                 OPMUX_I2,       OPMUX_U2,       OPMUX_E4M3FN, OPMUX_E5M2,
                                 OPMUX_E4M3FNUZ, OPMUX_E5M2FNUZ, OPMUX_E2M1};

TEST(QuantMatmul, PlainRowsTimesEveryTypeOfWeights) {
  for (uint32_t b : kWeights)
    for (int64_t group : {0, 16, 32, 100}) check_all({.b = b, .group = group});
}
TEST(QuantMatmul, WeightsWithZeros) {
  for (uint32_t b : {OPMUX_I8, OPMUX_U8, OPMUX_I4, OPMUX_U4, OPMUX_U2})
    for (uint32_t zero : {b, uint32_t{OPMUX_F32}, uint32_t{OPMUX_F16}})
      check_all({.b = b, .zero = zero, .group = 32});
}
TEST(QuantMatmul, NormalFloatCodes) {
  for (int64_t group : {0, 64}) check_all({.b = OPMUX_U4, .group = group, .code = OPMUX_WEIGHT_NF4});
}
TEST(QuantMatmul, ShortFloatsOnBothEnds) {
  for (uint32_t a : {OPMUX_F16, OPMUX_BF16})
    check_all({.a = a, .b = OPMUX_I4, .out = a, .scale = a, .group = 32});
  check_all({.a = OPMUX_F32, .b = OPMUX_E2M1, .scale = OPMUX_E8M0, .group = 32});
}
TEST(QuantMatmul, EightBitFloatsWithScales) {
  for (uint32_t a : {OPMUX_E4M3FN, OPMUX_E5M2}) check_all({.a = a, .b = OPMUX_E4M3FN, .a_scale = OPMUX_F32});
  check_all({.a = OPMUX_E4M3FN, .b = OPMUX_E4M3FN, .a_scale = OPMUX_F32, .group = 128, .a_group = 128});
}
TEST(QuantMatmul, IntegersWithScalesOfRowsAndColumns) {
  for (uint32_t a : {OPMUX_I8, OPMUX_U8})
    for (uint32_t b : {OPMUX_I8, OPMUX_U8, OPMUX_I4}) {
      check_all({.a = a, .b = b, .zero = b, .a_scale = OPMUX_F32, .a_zero = a});
      check_all({.a = a, .b = b, .out = OPMUX_BF16, .a_scale = OPMUX_F16});
      check_all({.a = a, .b = b, .a_scale = OPMUX_F32, .group = 32});
      check_all({.a = a, .b = b, .a_scale = OPMUX_F32, .group = 32, .a_group = 32});
    }
}
TEST(QuantMatmul, ExactSumsOfIntegers) {
  for (uint32_t a : {OPMUX_I8, OPMUX_U8})
    for (uint32_t b : {OPMUX_I8, OPMUX_U8, OPMUX_I4, OPMUX_U2}) {
      Form f{.a = a, .b = b, .out = OPMUX_I32, .scale = OPMUX_NONE, .acc = OPMUX_I32};
      check_all(f);
      f.zero = b;
      f.a_zero = a;
      check_all(f);
    }
}

// The greatest differences, many times: pairs that a saturating product would cut.
TEST(QuantMatmul, DoesNotSaturateBetweenProducts) {
  Host host(1);
  for (int64_t m : {1, 9}) {
    Tensor a(OPMUX_U8, {m, 4096}), b(OPMUX_I8, {4096, 40}), c(OPMUX_I32, {m, 40});
    a.each([&](const Index& i) { a.set(i, 255); });
    b.each([&](const Index& i) { b.set(i, i[1] % 2 ? 127 : -128); });
    Desc d(OPMUX_OP_QUANT_MATMUL);
    d.in(a.t).in(b.t).in(kit::absent()).in(kit::absent()).in(kit::absent()).in(kit::absent()).out(c.t);
    d->acc_dtype = OPMUX_I32;
    ASSERT_TRUE(run_op(host, d, {a.data(), b.data(), nullptr, nullptr, nullptr, nullptr, c.data()}));
    c.each([&](const Index& i) { EXPECT_EQ(c.get(i), 4096.0 * 255 * (i[1] % 2 ? 127 : -128)); });
  }
}

TEST(QuantMatmul, AppliesAnEpilogueInEveryWay) {
  std::mt19937 rng(4);
  Host host(2);
  for (int64_t m : {1, 4, 30})
    for (bool whole : {false, true})
      for (uint32_t out : {OPMUX_F32, OPMUX_F16}) {
        const uint32_t type = whole ? OPMUX_I8 : OPMUX_F32;
        Tensor a(type, {m, 96}), b(OPMUX_I8, {96, 50}), scale(OPMUX_F32, {1, 50}), bias(OPMUX_F32, {50});
        Tensor plain(OPMUX_F32, {m, 50}), c(out, {m, 50});
        for (Tensor* t : {&a, &b, &scale, &bias}) t->random(rng);
        const auto make = [&](Tensor& y) {
          Desc d(OPMUX_OP_QUANT_MATMUL);
          d.in(a.t).in(b.t).in(kit::absent()).in(kit::absent()).in(scale.t).in(kit::absent());
          d->acc_dtype = OPMUX_F32;
          d.out(y.t);
          return d;
        };
        Desc d = make(plain);
        ASSERT_TRUE(
            run_op(host, d, {a.data(), b.data(), nullptr, nullptr, scale.data(), nullptr, plain.data()}));
        kit::Program p(OPMUX_SLOT_EPILOGUE(0), 2);
        uint32_t v = p.apply(OPMUX_FN_RELU, OPMUX_F32, p.apply(OPMUX_FN_ADD, OPMUX_F32, 0, 1));
        if (out == OPMUX_F16) v = p.apply(OPMUX_FN_CAST, OPMUX_F16, v);
        p.out(v);
        Desc e = make(c);
        e.in(bias.t).program(p);
        ASSERT_TRUE(run_op(
            host, e, {a.data(), b.data(), nullptr, nullptr, scale.data(), nullptr, bias.data(), c.data()}));
        c.each([&](const Index& i) {
          const float want =
              std::max(static_cast<float>(plain.get(i)) + static_cast<float>(bias.get({i[1]})), 0.0f);
          EXPECT_EQ(c.get(i), out == OPMUX_F16 ? decode16(encode16(want, 10, 15), 10, 15) : want) << text(i);
        });
      }
}

TEST(QuantMatmul, AgreesOnEveryInstructionSet) {
  std::mt19937 rng(9);
  on_every_instruction_set([&] {
    Host host(2);
    for (uint32_t b : kWeights)
      for (int64_t m : {1, 2, 4, 20})
        for (bool constant : {false, true})
          check(host, {.b = b, .group = 32, .constant = constant}, {{}, {}, m, 104, 45}, rng);
    check(host, {.a = OPMUX_U8, .b = OPMUX_I8, .out = OPMUX_I32, .scale = OPMUX_NONE, .acc = OPMUX_I32},
          {{}, {}, 9, 103, 45}, rng);
  });
}

TEST(QuantMatmul, GivesTheSameBitsForAnyNumberOfThreads) {
  std::mt19937 rng(3);
  for (int64_t m : {1, 3, 40}) {
    Tensor a(OPMUX_F32, {m, 512}), b(OPMUX_I4, {512, 300}), scale(OPMUX_F32, {16, 300});
    for (Tensor* t : {&a, &b, &scale}) t->random(rng);
    Tensor c(OPMUX_F32, {m, 300});
    expect_same_bits({&c}, std::to_string(m) + " rows", [&](Host& host) {
      Desc d(OPMUX_OP_QUANT_MATMUL);
      d.in(a.t).in(b.t).in(kit::absent()).in(kit::absent()).in(scale.t).in(kit::absent()).out(c.t);
      d->acc_dtype = OPMUX_F32;
      d->b_group = 32;
      ASSERT_TRUE(run_op(host, d, {a.data(), b.data(), nullptr, nullptr, scale.data(), nullptr, c.data()}));
    });
  }
}

}  // namespace
}  // namespace opmux::test
