// SPDX-License-Identifier: Apache-2.0
// resize, non_max_suppression and deform_conv against the reference.
#include "opmux/ops/conv.gen.h"
#include "opmux/ops/image.gen.h"
#include "opmux/ops/pointwise.gen.h"
#include "oracle.hpp"
#include "run_fault.hpp"
#include "same_bits.hpp"

namespace opmux::test {
namespace {

constexpr uint32_t kFloats[] = {OPMUX_F32, OPMUX_F64, OPMUX_F16, OPMUX_BF16};

struct Resized {
  Index x, y, axes;
  std::vector<double> scale, roi;
};
const Resized kResized[] = {
    {{1, 2, 4, 5}, {1, 2, 9, 3}, {2, 3}, {}, {}},
    {{2, 7, 3}, {2, 12, 5}, {1, 2}, {1.8, 1.7}, {}},
    {{3, 9, 8}, {3, 5, 8}, {1}, {0.6}, {}},
    {{3, 9, 8}, {3, 5, 13}, {1, 2}, {0.6, 1.7}, {-0.3, 0.2, 0.8, 1.4}},
    {{5, 1500}, {5, 2300}, {1}, {}, {}},
    {{1, 8, 8, 3}, {1, 16, 16, 3}, {1, 2}, {}, {}},
    {{1, 1, 1}, {4, 1, 5}, {0, 1, 2}, {}, {}},
    {{6}, {17}, {0}, {}, {}},
    {{2, 3, 1, 2, 1, 2, 1, 3}, {2, 3, 1, 5, 1, 2, 1, 7}, {3, 7}, {}, {}},
    {{2, 0, 3}, {2, 0, 6}, {1, 2}, {}, {}},
    {{2, 3}, {0, 6}, {0, 1}, {}, {}},
};

kit::Desc<opmux_op_resize> resize(const Resized& r, const Tensor& x, const Tensor& y, uint32_t mode) {
  kit::Desc<opmux_op_resize> d(OPMUX_OP_RESIZE);
  d.in(x.t).out(y.t);
  d->mode = mode;
  d->coordinates = r.roi.empty() ? OPMUX_RESIZE_HALF_PIXEL : OPMUX_RESIZE_TF_CROP_AND_RESIZE;
  d->rounding = OPMUX_ROUND_PREFER_FLOOR;
  d->cubic = -0.75f;
  d->extrapolation = 3;
  d->axes = slice(d, r.axes);
  return d;
}

struct Numbers {  // scale and roi as operands
  Tensor scale{OPMUX_F64, {0}}, roi{OPMUX_F32, {0}};
  Numbers(const Resized& r, kit::Desc<opmux_op_resize>& d, std::vector<void*>& args) {
    if (r.scale.empty()) return;
    scale = Tensor(OPMUX_F64, {static_cast<int64_t>(r.scale.size())});
    scale.each([&](const Index& i) { scale.set(i, r.scale[static_cast<size_t>(i[0])]); });
    d.in(scale.t);
    args.push_back(scale.data());
    if (r.roi.empty()) return;
    roi = Tensor(OPMUX_F32, {static_cast<int64_t>(r.roi.size())});
    roi.each([&](const Index& i) { roi.set(i, r.roi[static_cast<size_t>(i[0])]); });
    d.in(roi.t);
    args.push_back(roi.data());
  }
};

class Resize : public testing::TestWithParam<uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Modes, Resize, testing::Values(2u, 3u));

TEST_P(Resize, IsTheWeightedSumOfNeighbours) {
  std::mt19937 rng(1);
  Host host(3);
  for (const Resized& r : kResized)
    for (uint32_t dtype : kFloats)
      for (uint32_t coordinates : {1u, 2u, 4u, 5u})
        for (bool antialias : {false, true}) {
          const bool odd = rng() % 2;
          Tensor x = make(dtype, r.x, odd, rng), y = make(dtype, r.y, odd, rng);
          x.random(rng);
          auto d = resize(r, x, y, GetParam());
          if (r.roi.empty()) d->coordinates = coordinates;
          d->antialias = antialias;
          d->exclude_outside = rng() % 2;
          std::vector<void*> args{x.data()};
          const Numbers numbers(r, d, args);
          args.push_back(y.data());
          const std::string what =
              "x " + text(r.x) + " coordinates " + std::to_string(coordinates) + (odd ? " odd" : "");
          run_and_compare(host, d, args, {&y}, what, [&](size_t, size_t k, double want, const Truth& truth) {
            return 64 * wide_roundoff(dtype) * truth.magnitude[k] + spacing(dtype, want) / 2;
          });
        }
}

TEST(ResizeNearest, MovesElementsOfEveryTypeBitForBit) {
  std::mt19937 rng(2);
  Host host(3);
  for (const Resized& r : kResized)
    for (uint32_t dtype : {OPMUX_F32, OPMUX_F64, OPMUX_F16, OPMUX_I64, OPMUX_I32, OPMUX_U8, OPMUX_I8})
      for (uint32_t rounding : {1u, 2u, 3u, 4u})
        for (bool odd : {false, true}) {
          Tensor x = make(dtype, r.x, odd, rng), y = make(dtype, r.y, odd, rng);
          x.random(rng);
          auto d = resize(r, x, y, OPMUX_INTERPOLATE_NEAREST);
          if (r.roi.empty()) d->coordinates = 1 + rng() % 5;
          d->rounding = rounding;
          std::vector<void*> args{x.data()};
          const Numbers numbers(r, d, args);
          args.push_back(y.data());
          run_and_compare(host, d, args, {&y}, "x " + text(r.x) + (odd ? " odd" : ""), exact);
        }
}

TEST(ResizeFault, NamesTheScaleThatMakesNoSense) {
  Host host(1);
  Tensor x(OPMUX_F32, {2, 4}), y(OPMUX_F32, {4, 8}), scale(OPMUX_F64, {2});
  const Resized r{{2, 4}, {4, 8}, {0, 1}, {}, {}};
  auto d = resize(r, x, y, OPMUX_INTERPOLATE_LINEAR);
  d.in(scale.t);
  d->antialias = 1;
  const auto expect_sentence = [&](double first, double second, const char* sentence) {
    scale.set({0}, first);
    scale.set({1}, second);
    const Fault f = run_fault(host, d, {x.data(), scale.data(), y.data()});
    EXPECT_EQ(f.status, OPMUX_E_FAULT);
    EXPECT_EQ(f.text, sentence);
  };
  expect_sentence(2, 0, "resize: the scale of axis 1 is 0, must be in [1e-9, 1e9]");
  expect_sentence(NAN, 0, "resize: the scale of axis 0 is nan, must be in [1e-9, 1e9]");
  expect_sentence(0.5, 2, "resize: the scale of axis 0 is 0.5, less than half of 4 / 2 elements");
}

TEST(NonMaxSuppression, TakesTheBoxesThatTheReferenceTakes) {
  std::mt19937 rng(3);
  Host host(3);
  for (uint32_t dtype : kFloats)
    for (const Index& dims :
         {Index{1, 1, 7}, Index{2, 3, 33}, Index{1, 2, 300}, Index{0, 2, 5}, Index{1, 2, 0}})
      for (int round = 0; round < 8; ++round) {
        const bool odd = round % 2;
        Tensor boxes = make(dtype, {dims[0], dims[2], 4}, odd, rng), scores = make(dtype, dims, odd, rng);
        Tensor most(OPMUX_I64, {}), iou(OPMUX_F32, {}), score(OPMUX_F64, {});
        Tensor rows = make(OPMUX_I64, {dims[0] * dims[1] * dims[2], 3}, odd, rng), count(OPMUX_I64, {});
        boxes.uniform(0, 3, rng);
        scores.each([&](const Index& i) {
          scores.set(i, rng() % 50 == 0 ? NAN : static_cast<double>(rng() % 16) / 16);
        });
        const double limits[] = {-1, 0, 3, 1000};
        most.set({}, limits[rng() % 4]);
        iou.set({}, static_cast<double>(rng() % 10) / 10);
        score.set({}, 0.25);
        kit::Desc<opmux_op_non_max_suppression> d(OPMUX_OP_NON_MAX_SUPPRESSION);
        std::vector<void*> args{boxes.data(), scores.data(), most.data()};
        d.in(boxes.t).in(scores.t).in(most.t).out(rows.t).out(count.t);
        if (round % 3 > 0) d.in(iou.t), args.push_back(iou.data());
        if (round % 3 > 1) d.in(score.t), args.push_back(score.data());
        d->center = round / 4;
        args.push_back(rows.data());
        args.push_back(count.data());
        run_and_compare(host, d, args, {&rows, &count}, "rows and count for " + text(dims), exact);
      }
}

struct Deform {
  Index x, w, y;
  uint32_t group, offset_group;
  Index stride, dilation, pad;
};
const Deform kDeform[] = {
    {{1, 1, 3, 3}, {1, 1, 2, 2}, {1, 1, 4, 4}, 1, 1, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {{2, 4, 9, 11}, {6, 4, 3, 3}, {2, 6, 9, 11}, 1, 1, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {{2, 4, 9, 11}, {6, 2, 3, 3}, {2, 6, 4, 5}, 2, 2, {2, 2}, {1, 1}, {0, 0, 1, 1}},
    {{1, 8, 14, 14}, {8, 1, 3, 3}, {1, 8, 14, 14}, 8, 4, {1, 1}, {2, 2}, {2, 2, 2, 2}},
    {{1, 48, 20, 20}, {70, 48, 3, 3}, {1, 70, 20, 20}, 1, 2, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {{0, 3, 8, 8}, {4, 3, 3, 3}, {0, 4, 6, 6}, 1, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {{1, 2, 0, 3}, {3, 2, 1, 1}, {1, 3, 2, 3}, 1, 1, {1, 1}, {1, 1}, {1, 0, 1, 0}},
};

TEST(DeformConv, IsTheProductOfWeightsAndSamples) {
  std::mt19937 rng(4);
  Host host(3);
  for (const Deform& k : kDeform)
    for (uint32_t dtype : kFloats)
      for (bool masked : {false, true})
        for (bool odd : {false, true}) {
          const int64_t taps = k.offset_group * k.w[2] * k.w[3];
          Tensor x = make(dtype, k.x, odd, rng), w = make(dtype, k.w, odd, rng),
                 y = make(dtype, k.y, odd, rng);
          Tensor offset = make(dtype, {k.x[0], 2 * taps, k.y[2], k.y[3]}, odd, rng);
          Tensor mask = make(dtype, {k.x[0], taps, k.y[2], k.y[3]}, odd, rng), bias(dtype, {k.y[1], 1, 1});
          for (Tensor* t : {&x, &w, &mask, &bias}) t->random(rng);
          offset.uniform(-2.5, 2.5, rng);
          kit::Desc<opmux_op_deform_conv> d(OPMUX_OP_DEFORM_CONV);
          const uint32_t acc = dtype == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32;
          d.in(x.t).in(w.t).in(offset.t).out(y.t);
          std::vector<void*> args{x.data(), w.data(), offset.data()};
          if (masked) {
            d.in(mask.t).in(bias.t);
            args.push_back(mask.data());
            args.push_back(bias.data());
            kit::Program p(OPMUX_SLOT_EPILOGUE(0), 2);
            const uint32_t wide = dtype == acc ? 1 : p.apply(OPMUX_FN_CAST, acc, 1);
            const uint32_t sum = p.apply(OPMUX_FN_ADD, acc, 0, wide);
            p.out(dtype == acc ? sum : p.apply(OPMUX_FN_CAST, dtype, sum));
            d.program(p);
          }
          d->group = k.group;
          d->offset_group = k.offset_group;
          d->acc_dtype = acc;
          d->stride = slice(d, k.stride);
          d->dilation = slice(d, k.dilation);
          d->pad = slice(d, k.pad);
          args.push_back(y.data());
          const std::string what = "x " + text(k.x) + (masked ? " masked" : "") + (odd ? " odd" : "");
          for (bool constant : {false, true}) {
            d.inputs()[1].flags = constant ? OPMUX_T_CONST : 0;
            run_and_compare(
                host, d, args, {&y}, what, [&](size_t, size_t i, double want, const Truth& truth) {
                  const double terms = static_cast<double>(k.w[1] * k.w[2] * k.w[3]) + 8;
                  return terms * wide_roundoff(dtype) * (truth.magnitude[i] + std::fabs(want) + 1) +
                         spacing(dtype, want) / 2;
                });
          }
        }
}

TEST(DeformConv, ReadsNaNWhereTheReferenceDoes) {
  Host host(1);
  Tensor x(OPMUX_F32, {1, 1, 2, 2}), w(OPMUX_F32, {1, 1, 1, 1}), offset(OPMUX_F32, {1, 2, 2, 2}),
      mask(OPMUX_F32, {1, 1, 2, 2}), y(OPMUX_F32, {1, 1, 2, 2});
  x.each([&](const Index& i) { x.set(i, i[2] == 0 ? INFINITY : 1); });
  w.set({0, 0, 0, 0}, 1);
  const double moved[] = {NAN, INFINITY, 0, 0}, factor[] = {1, 1, INFINITY, 0};
  offset.each([&](const Index& i) { offset.set(i, i[1] == 0 ? moved[i[2] * 2 + i[3]] : 0); });
  mask.each([&](const Index& i) { mask.set(i, factor[i[2] * 2 + i[3]]); });
  kit::Desc<opmux_op_deform_conv> d(OPMUX_OP_DEFORM_CONV);
  d.in(x.t).in(w.t).in(offset.t).in(mask.t).out(y.t);
  d->group = d->offset_group = 1;
  d->acc_dtype = OPMUX_F32;
  d->stride = slice(d, {1, 1});
  d->dilation = slice(d, {1, 1});
  d->pad = slice(d, {0, 0, 0, 0});
  const std::vector<void*> args{x.data(), w.data(), offset.data(), mask.data(), y.data()};
  run_and_compare(host, d, args, {&y}, "infinities and NaN", exact);
}

TEST(Resample, GivesTheSameBitsForAnyNumberOfThreads) {
  std::mt19937 rng(5);
  const Resized r{{2, 16, 30, 40}, {2, 16, 47, 25}, {2, 3}, {}, {}};
  Tensor x(OPMUX_F32, r.x), boxes(OPMUX_F32, {2, 500, 4}), scores(OPMUX_F32, {2, 9, 500}),
      most(OPMUX_I64, {});
  x.random(rng);
  boxes.uniform(0, 9, rng);
  scores.uniform(0, 1, rng);
  most.set({}, 50);
  Tensor y(OPMUX_F32, r.y), rows(OPMUX_I64, {9000, 3}), count(OPMUX_I64, {});
  expect_same_bits({&y, &rows}, "resize and non_max_suppression", [&](Host& host) {
    auto d = resize(r, x, y, OPMUX_INTERPOLATE_CUBIC);
    ASSERT_TRUE(run_op(host, d, {x.data(), y.data()}));
    kit::Desc<opmux_op_non_max_suppression> e(OPMUX_OP_NON_MAX_SUPPRESSION);
    e.in(boxes.t).in(scores.t).in(most.t).out(rows.t).out(count.t);
    ASSERT_TRUE(run_op(host, e, {boxes.data(), scores.data(), most.data(), rows.data(), count.data()}));
  });
}

}  // namespace
}  // namespace opmux::test
