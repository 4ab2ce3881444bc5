// SPDX-License-Identifier: Apache-2.0
#include "opmux/ops/reduce.gen.h"

#include "against_reference.hpp"

namespace opmux::test {
namespace {

constexpr uint32_t kKinds = OPMUX_REDUCE_FINITE_COUNT;

struct Case {
  uint32_t kind, type;
  Index dims;
  std::vector<bool> reduced;
  bool last = false, strange = false;
};

uint32_t y_type(const Case& c) {
  const bool index =
      c.kind == OPMUX_REDUCE_ARGMAX || c.kind == OPMUX_REDUCE_ARGMIN || c.kind == OPMUX_REDUCE_FINITE_COUNT;
  return index ? OPMUX_I64 : c.type;
}
Index y_dims(const Case& c) {
  Index d = c.dims;
  for (size_t i = 0; i < d.size(); ++i) d[i] = c.reduced[i] ? 1 : d[i];
  return d;
}

kit::Desc<opmux_op_reduce> reduce(const Case& c, const Tensor& x, const Tensor& y) {
  kit::Desc<opmux_op_reduce> d(OPMUX_OP_REDUCE);
  d.in(x.t).out(y.t);
  d->kind = c.kind;
  d->select_last = c.last;
  d->axes = d.list({});
  for (size_t i = 0; i < c.dims.size(); ++i)
    if (c.reduced[i]) d.list({static_cast<int64_t>(i)}), ++d->axes.count;
  return d;
}

void fill(const Case& c, Tensor& x, std::mt19937& rng) {
  std::uniform_real_distribution<double> real(-1, 1);
  const bool product = c.kind == OPMUX_REDUCE_PROD;
  const bool no_sign = OPMUX_DTYPE_CLASS(c.type) == OPMUX_CLASS_UNSIGNED;
  x.each([&](const Index& i) {
    double v = is_float(c.type) ? real(rng) : static_cast<double>(rng() % 200) - (no_sign ? 0 : 100);
    if (product) v = is_float(c.type) ? 1 + v / 16 : 1 + rng() % 3;
    if (c.kind == OPMUX_REDUCE_LOG_SUM) v = std::fabs(v) + 1;
    if (c.type == OPMUX_BOOL) v = rng() % 3 == 0 ? 0 : 1 + rng() % 255;
    if (rng() % 5 == 0) v = std::nearbyint(v);  // ties
    if (c.strange && is_float(c.type) && rng() % 40 == 0) {
      constexpr double kStrange[] = {NAN, INFINITY, -INFINITY};
      v = kStrange[rng() % 3];
    }
    x.set(i, v);
  });
}

// The sums are in f64 (f64 itself: in blocks of it); the result rounds once. Logarithms are ill-conditioned
// near 0.
double bound(const Case& c, double want, double magnitude, double count) {
  if (!is_float(y_type(c))) return c.kind == OPMUX_REDUCE_VARIANCE || c.kind >= OPMUX_REDUCE_L2 ? 1 : 0;
  const double u = spacing(c.type, want);
  const double sums = c.type == OPMUX_F64 ? 4e-16 * count * magnitude : 1e-15 * count * magnitude;
  if (c.kind == OPMUX_REDUCE_LOG_SUM_EXP) return 2 * u + (c.type == OPMUX_F64 ? 1e-13 : 3e-7);
  if (c.kind == OPMUX_REDUCE_PROD || c.kind == OPMUX_REDUCE_LOG_SUM)
    return u + 4e-16 * count * std::max(1.0, std::fabs(want));
  return u + sums;
}

void check(const Case& c, uint32_t seed, bool odd) {
  std::mt19937 rng(seed);
  Tensor x = make(c.type, c.dims, odd, rng), y = make(y_type(c), y_dims(c), odd, rng);
  fill(c, x, rng);
  auto d = reduce(c, x, y);
  const std::string what = "kind " + std::to_string(c.kind) + " of " + schema::dtype_name(c.type) + " " +
                           text(c.dims) + " seed " + std::to_string(seed);
  const double count = static_cast<double>(x.count()) / static_cast<double>(std::max<int64_t>(y.count(), 1));
  expect_reference_bound(
      d, {x.data(), y.data()}, {&y}, what,
      [&](const Tensor&, double want, double magnitude) { return bound(c, want, magnitude, count); });
}

std::vector<Case> kinds(uint32_t type) {
  std::vector<Case> all;
  for (uint32_t kind = 1; kind <= kKinds; ++kind) {
    const bool logic = kind == OPMUX_REDUCE_ANY || kind == OPMUX_REDUCE_ALL;
    if (logic == (type == OPMUX_BOOL)) all.push_back({kind, type, {}, {}});
  }
  return all;
}

bool is_arg(const Case& c) { return c.kind == OPMUX_REDUCE_ARGMAX || c.kind == OPMUX_REDUCE_ARGMIN; }

TEST(Reduce, EveryKindOfEveryTypeOverRandomAxes) {
  uint32_t seed = 0;
  for (uint32_t type : {OPMUX_F64, OPMUX_F32, OPMUX_F16, OPMUX_BF16, OPMUX_I64, OPMUX_I32, OPMUX_I16,
                        OPMUX_I8, OPMUX_U64, OPMUX_U32, OPMUX_U16, OPMUX_U8, OPMUX_BOOL})
    for (Case c : kinds(type))
      for (int round = 0; round < 12; ++round) {
        std::mt19937 rng(++seed);
        c.dims.resize(rng() % 5);
        for (int64_t& e : c.dims) e = 1 + static_cast<int64_t>(rng() % 9);
        if (!is_arg(c) && !c.dims.empty() && rng() % 10 == 0) c.dims[rng() % c.dims.size()] = 0;
        c.reduced.assign(c.dims.size(), false);
        if (is_arg(c)) {
          if (c.dims.empty()) continue;
          c.reduced[rng() % c.dims.size()] = true;
          c.last = rng() % 2;
        } else {
          for (size_t i = 0; i < c.dims.size(); ++i) c.reduced[i] = rng() % 2;
        }
        c.strange = rng() % 4 == 0 && c.kind != OPMUX_REDUCE_PROD;
        check(c, seed, true);
      }
}

TEST(Reduce, LongRowsAndColumns) {
  uint32_t seed = 100000;
  for (uint32_t type : {OPMUX_F32, OPMUX_F16, OPMUX_I32})
    for (Case c : kinds(type))
      for (const auto& [dims, axis] : {std::pair{Index{3, 20011}, 1},
                                       {Index{1503, 37}, 0},
                                       {Index{2, 129, 300}, 1},
                                       {Index{150001}, 0}}) {
        if (c.kind == OPMUX_REDUCE_PROD) continue;  // under- and overflows
        c.dims = dims;
        c.reduced.assign(dims.size(), false);
        c.reduced[static_cast<size_t>(axis)] = true;
        check(c, ++seed, false);
      }
}

TEST(Reduce, NanAndEqualElementsDecideArgmaxAsWritten) {
  Tensor x(OPMUX_F32, {6}), y(OPMUX_I64, {1});
  const auto arg = [&](std::vector<double> v, uint32_t kind, bool last) {
    for (size_t i = 0; i < v.size(); ++i) x.set({static_cast<int64_t>(i)}, v[i]);
    auto d = reduce({kind, OPMUX_F32, {6}, {true}, last}, x, y);
    Host host(1);
    EXPECT_NE(run_op(host, d, {x.data(), y.data()}), nullptr);
    return y.get({0});
  };
  EXPECT_EQ(arg({1, 5, 2, 5, 0, 5}, OPMUX_REDUCE_ARGMAX, false), 1);
  EXPECT_EQ(arg({1, 5, 2, 5, 0, 5}, OPMUX_REDUCE_ARGMAX, true), 5);
  EXPECT_EQ(arg({1, 5, 0, 5, 0, 5}, OPMUX_REDUCE_ARGMIN, false), 2);
  EXPECT_EQ(arg({1, 5, NAN, 9, NAN, 5}, OPMUX_REDUCE_ARGMAX, false), 2);
  EXPECT_EQ(arg({1, 5, NAN, 9, NAN, 5}, OPMUX_REDUCE_ARGMIN, true), 4);
}

TEST(Reduce, RefusesToRunInPlace) {
  kit::Desc<opmux_op_reduce> d(OPMUX_OP_REDUCE);
  d.in(kit::tensor(OPMUX_F32, {1, 8})).out(kit::tensor(OPMUX_F32, {1, 8})).alias({1});
  d->kind = OPMUX_REDUCE_SUM;
  d->axes = d.list({0});
  const Answer a = ask(d.opd());
  EXPECT_EQ(a.op, nullptr);
  EXPECT_EQ(a.cap.why, OPMUX_WHY_ALIAS);
  EXPECT_EQ(a.cap.why_arg, 0u);
}

}  // namespace
}  // namespace opmux::test
