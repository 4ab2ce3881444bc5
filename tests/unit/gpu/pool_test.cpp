// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/gpu/recorded_plan.hpp"

namespace opmux::gpu {
namespace {

kit::Desc<opmux_op_pool> pool(uint32_t dtype, uint32_t kind, uint32_t p) {
  kit::Desc<opmux_op_pool> d(OPMUX_OP_POOL);
  d->kind = kind;
  d->p = p;
  d->kernel = d.list({2});
  d->stride = d.list({1});
  d->dilation = d.list({1});
  d->pad = d.list({0, 0});
  d.in(kit::tensor(dtype, {1, 2, 9})).out(kit::tensor(dtype, {1, 2, 8})).out(kit::absent());
  return d;
}

TEST(PoolPlan, HigherRootsHaveAKernelOfTheirOwn) {
  auto two = pool(OPMUX_F32, OPMUX_POOL_LP, 2);
  EXPECT_EQ(Recorded(plan_pool, two).kernels(), std::vector<std::string>{"pool"});
  auto three = pool(OPMUX_F16, OPMUX_POOL_LP, 3);
  const Recorded r(plan_pool, three);
  EXPECT_EQ(r.kernels(), std::vector<std::string>{"pool_root"});
  EXPECT_EQ(r.word(0, "power"), 3u);
  EXPECT_EQ(r.word(0, "newton"), 2u);
}

TEST(PoolPlan, ARootThatF32CannotRaiseToItsPowerAgainIsNotBettered) {
  auto d = pool(OPMUX_F32, OPMUX_POOL_LP, 1001);
  EXPECT_EQ(Recorded(plan_pool, d).word(0, "newton"), 0u);
  auto wide = pool(OPMUX_F64, OPMUX_POOL_LP, 1001);
  EXPECT_EQ(Recorded(plan_pool, wide).word(0, "newton"), 4u);
}

}  // namespace
}  // namespace opmux::gpu
