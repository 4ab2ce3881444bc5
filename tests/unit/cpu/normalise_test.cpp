// SPDX-License-Identifier: Apache-2.0
// layer_norm and group_norm: any view and type, against the reference within the rounding of their
// statistics.
#include "opmux/ops/normalise.gen.h"

#include "against_reference.hpp"

namespace opmux::test {
namespace {

// Runs with 1, 2 and 7 threads: all right, all the same bits.
template <class T>
void check(kit::Desc<T>& d, std::vector<void*> args, const std::vector<Tensor*>& out,
           const std::string& what) {
  for (Tensor* t : out) args.push_back(t->data());
  expect_reference_bound(d, args, out, what, [](const Tensor& y, double want, double magnitude) {
    const double eps = y.t.dtype == OPMUX_F64 ? 1e-13 : 2e-6;
    return eps * (magnitude + std::fabs(want) + 1) + spacing(y.t.dtype, want);
  });
}

const uint32_t kTypes[] = {OPMUX_F64, OPMUX_F32, OPMUX_F16, OPMUX_BF16};

TEST(LayerNorm, NormalisesAnyViewOfAnyType) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 rng(seed);
    const uint32_t type = kTypes[seed % 4], rank = 1 + rng() % 4;
    Index dims(rank);
    for (int64_t& n : dims) n = 1 + static_cast<int64_t>(rng() % 40);
    if (seed % 25 == 0) dims[0] = 0;
    const uint32_t axis = rng() % rank;
    const Index inner(dims.begin() + axis, dims.end());
    Index kept = dims;
    std::fill(kept.begin() + axis, kept.end(), 1);
    Tensor x(type, dims, rng), scale(type, inner, rng), bias(type, inner, rng), y(type, dims, rng),
        mean(OPMUX_F32, kept), inverse(OPMUX_F32, kept);
    x.random(rng);
    scale.random(rng);
    bias.random(rng);
    const bool rms = rng() % 2, with_scale = rng() % 3 != 0, with_bias = rng() % 3 != 0,
               statistics = !rms && rng() % 2;
    const opmux_tdesc absent{};
    kit::Desc<opmux_op_layer_norm> d(OPMUX_OP_LAYER_NORM);
    d->kind = rms ? OPMUX_NORM_RMS : OPMUX_NORM_LAYER;
    d->axis = axis;
    d->epsilon = 1e-3f;
    d.in(x.t).in(with_scale ? scale.t : absent).in(with_bias ? bias.t : absent).out(y.t);
    std::vector<Tensor*> out{&y};
    if (statistics) {
      d.out(mean.t).out(inverse.t);
      out.push_back(&mean);
      out.push_back(&inverse);
    }
    check(d, {x.data(), with_scale ? scale.data() : nullptr, with_bias ? bias.data() : nullptr}, out,
          "layer_norm " + text(dims) + " axis " + std::to_string(axis) + " seed " + std::to_string(seed));
  }
}

TEST(LayerNorm, KeepsItsAccuracyWhereTheMeanIsFarAboveTheSpread) {
  const Index dims{3, 5000};
  std::mt19937 rng(3);
  Tensor x(OPMUX_F32, dims), y(OPMUX_F32, dims);
  x.random(rng);
  x.each([&](const Index& i) { x.set(i, 1000 + x.get(i)); });
  kit::Desc<opmux_op_layer_norm> d(OPMUX_OP_LAYER_NORM);
  d->kind = OPMUX_NORM_LAYER;
  d->axis = 1;
  d->epsilon = 1e-5f;
  d.in(x.t).out(y.t);
  std::vector<void*> args{x.data(), y.data()};
  const Truth truth = Oracle::get().evaluate(d, args);
  Host host(2);
  ASSERT_NE(run_op(host, d, args), nullptr);
  expect_close(y, truth, "layer_norm", [](size_t, double want) { return 1e-5 * (std::fabs(want) + 1); });
}

TEST(GroupNorm, NormalisesGroupsOfChannels) {
  for (uint32_t seed = 0; seed < 120; ++seed) {
    std::mt19937 rng(seed);
    const uint32_t type = kTypes[seed % 4];
    const int64_t groups = 1 + static_cast<int64_t>(rng() % 4),
                  channels = groups * (1 + static_cast<int64_t>(rng() % 5));
    Index dims{1 + static_cast<int64_t>(rng() % 3), channels};
    for (uint32_t i = rng() % 3; i > 0; --i) dims.push_back(1 + static_cast<int64_t>(rng() % 20));
    Tensor x(type, dims, rng), scale(type, {channels}, rng), bias(type, {channels}, rng), y(type, dims, rng);
    x.random(rng);
    scale.random(rng);
    bias.random(rng);
    const bool affine = rng() % 3 != 0;
    const opmux_tdesc absent{};
    kit::Desc<opmux_op_group_norm> d(OPMUX_OP_GROUP_NORM);
    d->groups = static_cast<uint32_t>(groups);
    d->epsilon = 1e-3f;
    d.in(x.t).in(affine ? scale.t : absent).in(affine ? bias.t : absent).out(y.t);
    check(d, {x.data(), affine ? scale.data() : nullptr, affine ? bias.data() : nullptr}, {&y},
          "group_norm " + text(dims) + " groups " + std::to_string(groups) + " seed " + std::to_string(seed));
  }
}

}  // namespace
}  // namespace opmux::test
