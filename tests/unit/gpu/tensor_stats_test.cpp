// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/gpu/recorded_plan.hpp"

namespace opmux::gpu {
namespace {

Recorded stats(uint32_t dtype, std::vector<int64_t> dims) {
  kit::Desc<opmux_op_tensor_stats> d(OPMUX_OP_TENSOR_STATS);
  d.in(kit::tensor(dtype, dims)).out(kit::tensor(OPMUX_I64, {3})).out(kit::tensor(OPMUX_F64, {5}));
  return {plan_tensor_stats, d};
}

TEST(TensorStatsPlan, PartsOfTheTensorThenTheWhole) {
  const Recorded r = stats(OPMUX_F32, {3, 5000});
  ASSERT_EQ(r.kernels(), (std::vector<std::string>{"stats_part", "stats_whole"}));
  EXPECT_EQ(r.groups(0), 3u);
  EXPECT_EQ(r.word(0, "per"), 5000u);
  EXPECT_EQ(r.word(1, "count"), 3u);
}

TEST(TensorStatsPlan, HasNoMorePartsThanTheSecondKernelHasLanes) {
  const Recorded r = stats(OPMUX_U8, {int64_t{1} << 24});
  EXPECT_EQ(r.groups(0), 128u);
  EXPECT_EQ(kernel_file("stats_whole").group, 128u);
}

TEST(TensorStatsPlan, TypesOfOneWidthShareAText) {
  for (const auto& [a, b] :
       {std::pair{OPMUX_F16, OPMUX_I16}, {OPMUX_F32, OPMUX_U32}, {OPMUX_F64, OPMUX_I64}}) {
    EXPECT_EQ(stats(a, {7}).plan.steps[0].source.text(Language::kGlsl),
              stats(b, {7}).plan.steps[0].source.text(Language::kGlsl));
  }
}

}  // namespace
}  // namespace opmux::gpu
