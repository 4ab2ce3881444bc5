// SPDX-License-Identifier: Apache-2.0
#include "against_reference.hpp"
#include "opmux/ops/index.gen.h"
#include "run_fault.hpp"

namespace opmux::test {
namespace {

constexpr uint32_t kReductions[] = {OPMUX_SCATTER_SET, OPMUX_SCATTER_ADD, OPMUX_SCATTER_MUL,
                                    OPMUX_SCATTER_MIN, OPMUX_SCATTER_MAX};
constexpr uint32_t kTypes[] = {OPMUX_F64, OPMUX_F32, OPMUX_F16, OPMUX_BF16,
                               OPMUX_I64, OPMUX_I32, OPMUX_I8,  OPMUX_U8};

struct Case {
  uint32_t type, reduction, index_type = OPMUX_I64;
  Index dims = {}, index = {}, updates = {};
  uint32_t axis = 0;
  bool odd = true, in_place = false;
};

void fill(Tensor& t, uint32_t reduction, std::mt19937& rng) {
  std::uniform_real_distribution<double> real(-1, 1);
  const bool product = reduction == OPMUX_SCATTER_MUL;
  t.each([&](const Index& i) {
    double v = is_float(t.t.dtype) ? (product ? 1 + real(rng) / 8 : real(rng)) : double(rng() % 7);
    if (is_float(t.t.dtype) && reduction != OPMUX_SCATTER_MUL && rng() % 37 == 0) v = NAN;
    if (!is_float(t.t.dtype) && t.t.dtype != OPMUX_U8) v -= 3;
    t.set(i, v);
  });
}

// An update is one rounding in f32 or f64, and one more into narrower types.
double bound(const Case& c, double want, double magnitude, double updates) {
  if (!is_float(c.type) || c.reduction >= OPMUX_SCATTER_MIN || c.reduction == OPMUX_SCATTER_SET) return 0;
  const double eps = c.type == OPMUX_F64 ? 0x1p-53 : 0x1p-24;
  return spacing(c.type, want) + updates * eps * magnitude;
}

std::string name(const Case& c, uint32_t seed) {
  return std::string(schema::dtype_name(c.type)) + " " + text(c.dims) + " by " + text(c.index) + " axis " +
         std::to_string(c.axis) + " reduction " + std::to_string(c.reduction) + " seed " +
         std::to_string(seed);
}

// The operands of a case but its indices.
struct Operands {
  Operands(const Case& c, const Index& updated, std::mt19937& rng)
      : x(make(c.type, c.dims, c.odd, rng)),
        y(make(c.type, c.dims, c.odd, rng)),
        index(make(c.index_type, c.index, c.odd, rng)),
        updates(make(c.type, updated, c.odd, rng)) {
    fill(x, c.reduction, rng);
    fill(updates, c.reduction, rng);
  }
  Tensor x, y, index, updates;
};

// An index into n elements, from their front or their back.
double any_index(int64_t n, std::mt19937& rng) { return double(int64_t(rng() % uint64_t(2 * n)) - n); }

template <class T>
void check(const Case& c, kit::Desc<T>& d, Operands& o, uint32_t seed) {
  if (c.in_place) d.alias({1});
  d->reduction = c.reduction;
  expect_reference(d, {&o.x, &o.index, &o.updates}, {c.in_place ? &o.x : &o.y}, name(c, seed),
                   [&](const Tensor&, double want, double magnitude) {
                     return bound(c, want, magnitude, double(o.updates.count()));
                   });
}

void elements(const Case& c, uint32_t seed) {
  std::mt19937 rng(seed);
  Operands o(c, c.index, rng);
  o.index.each([&](const Index& i) { o.index.set(i, any_index(c.dims[c.axis], rng)); });
  kit::Desc<opmux_op_scatter_elements> d(OPMUX_OP_SCATTER_ELEMENTS);
  d->axis = c.axis;
  check(c, d, o, seed);
}

void slices(const Case& c, uint32_t seed) {
  std::mt19937 rng(seed);
  Operands o(c, c.updates, rng);
  o.index.each([&](const Index& i) { o.index.set(i, any_index(c.dims[size_t(i.back())], rng)); });
  kit::Desc<opmux_op_scatter_nd> d(OPMUX_OP_SCATTER_ND);
  check(c, d, o, seed);
}

// Calls f(case, its random numbers, its seed) ten times for each type and reduction; every extent of x is 1
// to `longest`, the dims of the index are for f to choose.
template <class F>
void for_random_cases(uint32_t seed, uint64_t longest, const F& f) {
  for (uint32_t type : kTypes)
    for (uint32_t reduction : kReductions)
      for (int round = 0; round < 10; ++round) {
        std::mt19937 rng(++seed);
        Case c{.type = type, .reduction = reduction, .index_type = round % 2 ? OPMUX_I32 : OPMUX_I64};
        c.dims.resize(1 + rng() % 4);
        for (int64_t& e : c.dims) e = 1 + int64_t(rng() % longest);
        c.in_place = round % 3 == 0;
        f(c, rng, seed);
      }
}

TEST(ScatterElements, EveryTypeAndReductionThroughAnyViews) {
  for_random_cases(0, 7, [](Case& c, std::mt19937& rng, uint32_t seed) {
    c.index = c.dims;
    c.axis = uint32_t(rng() % c.dims.size());
    for (int64_t& e : c.index) e = int64_t(rng() % uint64_t(e + 1));
    c.index[c.axis] = int64_t(rng() % 12);
    elements(c, seed);
  });
}

TEST(ScatterElements, LongLinesAreDividedByPlaceAndKeepTheirOrder) {
  for (uint32_t reduction : kReductions)
    for (uint32_t type : {OPMUX_F32, OPMUX_F16, OPMUX_I32}) {
      elements({.type = type, .reduction = reduction, .dims = {19}, .index = {40001}, .odd = false}, 900);
      elements({.type = type, .reduction = reduction, .dims = {301, 1500}, .index = {37, 1033}, .odd = false},
               901);
    }
}

TEST(ScatterNd, EveryTypeAndReductionThroughAnyViews) {
  for_random_cases(5000, 5, [](Case& c, std::mt19937& rng, uint32_t seed) {
    c.index.resize(rng() % 3);
    for (int64_t& e : c.index) e = int64_t(rng() % 9);
    c.updates = c.index;
    const size_t n = 1 + rng() % c.dims.size();
    c.index.push_back(int64_t(n));
    c.updates.insert(c.updates.end(), c.dims.begin() + int64_t(n), c.dims.end());
    slices(c, seed);
  });
}

TEST(ScatterNd, LongListsOfElementsAndOfRows) {
  for (uint32_t reduction : kReductions)
    for (uint32_t type : {OPMUX_F32, OPMUX_BF16, OPMUX_I64}) {
      slices({.type = type,
              .reduction = reduction,
              .dims = {29},
              .index = {40001, 1},
              .updates = {40001},
              .odd = false},
             950);
      slices({.type = type,
              .reduction = reduction,
              .dims = {13, 1100},
              .index = {200, 1},
              .updates = {200, 1100},
              .odd = false},
             951);
    }
}

TEST(ScatterElements, AnIndexThatRepeatsAlongLinesMovesWholeRows) {
  Host host(2);
  Tensor x(OPMUX_F32, {3, 700}), index(OPMUX_I64, {2, 700}), updates(OPMUX_F32, {2, 700}),
      y(OPMUX_F32, {3, 700});
  std::mt19937 rng(3);
  x.random(rng);
  updates.random(rng);
  index.broadcast({false, true});
  kit::Desc<opmux_op_scatter_elements> d(OPMUX_OP_SCATTER_ELEMENTS);
  d.in(x.t).in(index.t).in(updates.t).out(y.t);
  d->reduction = OPMUX_SCATTER_SET;
  index.set({0, 0}, 2);
  index.set({1, 0}, -3);
  ASSERT_TRUE(run_op(host, d, {x.data(), index.data(), updates.data(), y.data()}));
  for (int64_t i = 0; i < 700; ++i) {
    EXPECT_EQ(y.get({2, i}), updates.get({0, i}));
    EXPECT_EQ(y.get({0, i}), updates.get({1, i}));
    EXPECT_EQ(y.get({1, i}), x.get({1, i}));
  }
}

TEST(ScatterElements, NamesTheFirstIndexThatIsOutOfRangeAndDropsItsWrite) {
  for (uint32_t threads : {1u, 2u, 7u})
    for (int64_t n : {40, 40000}) {
      Host host(threads);
      Tensor x(OPMUX_F32, {64}), index(OPMUX_I32, {n}), updates(OPMUX_F32, {n}), y(OPMUX_F32, {64});
      index.each([&](const Index& i) { index.set(i, double(i[0] % 64)); });
      index.set({23}, 64);
      index.set({n - 1}, -65);
      kit::Desc<opmux_op_scatter_elements> d(OPMUX_OP_SCATTER_ELEMENTS);
      d.in(x.t).in(index.t).in(updates.t).out(y.t);
      d->reduction = OPMUX_SCATTER_ADD;
      expect_fault(host, d, {x.data(), index.data(), updates.data(), y.data()}, 1,
                   "scatter_elements: index 64 is outside [-64, 63]");
    }
}

TEST(ScatterNd, NamesTheCoordinateThatIsOutOfRange) {
  Host host(2);
  Tensor x(OPMUX_F16, {3, 4, 2}), index(OPMUX_I64, {5, 2}), updates(OPMUX_F16, {5, 2}),
      y(OPMUX_F16, {3, 4, 2});
  index.each([&](const Index& i) { index.set(i, 2); });
  index.set({3, 0}, 3);  // fits the second axis only
  kit::Desc<opmux_op_scatter_nd> d(OPMUX_OP_SCATTER_ND);
  d.in(x.t).in(index.t).in(updates.t).out(y.t);
  d->reduction = OPMUX_SCATTER_MUL;
  expect_fault(host, d, {x.data(), index.data(), updates.data(), y.data()}, 1,
               "scatter_nd: index 3 is outside [-3, 2]");
}

TEST(ScatterNd, RefusesToShareTheMemoryOfItsUpdates) {
  kit::Desc<opmux_op_scatter_nd> d(OPMUX_OP_SCATTER_ND);
  d.in(kit::tensor(OPMUX_F32, {4, 2})).in(kit::tensor(OPMUX_I64, {4, 1})).in(kit::tensor(OPMUX_F32, {4, 2}));
  d.out(kit::tensor(OPMUX_F32, {4, 2})).alias({3});
  d->reduction = OPMUX_SCATTER_SET;
  const Answer a = ask(d.opd());
  EXPECT_EQ(a.op, nullptr);
  EXPECT_EQ(a.cap.why, OPMUX_WHY_ALIAS);
}

}  // namespace
}  // namespace opmux::test
