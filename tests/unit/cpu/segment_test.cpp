// SPDX-License-Identifier: Apache-2.0
// segment and embedding_bag against the reference.
#include "against_reference.hpp"
#include "opmux/ops/index.gen.h"
#include "run_fault.hpp"

namespace opmux::test {
namespace {

constexpr uint32_t kTypes[] = {OPMUX_F64, OPMUX_F32, OPMUX_F16, OPMUX_BF16,
                               OPMUX_I64, OPMUX_I32, OPMUX_I8,  OPMUX_U8};

void segmented(uint32_t type, uint32_t kind, const Index& dims, uint32_t segments, bool odd, uint32_t seed) {
  std::mt19937 rng(seed);
  Index out = dims;
  if (kind != OPMUX_SEGMENT_SOFTMAX) out[0] = segments;
  Tensor x = make(type, dims, odd, rng), y = make(type, out, odd, rng);
  Tensor ids = make(rng() % 2 ? OPMUX_I32 : OPMUX_I64, {dims[0]}, odd, rng);
  fill_terms(x, kind == OPMUX_SEGMENT_PROD, rng() % 3 == 0, rng);
  ids.each([&](const Index& i) { ids.set(i, double(rng() % segments)); });
  kit::Desc<opmux_op_segment> d(OPMUX_OP_SEGMENT);
  d->kind = kind;
  d->segments = segments;
  expect_reference(d, {&x, &ids}, {&y},
                   "kind " + std::to_string(kind) + " of " + schema::dtype_name(type) + " " + text(dims) +
                       " segments " + std::to_string(segments) + " seed " + std::to_string(seed),
                   sum_bound(4, double(dims[0])));
}

TEST(Segment, EveryKindOfEveryTypeThroughAnyViews) {
  uint32_t seed = 0;
  for (uint32_t type : kTypes)
    for (uint32_t kind = OPMUX_SEGMENT_SUM; kind <= OPMUX_SEGMENT_SOFTMAX; ++kind)
      for (int round = 0; round < 10; ++round) {
        if (kind == OPMUX_SEGMENT_SOFTMAX && !is_float(type)) continue;
        std::mt19937 rng(++seed);
        Index dims(1 + rng() % 4);
        for (int64_t& e : dims) e = 1 + int64_t(rng() % 9);
        if (rng() % 10 == 0) dims[rng() % dims.size()] = 0;
        segmented(type, kind, dims, 1 + rng() % 6, true, seed);
      }
}

TEST(Segment, ManyColumnsAndManyRows) {
  uint32_t seed = 1000;
  for (uint32_t type : {OPMUX_F64, OPMUX_F32, OPMUX_I32})
    for (uint32_t kind : {OPMUX_SEGMENT_SUM, OPMUX_SEGMENT_MEAN, OPMUX_SEGMENT_MIN, OPMUX_SEGMENT_SOFTMAX}) {
      if (kind == OPMUX_SEGMENT_SOFTMAX && !is_float(type)) continue;
      segmented(type, kind, {60, 700}, 7, false, ++seed);
      segmented(type, kind, {20001, 3}, 31, false, ++seed);
    }
}

TEST(Segment, NamesTheIdThatIsOutOfRange) {
  for (double bad : {5.0, -1.0}) {
    Host host(2);
    Tensor x(OPMUX_F32, {4, 3}), ids(OPMUX_I64, {4}), y(OPMUX_F32, {5, 3});
    ids.each([&](const Index& i) { ids.set(i, double(i[0])); });
    ids.set({2}, bad);
    kit::Desc<opmux_op_segment> d(OPMUX_OP_SEGMENT);
    d.in(x.t).in(ids.t).out(y.t);
    d->kind = OPMUX_SEGMENT_SUM;
    d->segments = 5;
    expect_fault(host, d, {x.data(), ids.data(), y.data()}, 1,
                 "segment: id " + std::to_string(int(bad)) + " at position 2 is outside [0, 4]");
  }
}

void bagged(uint32_t type, uint32_t kind, bool weighted, int64_t columns, int64_t n, int64_t bags, bool odd,
            uint32_t seed) {
  std::mt19937 rng(seed);
  const int64_t rows = 1 + int64_t(rng() % 20);
  Tensor table = make(type, {rows, columns}, odd, rng), y = make(type, {bags, columns}, odd, rng);
  Tensor index = make(rng() % 2 ? OPMUX_I32 : OPMUX_I64, {n}, odd, rng),
         offsets = make(rng() % 2 ? OPMUX_I32 : OPMUX_I64, {bags + 1}, odd, rng),
         weights = make(type, {n}, odd, rng);
  fill_terms(table, false, rng() % 3 == 0, rng);
  fill_terms(weights, true, false, rng);
  index.each([&](const Index& i) { index.set(i, double(int64_t(rng() % uint64_t(2 * rows)) - rows)); });
  std::vector<int64_t> at(size_t(bags) + 1);
  for (int64_t& v : at) v = int64_t(rng() % uint64_t(n + 1));
  std::sort(at.begin(), at.end());
  offsets.each([&](const Index& i) { offsets.set(i, double(at[size_t(i[0])])); });
  kit::Desc<opmux_op_embedding_bag> d(OPMUX_OP_EMBEDDING_BAG);
  d->kind = kind;
  std::vector<Tensor*> in{&table, &index, &offsets};
  if (weighted) in.push_back(&weights);
  expect_reference(
      d, in, {&y},
      "kind " + std::to_string(kind) + " of " + schema::dtype_name(type) + " seed " + std::to_string(seed),
      sum_bound(2, double(n + 1)));
}

TEST(EmbeddingBag, EveryKindOfEveryTypeThroughAnyViews) {
  uint32_t seed = 2000;
  for (uint32_t type : {OPMUX_F64, OPMUX_F32, OPMUX_F16, OPMUX_BF16})
    for (uint32_t kind : {OPMUX_BAG_SUM, OPMUX_BAG_MEAN, OPMUX_BAG_MAX})
      for (int round = 0; round < 12; ++round) {
        std::mt19937 rng(++seed);
        bagged(type, kind, kind != OPMUX_BAG_MAX && round % 2, int64_t(rng() % 9), int64_t(rng() % 40),
               int64_t(rng() % 7), true, seed);
      }
  bagged(OPMUX_F32, OPMUX_BAG_SUM, true, 700, 900, 50, false, ++seed);
}

TEST(EmbeddingBag, NamesWhatIsOutOfRange) {
  Host host(2);
  Tensor table(OPMUX_F32, {3, 2}), index(OPMUX_I64, {4}), offsets(OPMUX_I64, {3}), y(OPMUX_F32, {2, 2});
  index.each([&](const Index& i) { index.set(i, -3); });
  kit::Desc<opmux_op_embedding_bag> d(OPMUX_OP_EMBEDDING_BAG);
  d.in(table.t).in(index.t).in(offsets.t).out(y.t);
  d->kind = OPMUX_BAG_MEAN;
  const auto run = [&](std::vector<double> at) {
    for (size_t i = 0; i < 3; ++i) offsets.set({int64_t(i)}, at[i]);
    return run_fault(host, d, {table.data(), index.data(), offsets.data(), y.data()});
  };
  EXPECT_EQ(run({0, 2, 4}).status, OPMUX_OK);
  EXPECT_EQ(run({0, 2, 5}).text, "embedding_bag: offset 5 at position 2 is outside [2, 4]");
  EXPECT_EQ(run({2, 1, 4}).text, "embedding_bag: offset 1 at position 1 is outside [2, 4]");
  EXPECT_EQ(run({-1, 1, 4}).arg, 2u);
  index.set({3}, 3);
  const Fault f = run({0, 2, 4});
  EXPECT_EQ(f.status, OPMUX_E_FAULT);
  EXPECT_EQ(f.arg, 1u);
  EXPECT_EQ(f.text, "embedding_bag: index 3 is outside [-3, 2]");
  EXPECT_EQ(run({0, 2, 3}).status, OPMUX_OK);  // in no bag
}

}  // namespace
}  // namespace opmux::test
