// SPDX-License-Identifier: Apache-2.0
// softmax against the reference, and layer_norm and group_norm in more forms than normalise_test.cpp.
#include "opmux/ops/normalise.gen.h"

#include "against_reference.hpp"
#include "opmux/ops/pointwise.gen.h"

namespace opmux::test {
namespace {

constexpr uint32_t kTypes[] = {OPMUX_F64, OPMUX_F32, OPMUX_F16, OPMUX_BF16};

void fill(Tensor& x, double scale, double shift, std::mt19937& rng, bool strange = false) {
  std::normal_distribution<double> normal(shift, scale);
  constexpr double kStrange[] = {NAN, INFINITY, -INFINITY};
  x.each([&](const Index& i) { x.set(i, strange && rng() % 50 == 0 ? kStrange[rng() % 3] : normal(rng)); });
}

void softmax(uint32_t type, const Index& dims, uint32_t axis, uint32_t kind, bool odd, uint32_t seed) {
  std::mt19937 rng(seed);
  Tensor x = make(type, dims, odd, rng), y = make(type, dims, odd, rng);
  fill(x, 6, 3, rng, seed % 5 == 0);
  kit::Desc<opmux_op_softmax> d(OPMUX_OP_SOFTMAX);
  d->kind = kind;
  d->axis = axis;
  // The rounding of x - max, up to about 60 here, is a relative error of the exponential.
  const double eps = type == OPMUX_F64 ? 1.2e-16 : 6e-8;
  expect_reference(
      d, {&x}, {&y},
      "softmax " + text(dims) + " axis " + std::to_string(axis) + " seed " + std::to_string(seed),
      [&](const Tensor&, double v, double) {
        return spacing(type, v) + (kind == OPMUX_SOFTMAX_LOG ? eps * (40 + 4 * std::fabs(v)) : eps * 70 * v) +
               1e-37;
      });
}

TEST(Softmax, AlongEveryAxisOfEveryType) {
  uint32_t seed = 0;
  for (uint32_t type : kTypes)
    for (uint32_t kind : {OPMUX_SOFTMAX_PLAIN, OPMUX_SOFTMAX_LOG})
      for (const Index& dims :
           {Index{1}, Index{31, 33}, Index{2, 3, 1025}, Index{0, 5}, Index{3, 0}, Index{2, 1000, 1, 1},
            Index{2, 17, 5, 7}, Index{5, 300, 3}, Index{2, 5000}, Index{4, 3000, 5}})
        for (uint32_t axis = 0; axis < dims.size(); ++axis)
          for (bool odd : {false, true}) softmax(type, dims, axis, kind, odd, ++seed);
}

TEST(Softmax, EpilogueSeesTheUnroundedValueAndItsOperands) {
  for (uint32_t axis : {0u, 1u}) {
    std::mt19937 rng(axis);
    Tensor x(OPMUX_F16, {40, 50}), scale(OPMUX_F32, {50}), y(OPMUX_F16, {40, 50});
    fill(x, 1, 0, rng);
    fill(scale, 100, 0, rng);
    kit::Desc<opmux_op_softmax> d(OPMUX_OP_SOFTMAX);
    kit::Program p(OPMUX_SLOT_EPILOGUE(0), 2);
    d.program(p.out(p.apply(OPMUX_FN_CAST, OPMUX_F16, p.apply(OPMUX_FN_MUL, OPMUX_F32, 0, 1))));
    d->kind = OPMUX_SOFTMAX_PLAIN;
    d->axis = axis;
    expect_reference(d, {&x, &scale}, {&y}, "epilogue",
                     [](const Tensor&, double v, double) { return spacing(OPMUX_F16, v); });
  }
}

TEST(Softmax, ARowOfMinusInfinityIsNan) {
  Tensor x(OPMUX_F32, {2, 40}), y(OPMUX_F32, {2, 40});
  x.each([&](const Index& i) { x.set(i, i[0] == 0 ? -INFINITY : 1.0); });
  kit::Desc<opmux_op_softmax> d(OPMUX_OP_SOFTMAX);
  d.in(x.t).out(y.t);
  d->kind = OPMUX_SOFTMAX_PLAIN;
  d->axis = 1;
  Host host(1);
  ASSERT_NE(run_op(host, d, {x.data(), y.data()}), nullptr);
  y.each([&](const Index& i) {
    if (i[0] == 0) {
      EXPECT_TRUE(std::isnan(y.get(i)));
    } else {
      EXPECT_NEAR(y.get(i), 1.0 / 40, 1e-8);
    }
  });
}

// The inputs of a normalisation: form has the bits 2, with a scale, and 4, with a bias; 1 is for odd strides.
std::vector<Tensor*> scaled(Tensor& x, Tensor& scale, Tensor& bias, uint32_t form) {
  return {&x, form & 2 ? &scale : nullptr, form & 4 ? &bias : nullptr};
}

TEST(LayerNormReference, EveryFormOfEveryType) {
  uint32_t seed = 0;
  for (uint32_t type : kTypes)
    for (uint32_t kind : {OPMUX_NORM_LAYER, OPMUX_NORM_RMS})
      for (const auto& [dims, axis, tail] : {std::tuple{Index{1}, 0u, Index{1}},
                                             {Index{31, 33}, 1u, Index{33}},
                                             {Index{2, 3, 129}, 2u, Index{129}},
                                             {Index{2, 3, 5}, 1u, Index{3, 5}},
                                             {Index{2, 3, 5}, 1u, Index{5}},
                                             {Index{0, 8}, 1u, Index{8}},
                                             {Index{3, 5000}, 1u, Index{5000}},
                                             {Index{6, 1, 7, 4}, 1u, Index{4}},
                                             {Index{4, 8}, 1u, Index{4, 1}}})
        for (uint32_t form = 0; form < 8; ++form) {
          std::mt19937 rng(++seed);
          const bool odd = form & 1;
          Index rest = dims;
          for (uint32_t i = axis; i < rest.size(); ++i) rest[i] = 1;
          constexpr uint32_t stat = OPMUX_F32;
          Tensor x = make(type, dims, odd, rng), s = make(type, tail, odd, rng),
                 b = make(type, tail, odd, rng);
          Tensor y = make(type, dims, odd, rng), mean(stat, rest), inverse(stat, rest);
          fill(x, 1, seed % 3 ? 0 : 20, rng);
          fill(s, 1, 0, rng);
          fill(b, 1, 0, rng);
          kit::Desc<opmux_op_layer_norm> d(OPMUX_OP_LAYER_NORM);
          const bool layer = kind == OPMUX_NORM_LAYER;
          d->kind = kind;
          d->axis = axis;
          d->epsilon = 1e-5f;
          // Of f64 the mean itself, 20 deviations, is rounded.
          const double eps = type == OPMUX_F64 ? 2e-14 : 2e-6;
          expect_reference(d, scaled(x, s, b, form), {&y, layer ? &mean : nullptr, &inverse},
                           "layer_norm " + text(dims) + " " + schema::dtype_name(type) + " kind " +
                               std::to_string(kind) + " form " + std::to_string(form),
                           [&](const Tensor& out, double v, double) {
                             return &out == &y ? spacing(type, v) + eps * (1 + std::fabs(v))
                                               : spacing(stat, v) + 1e-7 * std::fabs(v) + 3e-7;
                           });
        }
}

TEST(LayerNormReference, KeepsItsAccuracyWhereTheMeanIsLarge) {
  std::mt19937 rng(1);
  Tensor x(OPMUX_F32, {4, 768}), y(OPMUX_F32, {4, 768});
  fill(x, 0.01, 1000, rng);
  kit::Desc<opmux_op_layer_norm> d(OPMUX_OP_LAYER_NORM);
  d->kind = OPMUX_NORM_LAYER;
  d->axis = 1;
  d->epsilon = 1e-12f;
  expect_reference(d, {&x}, {&y}, "large mean",
                   [](const Tensor&, double v, double) { return 4e-7 * (1 + std::fabs(v)); });
}

TEST(GroupNormReference, EveryGroupCountOfEveryType) {
  uint32_t seed = 0;
  for (uint32_t type : kTypes)
    for (const Index& dims : {Index{2, 6, 5, 7}, Index{2, 6, 33}, Index{1, 12, 3, 3}, Index{3, 4},
                              Index{1, 2, 70, 41}, Index{0, 4, 3}})
      for (uint32_t groups : {1u, 2u, static_cast<uint32_t>(dims[1])})
        for (uint32_t form = 0; form < 8; ++form) {
          std::mt19937 rng(++seed);
          const bool odd = form & 1;
          Tensor x = make(type, dims, odd, rng), s = make(type, {dims[1]}, odd, rng),
                 b = make(type, {dims[1]}, odd, rng);
          Tensor y = make(type, dims, odd, rng);
          fill(x, 2, 1, rng);
          fill(s, 1, 0, rng);
          fill(b, 1, 0, rng);
          kit::Desc<opmux_op_group_norm> d(OPMUX_OP_GROUP_NORM);
          d->groups = groups;
          d->epsilon = 1e-5f;
          const double eps = type == OPMUX_F64 ? 2e-15 : 2e-6;
          expect_reference(
              d, scaled(x, s, b, form), {&y},
              "group_norm " + text(dims) + " groups " + std::to_string(groups) + " form " +
                  std::to_string(form),
              [&](const Tensor&, double v, double) { return spacing(type, v) + eps * (1 + std::fabs(v)); });
        }
}

TEST(LayerNormReference, MayOverwriteItsInput) {
  std::mt19937 rng(1);
  Tensor x(OPMUX_F16, {5, 3000}), y(OPMUX_F16, {5, 3000});
  fill(x, 1, 0, rng);
  kit::Desc<opmux_op_layer_norm> d(OPMUX_OP_LAYER_NORM);
  d.in(x.t).out(y.t);
  d->kind = OPMUX_NORM_RMS;
  d->axis = 1;
  d->epsilon = 1e-5f;
  Host host(2);
  ASSERT_NE(run_op(host, d, {x.data(), y.data()}), nullptr);
  d.alias({1});
  ASSERT_NE(run_op(host, d, {x.data(), x.data()}), nullptr);
  EXPECT_EQ(x.memory(), y.memory());
}

}  // namespace
}  // namespace opmux::test
