// SPDX-License-Identifier: Apache-2.0
// dynamic_quantise against the reference, bit for bit.
#include "opmux/ops/quantise.gen.h"
#include "oracle.hpp"

namespace opmux::test {
namespace {

using Desc = kit::Desc<opmux_op_dynamic_quantise>;

// Runs it on all outputs and compares each with the oracle's exact values.
void check(Host& host, const Tensor& source, uint32_t axis, uint32_t block, uint32_t dtype,
           std::mt19937* rng) {
  Tensor x = source;
  Index dims(x.t.dim, x.t.dim + x.t.rank), of_scale = dims;
  of_scale[axis] = block == 0 ? 1 : (dims[axis] + block - 1) / block;
  const bool zero = OPMUX_DTYPE_CLASS(dtype) != OPMUX_CLASS_FLOAT &&
                    (OPMUX_DTYPE_CLASS(dtype) == OPMUX_CLASS_UNSIGNED || block % 2 == 0);
  const bool odd = rng && OPMUX_DTYPE_BITS(dtype) == 8;
  Tensor y = odd ? Tensor(dtype, dims, *rng) : Tensor(dtype, dims);
  Tensor scale = rng ? Tensor(OPMUX_F32, of_scale, *rng) : Tensor(OPMUX_F32, of_scale);
  Tensor offset(dtype, of_scale);
  Desc d(OPMUX_OP_DYNAMIC_QUANTISE);
  d.in(x.t).out(y.t).out(scale.t);
  std::vector<void*> args{x.data(), y.data(), scale.data()};
  if (zero) {
    d.out(offset.t);
    args.push_back(offset.data());
  }
  d->axis = axis;
  d->block = block;
  d->dtype = dtype;
  ASSERT_TRUE(run_op(host, d, args));
  Tensor* outs[] = {&y, &scale, &offset};
  for (uint32_t o = 0; o < (zero ? 3u : 2u); ++o) {
    const Truth t = Oracle::get().evaluate(d, args, o);
    size_t k = 0;
    outs[o]->each([&](const Index& i) {
      const double got = outs[o]->get(i), want = t[k++];
      if (testing::Test::HasFailure()) return;
      EXPECT_TRUE(got == want || (std::isnan(got) && std::isnan(want)))
          << "output " << o << " at " << text(i) << " is " << got << ", must be " << want << ", type 0x"
          << std::hex << dtype << std::dec << " axis " << axis << " block " << block;
    });
  }
  if (OPMUX_DTYPE_BITS(dtype) == 8) {
    EXPECT_TRUE(y.gaps_untouched());
  }
  EXPECT_TRUE(scale.gaps_untouched());
}

constexpr uint32_t kTypes[] = {OPMUX_I8,     OPMUX_U8,   OPMUX_I4,       OPMUX_U4,       OPMUX_I2,  OPMUX_U2,
                               OPMUX_E4M3FN, OPMUX_E5M2, OPMUX_E4M3FNUZ, OPMUX_E5M2FNUZ, OPMUX_E2M1};

TEST(DynamicQuantise, AgreesToTheBitForEveryTypeAndGrouping) {
  std::mt19937 rng(1);
  Host host(2);
  for (const Index& dims : {Index{1}, Index{37}, Index{0, 4}, Index{4, 0}, Index{5, 33}, Index{3, 65, 7},
                            Index{2, 1, 3, 1, 2, 1, 2, 9}})
    for (uint32_t dtype : kTypes)
      for (uint32_t axis = 0; axis < dims.size(); ++axis)
        for (uint32_t block : {0u, 1u, 16u, 32u}) {
          for (uint32_t from : {OPMUX_F32, OPMUX_F16, OPMUX_BF16}) {
            check(host, Tensor(from, dims, rng).random(rng), axis, block, dtype, &rng);
            if (HasFailure()) return;
          }
        }
}

TEST(DynamicQuantise, SharesLongGroupsAmongThreads) {
  std::mt19937 rng(2);
  for (uint32_t threads : {1u, 2u, 7u}) {
    Host host(threads);
    for (uint32_t dtype : {OPMUX_U8, OPMUX_I8, OPMUX_E4M3FN, OPMUX_I4}) {
      check(host, Tensor(OPMUX_F32, {100003}).random(rng), 0, 0, dtype, nullptr);
      check(host, Tensor(OPMUX_F32, {3, 40000}).random(rng), 1, 0, dtype, nullptr);
      check(host, Tensor(OPMUX_F32, {50000, 2}).random(rng), 0, 20000, dtype, nullptr);
    }
  }
}

TEST(DynamicQuantise, GivesZerosScaleOneAndLetsNaNAndInfinityStayInTheirGroup) {
  Host host(1);
  for (uint32_t dtype : kTypes)
    for (double odd : {0.0, -0.0, 1e-45, static_cast<double>(INFINITY), static_cast<double>(-INFINITY),
                       static_cast<double>(NAN), 3e38}) {
      Tensor x(OPMUX_F32, {3, 40});
      x.each([&](const Index& i) {
        x.set(i, i[0] == 1 ? (i[1] == 7 ? odd : 0) : static_cast<double>(i[1]) - 3);
      });
      check(host, x, 1, 0, dtype, nullptr);
    }
}

}  // namespace
}  // namespace opmux::test
