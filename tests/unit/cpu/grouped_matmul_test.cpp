// SPDX-License-Identifier: Apache-2.0
#include "opmux/ops/matmul.gen.h"
#include "oracle.hpp"
#include "run_fault.hpp"
#include "same_bits.hpp"

namespace opmux::test {
namespace {

using Desc = kit::Desc<opmux_op_grouped_matmul>;

Desc describe(Tensor& a, Tensor& b, Tensor& offsets, Tensor& c) {
  Desc d(OPMUX_OP_GROUPED_MATMUL);
  d.in(a.t).in(b.t).in(offsets.t).out(c.t);
  d->acc_dtype = a.t.dtype == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32;
  return d;
}
void set(Tensor& t, const std::vector<double>& v) {
  for (size_t i = 0; i < v.size(); ++i) t.set({static_cast<int64_t>(i)}, v[i]);
}

struct Case {
  int64_t rows, k, n;
  std::vector<double> offsets;
};
const Case kCases[] = {{1, 1, 1, {0, 1}},
                       {31, 17, 33, {0, 5, 5, 30, 31}},
                       {300, 129, 140, {0, 250, 251, 300}},
                       {40, 20, 9, {7, 10, 33}},  // rows before and after all groups
                       {40, 20, 9, {0, 0, 0}},
                       {5, 0, 4, {0, 2, 5}},
                       {0, 4, 5, {0, 0}},
                       {6, 4, 0, {0, 6}},
                       {6, 4, 5, {3}}};  // no group

TEST(GroupedMatmul, AgreesWithTheReferenceForEveryTypeStrideAndConstancy) {
  std::mt19937 rng(1);
  Host host(2);
  for (uint32_t dtype : {OPMUX_F32, OPMUX_F16, OPMUX_BF16, OPMUX_F64})
    for (const Case& k : kCases)
      for (int form = 0; form < 4; ++form) {
        SCOPED_TRACE(testing::Message()
                     << "rows " << k.rows << " form " << form << " type " << (dtype & 255));
        const auto groups = static_cast<int64_t>(k.offsets.size()) - 1;
        const bool odd = form & 2;
        Tensor a = make(dtype, {k.rows, k.k}, odd, rng), b = make(dtype, {groups, k.k, k.n}, odd, rng),
               c = make(dtype, {k.rows, k.n}, odd, rng);
        Tensor offsets = make(OPMUX_I32, {groups + 1}, odd, rng);
        a.random(rng);
        b.random(rng);
        set(offsets, k.offsets);
        if (form & 1) b.t.flags = OPMUX_T_CONST;
        Desc d = describe(a, b, offsets, c);
        const std::vector<void*> args{a.data(), b.data(), offsets.data(), c.data()};
        const Truth truth = Oracle::get().evaluate(d, args);
        ASSERT_TRUE(run_op(host, d, args));
        const double u = std::ldexp(1.0, dtype == OPMUX_F64 ? -53 : -24) * static_cast<double>(k.k + 1);
        expect_close(c, truth, "grouped_matmul", [&](size_t i, double want) {
          return u * truth.magnitude[i] + spacing(dtype, want) / 2;
        });
        if (HasFailure()) return;
      }
}

TEST(GroupedMatmul, AddsAResidualInItsEpilogue) {
  std::mt19937 rng(2);
  Host host(2);
  Tensor a(OPMUX_F32, {50, 30}), b(OPMUX_F32, {3, 30, 41}), offsets(OPMUX_I32, {4}),
      plain(OPMUX_F32, {50, 41});
  Tensor other(OPMUX_F32, {50, 41}), c(OPMUX_F16, {50, 41});
  for (Tensor* t : {&a, &b, &other}) t->random(rng);
  set(offsets, {2, 20, 20, 45});
  Desc d = describe(a, b, offsets, plain);
  ASSERT_TRUE(run_op(host, d, {a.data(), b.data(), offsets.data(), plain.data()}));
  kit::Program p(OPMUX_SLOT_EPILOGUE(0), 2);
  p.out(p.apply(OPMUX_FN_CAST, OPMUX_F16, p.apply(OPMUX_FN_ADD, OPMUX_F32, 0, 1)));
  Desc e = describe(a, b, offsets, c);
  e.in(other.t).program(p);
  ASSERT_TRUE(run_op(host, e, {a.data(), b.data(), offsets.data(), other.data(), c.data()}));
  c.each([&](const Index& i) {
    const float want = static_cast<float>(plain.get(i)) + static_cast<float>(other.get(i));
    EXPECT_EQ(c.get(i), decode16(encode16(want, 10, 15), 10, 15)) << text(i);
  });
}

TEST(GroupedMatmul, NamesAnOffsetThatFallsOrLiesOutside) {
  Host host(2);
  struct Bad {
    std::vector<double> offsets;
    const char* text;
  };
  for (const Bad& bad : {Bad{{0, 4, 3}, "grouped_matmul: offset 3 at position 2 is outside [4, 6]"},
                         Bad{{-1, 4, 6}, "grouped_matmul: offset -1 at position 0 is outside [0, 6]"},
                         Bad{{0, 4, 7}, "grouped_matmul: offset 7 at position 2 is outside [4, 6]"}}) {
    Tensor a(OPMUX_F32, {6, 4}), b(OPMUX_F32, {2, 4, 5}), offsets(OPMUX_I32, {3}), c(OPMUX_F32, {6, 5});
    set(offsets, bad.offsets);
    Desc d = describe(a, b, offsets, c);
    expect_fault(host, d, {a.data(), b.data(), offsets.data(), c.data()}, 2, bad.text);
    for (std::byte byte : c.memory()) EXPECT_EQ(byte, std::byte{0xa5});
  }
}

TEST(GroupedMatmul, GivesTheSameBitsForAnyNumberOfThreads) {
  std::mt19937 rng(3);
  Tensor a(OPMUX_F32, {400, 100}), b(OPMUX_F32, {5, 100, 150}), offsets(OPMUX_I32, {6});
  a.random(rng);
  b.random(rng);
  set(offsets, {0, 30, 31, 200, 390, 400});
  Tensor c(OPMUX_F32, {400, 150});
  expect_same_bits({&c}, "grouped_matmul", [&](Host& host) {
    Desc d = describe(a, b, offsets, c);
    ASSERT_TRUE(run_op(host, d, {a.data(), b.data(), offsets.data(), c.data()}));
  });
}

}  // namespace
}  // namespace opmux::test
