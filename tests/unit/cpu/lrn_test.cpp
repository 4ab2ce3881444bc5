// SPDX-License-Identifier: Apache-2.0
#include "opmux/ops/normalise.gen.h"
#include "oracle.hpp"

namespace opmux::test {
namespace {

struct Case {
  Index x;
  uint32_t size;
  float alpha, beta, bias;
};

void check(const Case& c, uint32_t dtype, bool odd, Host& host, std::mt19937& rng) {
  Tensor x = make(dtype, c.x, odd, rng);
  Tensor y = make(dtype, c.x, odd, rng);
  x.random(rng);
  kit::Desc<opmux_op_lrn> d(OPMUX_OP_LRN);
  d.in(x.t).out(y.t);
  d->size = c.size;
  d->alpha = c.alpha;
  d->beta = c.beta;
  d->bias = c.bias;
  const std::vector<void*> args{x.data(), y.data()};
  const std::string what = "x " + text(c.x) + " size " + std::to_string(c.size) + (odd ? " odd" : "");
  ASSERT_TRUE(run_op(host, d, args)) << what;
  const double u = unit_roundoff(dtype == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32);
  expect_close(y, Oracle::get().evaluate(d, args), what, [&](size_t, double want) {
    return (8 + c.size) * u * std::fabs(want) + spacing(dtype, want);
  });
}

TEST(Lrn, DividesByThePowerOfTheWindow) {
  const Case cases[] = {
      {{1, 7, 5, 3}, 5, 1e-4f, 0.75f, 1}, {{2, 3, 4}, 4, 5e-4f, 0.75f, 2},    {{2, 1}, 1, 1, 0.5f, 1},
      {{600, 6}, 3, 0.5f, 0.75f, 1},      {{2, 9, 33, 40}, 5, 2, 1.3f, 0.5f}, {{1, 4, 600}, 9, 1, 0.75f, 1},
      {{0, 4, 3}, 2, 1, 0.75f, 1},        {{1, 3, 5}, 2147483647, 1, 1, 1},
  };
  std::mt19937 rng(1);
  Host host(3);
  for (const Case& c : cases)
    for (uint32_t dtype : {OPMUX_F32, OPMUX_F64, OPMUX_F16, OPMUX_BF16})
      for (bool odd : {false, true}) check(c, dtype, odd, host, rng);
}

}  // namespace
}  // namespace opmux::test
