// SPDX-License-Identifier: Apache-2.0
#include "opmux/ops/pointwise.gen.h"

#include "kit/insn.hpp"
#include "kit/schema/schema.hpp"
#include "oracle.hpp"
#include "same_bits.hpp"

namespace opmux::test {
namespace {

constexpr uint32_t kAll[] = {OPMUX_F64, OPMUX_F32, OPMUX_F16, OPMUX_BF16, OPMUX_I64, OPMUX_I32, OPMUX_I16,
                             OPMUX_I8,  OPMUX_U64, OPMUX_U32, OPMUX_U16,  OPMUX_U8,  OPMUX_BOOL};

// Tensors of any type hold kit scalars here.
void set(Tensor& t, const Index& i, kit::Scalar v) {
  kit::store(t.t.dtype, t.data(), t.offset(i) - t.offset(Index(t.t.rank, 0)), v);
}
kit::Scalar get(Tensor& t, const Index& i) {
  return kit::load(t.t.dtype, t.data(), t.offset(i) - t.offset(Index(t.t.rank, 0)));
}

kit::Scalar random_scalar(uint32_t dtype, std::mt19937& rng) {
  if (dtype == OPMUX_BOOL) return kit::of_bool(rng() & 1);
  if (!kit::is_float(dtype)) {
    const uint64_t wide = uint64_t{rng()} << 32 | rng();
    return kit::wrap(dtype, rng() % 3 ? wide : wide % 17 - 8);
  }
  constexpr double kSpecial[] = {0.0,  -0.0,  INFINITY, -INFINITY, NAN, 1.0,
                                 -1.0, 1e-45, 65504,    1e-7,      0.5, 88.5};
  std::uniform_real_distribution<double> real(-20, 20);
  const double v = rng() % 8 == 0 ? kSpecial[rng() % std::size(kSpecial)]
                   : rng() % 2    ? real(rng)
                                  : real(rng) / 20;
  return kit::of_float(kit::round_to(dtype, v));
}

void fill_random(Tensor& t, std::mt19937& rng) {
  t.each([&](const Index& i) { set(t, i, random_scalar(t.t.dtype, rng)); });
}

struct Function {
  uint32_t fn;
  int arity;
};
std::vector<Function> functions() {
  std::vector<Function> all;
  for (uint32_t fn = 2; fn <= OPMUX_FN_CLAMP; ++fn)
    if (schema::fn_arity(fn) > 0) all.push_back({fn, schema::fn_arity(fn)});
  return all;
}

// A random program over inputs of the given types that the schema accepts.
kit::Program random_program(const std::vector<uint32_t>& in, size_t length, std::mt19937& rng,
                            std::vector<uint32_t>& type) {
  kit::Program p(OPMUX_SLOT_MAIN, static_cast<uint32_t>(in.size()));
  type = in;
  const std::vector<Function> fns = functions();
  while (p.insn().size() < length) {
    const auto pick = [&] { return static_cast<uint32_t>(rng() % type.size()); };
    opmux_insn insn{};
    if (rng() % 6 == 0) {
      insn.op = OPMUX_FN_CONST;
      insn.dtype = type[pick()];
      const kit::Scalar v = random_scalar(insn.dtype, rng);
      insn.imm = kit::is_float(insn.dtype) ? kit::float_bits(insn.dtype, v.f) : v.u;
      const uint32_t bits = OPMUX_DTYPE_BITS(insn.dtype);
      if (bits < 64) insn.imm &= (uint64_t{1} << bits) - 1;
    } else {
      const Function f = rng() % 4 ? fns[rng() % fns.size()] : Function{OPMUX_FN_CAST, 1};
      insn.op = f.fn;
      insn.a = pick();
      if (f.arity > 1) insn.b = pick();
      if (f.arity > 2) insn.c = pick();
      insn.dtype = type[f.fn == OPMUX_FN_SELECT ? insn.b : insn.a];
      if (f.fn == OPMUX_FN_CAST) {
        insn.dtype = kAll[rng() % std::size(kAll)];
        insn.flags = rng() % 2 ? OPMUX_INSN_SATURATE : 0;
      } else if (kit::detail::gives_bool(f.fn)) {
        insn.dtype = OPMUX_BOOL;
      }
    }
    p.insn().push_back(insn);
    std::vector<uint32_t> value(OPMUX_MAX_PROG_IN + OPMUX_MAX_INSN);
    schema::Problem problem;
    const uint32_t last = p.view().n_in + static_cast<uint32_t>(p.insn().size()) - 1;
    kit::Program whole = p;
    whole.out(last);
    if (schema::check_insn_types(whole.view(), in.data(), value.data(), problem)) {
      type.push_back(insn.dtype);
    } else {
      p.insn().pop_back();
    }
  }
  return p;
}

// Ulp between neighbouring results, for values that a function of `c` ulp may have moved.
double ulps(uint32_t dtype, double got, double want) {
  if (std::isnan(got) && std::isnan(want)) return 0;
  if (std::isinf(got) && std::fabs(want) >= greatest(dtype) && (got > 0) == (want > 0)) return 0;
  return got == want ? 0 : std::fabs(got - want) / spacing(dtype, want);
}

// One function on all kinds of operands, element by element against its definition.
void check_function(uint32_t fn, int arity, uint32_t dtype, double limit) {
  const uint32_t result = kit::detail::gives_bool(fn) ? OPMUX_BOOL : dtype;
  std::mt19937 rng(fn * 31 + dtype);
  const Index dims{4, 257};
  kit::Desc<opmux_op_pointwise> d(OPMUX_OP_POINTWISE);
  std::vector<Tensor> x;
  for (int i = 0; i < arity; ++i) {
    x.emplace_back(fn == OPMUX_FN_SELECT && i == 0 ? OPMUX_BOOL : dtype, dims);
    fill_random(x.back(), rng);
    d.in(x.back().t);
  }
  Tensor y(result, dims);
  d.out(y.t);
  kit::Program p(OPMUX_SLOT_MAIN, static_cast<uint32_t>(arity));
  d.program(p.out(p.apply(fn, result, 0, arity > 1 ? 1 : 0, arity > 2 ? 2 : 0)));
  schema::Problem problem;
  if (!schema::validate(*d.opd(), problem)) return;  // no such form
  std::vector<void*> args;
  for (Tensor& t : x) args.push_back(t.data());
  args.push_back(y.data());
  Host host(1);
  ASSERT_NE(run_op(host, d, args), nullptr) << schema::fn_name(fn) << " of " << schema::dtype_name(dtype);
  y.each([&](const Index& i) {
    const opmux_insn insn{fn, result, 0, 0, 0, 0, 0};
    kit::Scalar v[3] = {};
    for (int a = 0; a < arity; ++a) v[a] = get(x[static_cast<size_t>(a)], i);
    const kit::Scalar got = get(y, i);
    if (!kit::is_float(result)) {
      EXPECT_EQ(got.u, kit::evaluate(insn, dtype, v[0], v[1], v[2]).u)
          << schema::fn_name(fn) << " at " << text(i);
      return;
    }
    const auto want = static_cast<double>(kit::evaluate_unrounded(insn, dtype, v[0], v[1], v[2]));
    EXPECT_LE(ulps(result, got.f, want), limit)
        << schema::fn_name(fn) << " of " << schema::dtype_name(dtype) << ": f(" << v[0].f << ", " << v[1].f
        << ", " << v[2].f << ") is " << got.f << ", must be " << want;
  });
}

TEST(Pointwise, EveryFunctionAgreesWithItsDefinitionOnEveryType) {
  for (const Function& f : functions()) {
    if (f.fn == OPMUX_FN_CAST) continue;
    for (uint32_t dtype : kAll) check_function(f.fn, f.arity, dtype, 4.0);
  }
}

TEST(Pointwise, EveryCastAgreesWithItsDefinition) {
  std::mt19937 rng(5);
  for (uint32_t from : kAll)
    for (uint32_t to : kAll)
      for (uint32_t flags : {0u, OPMUX_INSN_SATURATE}) {
        Tensor x(from, {1000}), y(to, {1000});
        fill_random(x, rng);
        kit::Desc<opmux_op_pointwise> d(OPMUX_OP_POINTWISE);
        kit::Program p(OPMUX_SLOT_MAIN, 1);
        d.in(x.t).out(y.t).program(p.out(p.apply(OPMUX_FN_CAST, to, 0, 0, 0, flags)));
        Host host(1);
        ASSERT_NE(run_op(host, d, {x.data(), y.data()}), nullptr);
        x.each([&](const Index& i) {
          const kit::Scalar got = get(y, i), want = kit::cast_to(from, to, get(x, i), flags != 0);
          const bool same = kit::is_float(to) ? got.f == want.f || (std::isnan(got.f) && std::isnan(want.f))
                                              : got.u == want.u;
          EXPECT_TRUE(same) << schema::dtype_name(from) << " to " << schema::dtype_name(to) << " flags "
                            << flags << ": of " << get(x, i).f << "/" << get(x, i).i << " is " << got.f << "/"
                            << got.i << ", must be " << want.f << "/" << want.i;
        });
      }
}

// Only functions whose value is one exact rounding, so that whole programs must agree to the bit.
TEST(Pointwise, ProgramsRoundEveryValueToItsType) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    std::mt19937 rng(seed);
    std::vector<uint32_t> in(1 + rng() % 4), type;
    for (uint32_t& t : in) t = kAll[rng() % std::size(kAll)];
    kit::Program p = random_program(in, 1 + rng() % 20, rng, type);
    bool exact = true;
    for (const opmux_insn& i : p.insn())
      exact =
          exact && (!kit::is_float(i.dtype) || (kit::detail::rounds_exactly(i.op) && i.op != OPMUX_FN_FMA &&
                                                i.op != OPMUX_FN_MOD && i.op != OPMUX_FN_RSQRT));
    if (!exact) continue;
    const uint32_t n_out = 1 + rng() % 2;
    const Index dims = rng() % 2 ? Index{3, 1, 70} : Index{5, 7, 3};
    kit::Desc<opmux_op_pointwise> d(OPMUX_OP_POINTWISE);
    std::vector<Tensor> x, y;
    std::vector<void*> args;
    for (uint32_t t : in) {
      x.emplace_back(t, dims, rng);
      x.back().broadcast({rng() % 3 == 0, false, rng() % 3 == 0});
      fill_random(x.back(), rng);
    }
    std::vector<uint32_t> out;
    for (uint32_t o = 0; o < n_out; ++o) {
      out.push_back(static_cast<uint32_t>(rng() % type.size()));
      y.emplace_back(type[out.back()], dims, rng);
      p.out(out.back());
    }
    for (Tensor& t : x) d.in(t.t), args.push_back(t.data());
    for (Tensor& t : y) d.out(t.t), args.push_back(t.data());
    d.program(p);
    Host host(1);
    ASSERT_NE(run_op(host, d, args), nullptr) << "seed " << seed;
    Tensor::each_in(dims, [&](const Index& i) {
      kit::Scalar value[OPMUX_MAX_PROG_IN + OPMUX_MAX_INSN];
      for (size_t k = 0; k < x.size(); ++k) value[k] = get(x[k], i);
      kit::run_program(p.view(), type.data(), value);
      for (uint32_t o = 0; o < n_out; ++o) {
        const kit::Scalar got = get(y[o], i), want = value[out[o]];
        const bool same = kit::is_float(type[out[o]])
                              ? got.f == want.f || (std::isnan(got.f) && std::isnan(want.f))
                              : got.u == want.u;
        EXPECT_TRUE(same) << "seed " << seed << " output " << o << " at " << text(i) << ": " << got.f << "/"
                          << got.i << ", must be " << want.f << "/" << want.i;
      }
    });
    for (const Tensor& t : y) EXPECT_TRUE(t.gaps_untouched()) << "seed " << seed;
  }
}

kit::Desc<opmux_op_pointwise> gelu_bias(const Tensor& x, const Tensor& b, const Tensor& y) {
  kit::Desc<opmux_op_pointwise> d(OPMUX_OP_POINTWISE);
  kit::Program p(OPMUX_SLOT_MAIN, 2);
  d.in(x.t).in(b.t).out(y.t).program(
      p.out(p.apply(OPMUX_FN_GELU, OPMUX_F32, p.apply(OPMUX_FN_ADD, OPMUX_F32, 0, 1))));
  return d;
}

TEST(Pointwise, GivesTheSameBitsForAnyNumberOfThreads) {
  std::mt19937 rng(3);
  Tensor x(OPMUX_F32, {67, 3001}), b(OPMUX_F32, {3001}), y(OPMUX_F32, {67, 3001});
  x.random(rng);
  b.random(rng);
  expect_same_bits({&y}, "gelu", [&](Host& host) {
    auto d = gelu_bias(x, b, y);
    ASSERT_NE(run_op(host, d, {x.data(), b.data(), y.data()}), nullptr);
  });
}

TEST(Pointwise, MayOverwriteAnInputOfTheSameView) {
  std::mt19937 rng(3);
  Tensor x(OPMUX_F32, {9, 301}), b(OPMUX_F32, {301}), y(OPMUX_F32, {9, 301});
  x.random(rng);
  b.random(rng);
  Host host(2);
  auto d = gelu_bias(x, b, y);
  ASSERT_NE(run_op(host, d, {x.data(), b.data(), y.data()}), nullptr);
  d.alias({1});
  EXPECT_EQ(ask(d.opd()).cap.inplace_mask & 1u, 1u);
  ASSERT_NE(run_op(host, d, {x.data(), b.data(), x.data()}), nullptr);
  EXPECT_EQ(x.memory(), y.memory());
}

TEST(Pointwise, RefusesAnAliasWithOtherStrides) {
  Tensor x(OPMUX_F32, {8, 8}), b(OPMUX_F32, {8}), y(OPMUX_F32, {8, 8});
  auto d = gelu_bias(x, b, y);
  d.alias({1});
  std::swap(d.inputs()[0].stride[0], d.inputs()[0].stride[1]);
  const Answer a = ask(d.opd());
  EXPECT_EQ(a.op, nullptr);
  EXPECT_EQ(a.cap.why, OPMUX_WHY_ALIAS);
  EXPECT_EQ(a.cap.why_arg, 0u);
}

// The functions with vector forms, on many more samples than the test of all functions.
TEST(Pointwise, VectorFunctionsStayWithinFourUlp) {
  constexpr uint32_t kVector[] = {OPMUX_FN_EXP,   OPMUX_FN_EXPM1,     OPMUX_FN_EXP2,    OPMUX_FN_LOG,
                                  OPMUX_FN_LOG1P, OPMUX_FN_LOG2,      OPMUX_FN_SIN,     OPMUX_FN_COS,
                                  OPMUX_FN_TANH,  OPMUX_FN_ERF,       OPMUX_FN_ERFC,    OPMUX_FN_SIGMOID,
                                  OPMUX_FN_GELU,  OPMUX_FN_GELU_TANH, OPMUX_FN_SILU,    OPMUX_FN_SOFTPLUS,
                                  OPMUX_FN_MISH,  OPMUX_FN_RSQRT,     OPMUX_FN_SOFTSIGN};
  constexpr int64_t kSamples = 60000;
  for (uint32_t fn : kVector) {
    std::mt19937 rng(fn);
    Tensor x(OPMUX_F32, {kSamples}), y(OPMUX_F32, {kSamples});
    std::uniform_real_distribution<float> unit(-1, 1);
    for (int64_t i = 0; i < kSamples; ++i) {
      const uint32_t bits = rng();
      float v;
      std::memcpy(&v, &bits, sizeof v);
      const uint32_t range = rng() % 4;
      x.set({i}, range == 0 ? v : range == 1 ? unit(rng) : range == 2 ? 10 * unit(rng) : 105 * unit(rng));
    }
    kit::Desc<opmux_op_pointwise> d(OPMUX_OP_POINTWISE);
    kit::Program p(OPMUX_SLOT_MAIN, 1);
    d.in(x.t).out(y.t).program(p.out(p.apply(fn, OPMUX_F32, 0)));
    Host host(1);
    ASSERT_NE(run_op(host, d, {x.data(), y.data()}), nullptr);
    double worst = 0, at = 0;
    const opmux_insn insn{fn, OPMUX_F64, 0, 0, 0, 0, 0};
    for (int64_t i = 0; i < kSamples; ++i) {
      const double v = x.get({i});
      const auto want =
          static_cast<double>(kit::evaluate_unrounded(insn, OPMUX_F64, kit::of_float(v), {}, {}));
      const double u = ulps(OPMUX_F32, y.get({i}), want);
      if (!(u <= worst)) worst = u, at = v;
    }
    EXPECT_LE(worst, 4.0) << schema::fn_name(fn) << " at " << at;
    RecordProperty(schema::fn_name(fn), std::to_string(worst));
  }
}

}  // namespace
}  // namespace opmux::test
