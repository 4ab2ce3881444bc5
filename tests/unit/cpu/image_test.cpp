// SPDX-License-Identifier: Apache-2.0
// grid_sample, col2im and roi_align against the reference.
#include "opmux/ops/image.gen.h"

#include "opmux/ops/pool.gen.h"
#include "oracle.hpp"
#include "run_fault.hpp"
#include "same_bits.hpp"

namespace opmux::test {
namespace {

constexpr uint32_t kFloats[] = {OPMUX_F32, OPMUX_F64, OPMUX_F16, OPMUX_BF16};

// Runs and compares: within `factor` units of the sum of absolute terms.
template <class D>
void check(Host& host, kit::Desc<D>& d, const std::vector<void*>& args, const Tensor& y, double factor,
           const std::string& what) {
  run_and_compare(host, d, args, {&y}, what, [&](size_t, size_t k, double want, const Truth& truth) {
    return factor * wide_roundoff(y.t.dtype) * truth.magnitude[k] + spacing(y.t.dtype, want) / 2;
  });
}

struct Sampled {
  Index x, grid, y;
};
const Sampled kSampled[] = {
    {{1, 1, 4, 4}, {1, 6, 6, 2}, {1, 1, 6, 6}},          {{2, 3, 7, 5}, {2, 3, 67, 2}, {2, 3, 3, 67}},
    {{2, 5, 3, 4, 5}, {2, 2, 3, 9, 3}, {2, 5, 2, 3, 9}}, {{3, 2, 9}, {3, 31, 1}, {3, 2, 31}},
    {{40, 2, 3, 3}, {40, 1, 1, 2}, {40, 2, 1, 1}},  // a block of points in several images
    {{1, 1, 1, 1}, {1, 2, 2, 2}, {1, 1, 2, 2}},          {{0, 2, 3, 3}, {0, 2, 2, 2}, {0, 2, 2, 2}},
    {{1, 0, 3, 3}, {1, 2, 2, 2}, {1, 0, 2, 2}},
};

class GridSample : public testing::TestWithParam<uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Modes, GridSample, testing::Values(1u, 2u, 3u));

TEST_P(GridSample, IsTheWeightedSumOfNeighbours) {
  std::mt19937 rng(1);
  Host host(3);
  for (const Sampled& s : kSampled)
    for (uint32_t dtype : kFloats)
      for (uint32_t outside : {1u, 2u, 3u})
        for (bool odd : {false, true}) {
          Tensor x = make(dtype, s.x, odd, rng), y = make(dtype, s.y, odd, rng);
          Tensor grid = make(odd ? OPMUX_F32 : dtype, s.grid, odd, rng);
          x.random(rng);
          grid.uniform(-1.7, 1.7, rng);
          kit::Desc<opmux_op_grid_sample> d(OPMUX_OP_GRID_SAMPLE);
          d.in(x.t).in(grid.t).out(y.t);
          d->mode = GetParam();
          d->outside = outside;
          d->align_corners = rng() % 2;
          check(host, d, {x.data(), grid.data(), y.data()}, y, 80,
                "x " + text(s.x) + " outside " + std::to_string(outside) + (odd ? " odd" : ""));
        }
}

TEST_P(GridSample, GivesNaNAndZeroWhereTheReferenceDoes) {
  std::mt19937 rng(2);
  Host host(1);
  const double inf = INFINITY;
  Tensor x(OPMUX_F32, {1, 2, 5}), grid(OPMUX_F32, {1, 8, 1}), y(OPMUX_F32, {1, 2, 8});
  x.random(rng);
  x.set({0, 1, 2}, NAN);
  x.set({0, 0, 4}, inf);
  const double at[] = {NAN, inf, -inf, 1e30, -3e38, 0, 0.4, 1};
  for (int64_t i = 0; i < 8; ++i) grid.set({0, i, 0}, at[i]);
  for (uint32_t outside : {1u, 2u, 3u})
    for (uint32_t align : {0u, 1u}) {
      kit::Desc<opmux_op_grid_sample> d(OPMUX_OP_GRID_SAMPLE);
      d.in(x.t).in(grid.t).out(y.t);
      d->mode = GetParam();
      d->outside = outside;
      d->align_corners = align;
      check(host, d, {x.data(), grid.data(), y.data()}, y, 80, "outside " + std::to_string(outside));
    }
}

struct Patches {
  Index x, y, kernel, stride, dilation, pad;
};

TEST(Col2im, AddsUpWhatAllPatchesSay) {
  const Patches cases[] = {
      {{1, 5, 5}, {1, 1, 5, 5}, {1, 5}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
      {{2, 18, 20}, {2, 2, 6, 7}, {3, 3}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
      {{3, 4, 20}, {3, 1, 7, 5}, {2, 2}, {1, 1}, {2, 2}, {0, 1, 0, 0}},
      {{2, 9, 17}, {2, 3, 33}, {3}, {2}, {1}, {1, 1}},
      {{1, 16, 12}, {1, 2, 3, 4, 3}, {2, 2, 2}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0, 0, 0, 0}},
      {{1, 300, 961}, {1, 12, 63, 63}, {5, 5}, {2, 2}, {1, 1}, {1, 1, 1, 1}},
      {{0, 4, 4}, {0, 1, 3, 3}, {2, 2}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
      {{1, 7, 1}, {1, 1, 1}, {7}, {1}, {1}, {3, 3}},
  };
  std::mt19937 rng(3);
  Host host(3);
  for (const Patches& p : cases)
    for (uint32_t dtype : kFloats)
      for (bool odd : {false, true}) {
        Tensor x = make(dtype, p.x, odd, rng), y = make(dtype, p.y, odd, rng);
        x.random(rng);
        kit::Desc<opmux_op_col2im> d(OPMUX_OP_COL2IM);
        d.in(x.t).out(y.t);
        d->image = slice(d, Index(p.y.begin() + 2, p.y.end()));
        d->kernel = slice(d, p.kernel);
        d->stride = slice(d, p.stride);
        d->dilation = slice(d, p.dilation);
        d->pad = slice(d, p.pad);
        check(host, d, {x.data(), y.data()}, y, 25, "x " + text(p.x) + (odd ? " odd" : ""));
      }
}

kit::Desc<opmux_op_roi_align> regions(uint32_t kind, const Tensor& x, const Tensor& roi, const Tensor& image,
                                      const Tensor& y) {
  kit::Desc<opmux_op_roi_align> d(OPMUX_OP_ROI_ALIGN);
  d.in(x.t).in(roi.t).in(image.t).out(y.t);
  d->kind = kind;
  d->height = static_cast<uint32_t>(y.t.dim[2]);
  d->width = static_cast<uint32_t>(y.t.dim[3]);
  d->spatial_scale = 1;
  return d;
}

class RoiAlign : public testing::TestWithParam<uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Kinds, RoiAlign, testing::Values(1u, 2u, 3u));

TEST_P(RoiAlign, PoolsEveryBinOfEveryRegion) {
  std::mt19937 rng(4);
  Host host(3);
  for (uint32_t dtype : kFloats)
    for (const Index& dims : {Index{2, 3, 10, 13}, Index{1, 70, 9, 8}, Index{3, 1, 1, 1}})
      for (bool odd : {false, true})
        for (uint32_t samples : {0u, 1u, 3u, 40u}) {
          if (samples == 40 && (dims[1] != 3 || odd)) continue;
          Tensor x = make(dtype, dims, odd, rng), y = make(dtype, {5, dims[1], 3, 2}, odd, rng);
          Tensor roi = make(odd ? OPMUX_F64 : dtype, {5, 4}, odd, rng);
          Tensor image = make(odd ? OPMUX_I32 : OPMUX_I64, {5}, odd, rng);
          x.random(rng);
          roi.uniform(-3, 16, rng);
          image.each([&](const Index& i) { image.set(i, static_cast<double>(rng() % dims[0])); });
          auto d = regions(GetParam(), x, roi, image, y);
          if (GetParam() != OPMUX_ROI_MAX_BINS) d->half_pixel = rng() % 2, d->samples = samples;
          d->spatial_scale = odd ? 0.7f : 1.0f;
          check(host, d, {x.data(), roi.data(), image.data(), y.data()}, y, 64,
                "x " + text(dims) + " samples " + std::to_string(samples) + (odd ? " odd" : ""));
        }
}

TEST_P(RoiAlign, LeavesOutWhatHasNoWeightAndKeepsNaN) {
  Host host(1);
  Tensor x(OPMUX_F32, {1, 1, 4, 4}), roi(OPMUX_F32, {3, 4}), image(OPMUX_I64, {3}),
      y(OPMUX_F32, {3, 1, 1, 1});
  x.each([&](const Index& i) { x.set(i, i[2] == 1 && i[3] == 1 ? NAN : -1); });
  image.each([&](const Index& i) { image.set(i, 0); });
  const double corner[3][4] = {{1, 1, 1, 1}, {8, 8, 9, 9}, {1.5, 1.5, 2.5, 2.5}};
  roi.each([&](const Index& i) { roi.set(i, corner[i[0]][i[1]]); });
  auto d = regions(GetParam(), x, roi, image, y);
  check(host, d, {x.data(), roi.data(), image.data(), y.data()}, y, 64, "");
}

TEST(RoiAlignFault, NamesTheRegionThatMakesNoSense) {
  Host host(2);
  Tensor x(OPMUX_F32, {2, 1, 4, 4}), roi(OPMUX_F32, {3, 4}), image(OPMUX_I64, {3}),
      y(OPMUX_F32, {3, 1, 2, 2});
  roi.each([&](const Index& i) { roi.set(i, static_cast<double>(i[1])); });
  image.each([&](const Index& i) { image.set(i, 1); });
  auto d = regions(OPMUX_ROI_AVERAGE, x, roi, image, y);
  const std::vector<void*> args{x.data(), roi.data(), image.data(), y.data()};
  const auto expect_sentence = [&](const char* sentence) {
    const Fault f = run_fault(host, d, args);
    EXPECT_EQ(f.status, OPMUX_E_FAULT);
    EXPECT_EQ(f.text, sentence);
  };
  image.set({1}, 2);
  expect_sentence("roi_align: image 2 of region 1 is outside [0, 1]");
  image.set({1}, -1);
  expect_sentence("roi_align: image -1 of region 1 is outside [0, 1]");
  image.set({1}, 0);
  roi.set({2, 3}, 1e7);
  roi.set({2, 2}, 1e7);
  expect_sentence("roi_align: region 2 needs 25000000000000 points a bin, at most 1048576 are possible");
  roi.set({0, 0}, NAN);
  expect_sentence("roi_align: corner 0 of region 0 is nan, must be in [-2^31, 2^31]");
}

TEST(Image, GivesTheSameBitsForAnyNumberOfThreads) {
  std::mt19937 rng(5);
  Tensor x(OPMUX_F32, {2, 70, 20, 20}), grid(OPMUX_F32, {2, 30, 30, 2}), roi(OPMUX_F32, {9, 4}),
      image(OPMUX_I64, {9});
  x.random(rng);
  grid.uniform(-1.2, 1.2, rng);
  roi.uniform(0, 20, rng);
  image.each([&](const Index& i) { image.set(i, static_cast<double>(i[0] % 2)); });
  Tensor y(OPMUX_F32, {2, 70, 30, 30}), z(OPMUX_F32, {9, 70, 7, 7});
  expect_same_bits({&y, &z}, "grid_sample and roi_align", [&](Host& host) {
    kit::Desc<opmux_op_grid_sample> d(OPMUX_OP_GRID_SAMPLE);
    d.in(x.t).in(grid.t).out(y.t);
    d->mode = OPMUX_INTERPOLATE_LINEAR;
    d->outside = OPMUX_OUTSIDE_ZEROS;
    ASSERT_TRUE(run_op(host, d, {x.data(), grid.data(), y.data()}));
    auto e = regions(OPMUX_ROI_AVERAGE, x, roi, image, z);
    ASSERT_TRUE(run_op(host, e, {x.data(), roi.data(), image.data(), z.data()}));
  });
}

}  // namespace
}  // namespace opmux::test
