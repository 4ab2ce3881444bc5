// SPDX-License-Identifier: Apache-2.0
#include "op_case.hpp"
#include "opmux/ops/matmul.gen.h"
#include "opmux/ops/memory.gen.h"

namespace opmux::test {
namespace {

TEST(Random, FloatsAgreeWithTheReferenceForAllTypesAndStrides) {
  std::mt19937 rng(1);
  Host host(3);
  for (uint32_t kind : {OPMUX_RANDOM_UNIFORM, OPMUX_RANDOM_NORMAL})
    for (uint32_t dtype : {OPMUX_F32, OPMUX_F64, OPMUX_F16, OPMUX_BF16})
      for (const Index& dims : {Index{}, Index{0, 3}, Index{1}, Index{127}, Index{4097}, Index{3, 5, 7},
                                Index{2, 3, 5, 7, 1, 2, 1, 3}})
        for (bool odd : {false, true}) {
          OpCase<opmux_op_random> c(OPMUX_OP_RANDOM, odd, rng);
          for (int i = 0; i < 2; ++i)
            *static_cast<uint64_t*>(c.in(OPMUX_U64, {}).data()) =
                i == 0 ? 0x123456789abcdefull : 0xfffffff0ull;
          c.scalar(dtype, -1.5);
          c.scalar(dtype, 2);
          c.out(dtype, dims);
          c->kind = kind;
          c.check(host, "kind " + std::to_string(kind) + " " + text(dims),
                  [&](size_t, size_t i, const Truth& t) { return dot_bound(dtype, 8, 1, t.magnitude[i]); });
        }
}

TEST(Random, GivesTheSameStreamOnEveryInstructionSetAndNumberOfThreads) {
  std::mt19937 rng(2);
  OpCase<opmux_op_random> c(OPMUX_OP_RANDOM, false, rng);
  for (int i = 0; i < 2; ++i) *static_cast<uint64_t*>(c.in(OPMUX_U64, {}).data()) = 0xfffffffff0ull;
  for (double v : {-1000.0, 1000.0}) {
    Tensor& t = c.in(OPMUX_I32, {});
    t.set({}, v);
  }
  c.out(OPMUX_I32, {100001});
  c->kind = OPMUX_RANDOM_UNIFORM;
  Host one(1);
  const auto first = c.bytes(one);
  on_every_instruction_set([&] {
    Host host(3);
    EXPECT_EQ(c.bytes(host), first) << cpu::simd_name();
  });
}

TEST(Det, AgreesWithTheReferenceForAllTypesAndStrides) {
  std::mt19937 rng(3);
  Host host(3);
  for (uint32_t dtype : {OPMUX_F32, OPMUX_F64, OPMUX_F16, OPMUX_BF16})
    for (const Index& dims : {Index{1, 1}, Index{2, 2}, Index{3, 0, 0}, Index{0, 4, 4}, Index{2, 3, 5, 5},
                              Index{300, 3, 3}, Index{65, 65}, Index{2, 131, 131}})
      for (bool odd : {false, true}) {
        OpCase<opmux_op_det> c(OPMUX_OP_DET, odd, rng);
        c.in(dtype, dims);
        c.out(dtype, Index(dims.begin(), dims.end() - 2));
        c.check(host, text(dims), [&](size_t, size_t i, const Truth& t) {
          return dot_bound(dtype, 8, static_cast<double>(dims.back()), t.magnitude[i]);
        });
      }
}

double det_of(const Index& dims, const std::vector<double>& values) {
  std::mt19937 rng(4);
  Host host(1);
  OpCase<opmux_op_det> c(OPMUX_OP_DET, false, rng);
  Tensor& x = c.in(OPMUX_F64, dims);
  size_t k = 0;
  x.each([&](const Index& i) { x.set(i, values[k++]); });
  Tensor& y = c.out(OPMUX_F64, {});
  EXPECT_TRUE(run_op(host, c.desc, c.args));
  return y.get({});
}

TEST(Det, PivotsAndKeepsProductsInRange) {
  EXPECT_EQ(det_of({2, 2}, {0, 1, 1, 0}), -1);
  EXPECT_EQ(det_of({3, 3}, {0, 0, 1, 1, 0, 0, 0, 1, 0}), 1);
  EXPECT_EQ(det_of({2, 2}, {1, 2, 2, 4}), 0);
  EXPECT_EQ(det_of({4, 4}, {1e200, 0, 0, 0, 0, 1e200, 0, 0, 0, 0, 1e-200, 0, 0, 0, 0, 1e-200}),
            1e200 * 1e-200 * 1e200 * 1e-200);
  EXPECT_TRUE(std::isnan(det_of({2, 2}, {0, NAN, 0, 1})));
  EXPECT_TRUE(std::isnan(det_of({1, 1}, {INFINITY})));
}

}  // namespace
}  // namespace opmux::test
