// SPDX-License-Identifier: Apache-2.0
// sort, top_k, non_zero and unique against the reference, whose results are exact.
#include "opmux/ops/sort.gen.h"

#include "against_reference.hpp"

namespace opmux::test {
namespace {

constexpr uint32_t kTypes[] = {OPMUX_F64, OPMUX_F32, OPMUX_F16, OPMUX_BF16, OPMUX_I64, OPMUX_I32,
                               OPMUX_I16, OPMUX_I8,  OPMUX_U64, OPMUX_U32,  OPMUX_U16, OPMUX_U8};

// Fills with bytes of which many are equal, and with the numbers that an order can trip over.
void fill(Tensor& t, std::mt19937& rng, uint32_t different) {
  const int64_t size = t.size();
  t.each([&](const Index& i) {
    uint64_t bits = (rng() % different) * 0x9e3779b97f4a7c15u;
    if (is_float(t.t.dtype)) {
      constexpr double kStrange[] = {NAN, -NAN, INFINITY, -INFINITY, 0.0, -0.0, 1e-42, -1e-42};
      const double v =
          rng() % 9 == 0 ? kStrange[rng() % 8] : double(int64_t(rng() % different)) - different / 2;
      if (t.t.dtype == OPMUX_F64 || t.t.dtype == OPMUX_F32) return t.set(i, v);
      bits = t.t.dtype == OPMUX_F16 ? encode16(v, 10, 15) : encode16(v, 7, 127);
    }
    if (t.t.dtype == OPMUX_BOOL) bits &= 1;  // other bytes are true too, but need not be kept
    auto* base = static_cast<std::byte*>(t.data()) - t.offset(Index(i.size(), 0)) * size;
    std::memcpy(base + t.offset(i) * size, &bits, static_cast<size_t>(size));
  });
}

template <class T>
void check(kit::Desc<T>& d, Tensor& x, const std::vector<Tensor*>& out, const std::string& what) {
  expect_reference(d, {&x}, out, what, exactly);
}

std::string name(const char* op, uint32_t type, const Index& dims, uint32_t axis, uint32_t seed) {
  return std::string(op) + " " + schema::dtype_name(type) + " " + text(dims) + " axis " +
         std::to_string(axis) + " seed " + std::to_string(seed);
}

Index random_dims(std::mt19937& rng, int64_t most) {
  Index dims(1 + rng() % 4);
  for (int64_t& e : dims) e = 1 + int64_t(rng() % uint64_t(most));
  if (rng() % 12 == 0) dims[rng() % dims.size()] = 0;
  return dims;
}

void sorted(uint32_t type, const Index& dims, uint32_t axis, bool odd, bool values, bool index,
            uint32_t seed) {
  std::mt19937 rng(seed);
  Tensor x = make(type, dims, odd, rng), y = make(type, dims, odd, rng), at = make(OPMUX_I64, dims, odd, rng);
  fill(x, rng, 2 + rng() % 300);
  kit::Desc<opmux_op_sort> d(OPMUX_OP_SORT);
  d->axis = axis;
  d->descending = rng() % 2;
  check(d, x, {values ? &y : nullptr, index ? &at : nullptr}, name("sort", type, dims, axis, seed));
}

TEST(Sort, EveryTypeThroughAnyViews) {
  uint32_t seed = 0;
  for (uint32_t type : kTypes)
    for (int round = 0; round < 16; ++round) {
      std::mt19937 rng(++seed);
      const Index dims = random_dims(rng, 9);
      sorted(type, dims, uint32_t(rng() % dims.size()), true, round % 4 != 0, round % 4 != 1, seed);
    }
}

TEST(Sort, LongRowsAndRowsThatAreDivided) {
  uint32_t seed = 1000;
  for (uint32_t type : kTypes) {
    sorted(type, {3, 1025}, 1, false, true, true, ++seed);
    sorted(type, {700, 3}, 0, false, true, true, ++seed);
  }
  for (uint32_t type : {OPMUX_F32, OPMUX_I64, OPMUX_U8})
    sorted(type, {2, 70001}, 1, false, true, true, ++seed);
}

void topped(uint32_t type, const Index& dims, uint32_t axis, uint32_t k, bool odd, uint32_t seed) {
  std::mt19937 rng(seed);
  Index out = dims;
  out[axis] = k;
  Tensor x = make(type, dims, odd, rng), y = make(type, out, odd, rng), at = make(OPMUX_I64, out, odd, rng);
  fill(x, rng, 2 + rng() % 3000);
  kit::Desc<opmux_op_top_k> d(OPMUX_OP_TOP_K);
  d->axis = axis;
  d->k = k;
  d->largest = rng() % 2;
  d->sorted = rng() % 4 != 0;
  check(d, x, {&y, &at}, name("top_k", type, dims, axis, seed) + " k " + std::to_string(k));
}

TEST(TopK, EveryTypeThroughAnyViews) {
  uint32_t seed = 2000;
  for (uint32_t type : kTypes)
    for (int round = 0; round < 16; ++round) {
      std::mt19937 rng(++seed);
      const Index dims = random_dims(rng, 9);
      const auto axis = uint32_t(rng() % dims.size());
      topped(type, dims, axis, uint32_t(rng() % uint64_t(dims[axis] + 1)), true, seed);
    }
}

TEST(TopK, LongRowsAndRowsThatAreDivided) {
  uint32_t seed = 3000;
  for (uint32_t type : kTypes)
    for (uint32_t k : {1u, 7u, 600u, 1024u, 4000u}) topped(type, {2, 5001}, 1, k, false, ++seed);
  for (uint32_t type : {OPMUX_F32, OPMUX_F64, OPMUX_U8})
    for (uint32_t k : {1u, 50u, 9000u, 60000u}) topped(type, {70001}, 0, k, false, ++seed);
}

TEST(TopK, RisingRowsReplaceWhatWasKeptAllTheTime) {
  Tensor x(OPMUX_F32, {1, 9000}), y(OPMUX_F32, {1, 3}), at(OPMUX_I64, {1, 3});
  x.each([&](const Index& i) { x.set(i, double(i[1])); });
  kit::Desc<opmux_op_top_k> d(OPMUX_OP_TOP_K);
  d.in(x.t).out(y.t).out(at.t);
  d->axis = 1;
  d->k = 3;
  d->largest = d->sorted = 1;
  Host host(1);
  ASSERT_TRUE(run_op(host, d, {x.data(), y.data(), at.data()}));
  EXPECT_EQ(y.dense(), (std::vector<double>{8999, 8998, 8997}));
  EXPECT_EQ(at.dense(), (std::vector<double>{8999, 8998, 8997}));
}

void counted(uint32_t type, const Index& dims, bool odd, uint32_t seed) {
  std::mt19937 rng(seed);
  Tensor x = make(type, dims, odd, rng);
  const Index out{int64_t(dims.size()), x.count()};
  Tensor y = make(OPMUX_I64, out, odd, rng), count(OPMUX_I64, {});
  fill(x, rng, 2 + rng() % 3);
  kit::Desc<opmux_op_non_zero> d(OPMUX_OP_NON_ZERO);
  check(d, x, {&y, &count}, name("non_zero", type, dims, 0, seed));
}

TEST(NonZero, EveryTypeThroughAnyViews) {
  uint32_t seed = 4000;
  for (uint32_t type : kTypes)
    for (int round = 0; round < 12; ++round) {
      std::mt19937 rng(++seed);
      counted(type, random_dims(rng, 7), true, seed);
    }
  counted(OPMUX_BOOL, {5, 31}, true, ++seed);
  counted(OPMUX_F32, {3, 40001}, false, ++seed);
  counted(OPMUX_I8, {40001, 2}, false, ++seed);
}

void grouped(uint32_t type, const Index& dims, uint32_t axis, bool odd, uint32_t all, uint32_t seed) {
  std::mt19937 rng(seed);
  const Index n{dims[axis]};
  Tensor x = make(type, dims, odd, rng), y = make(type, dims, odd, rng), count(OPMUX_I64, {});
  Tensor first = make(OPMUX_I64, n, odd, rng), inverse = make(OPMUX_I64, n, odd, rng),
         counts = make(OPMUX_I64, n, odd, rng);
  fill(x, rng, 2 + rng() % (dims.size() == 1 ? 40 : 2));
  kit::Desc<opmux_op_unique> d(OPMUX_OP_UNIQUE);
  d->axis = axis;
  d->sorted = rng() % 2;
  check(d, x,
        {&y, all & 1 ? &first : nullptr, all & 2 ? &inverse : nullptr, all & 4 ? &counts : nullptr, &count},
        name("unique", type, dims, axis, seed));
}

TEST(Unique, EveryTypeThroughAnyViews) {
  uint32_t seed = 5000;
  for (uint32_t type : kTypes)
    for (int round = 0; round < 24; ++round) {
      std::mt19937 rng(++seed);
      Index dims = random_dims(rng, 6);
      if (round % 3 == 0) dims = {int64_t(rng() % 300)};
      if (round % 3 == 1) dims = {int64_t(rng() % 60), 1 + int64_t(rng() % 3)};
      grouped(type, dims, uint32_t(rng() % dims.size()), true, uint32_t(round) % 8, seed);
    }
  grouped(OPMUX_BOOL, {3, 40}, 1, true, 7, ++seed);
  grouped(OPMUX_F32, {50001}, 0, false, 7, ++seed);
  grouped(OPMUX_I64, {2000, 17}, 0, false, 7, ++seed);
}

TEST(Sort, RefusesToWriteOverItsInput) {
  kit::Desc<opmux_op_sort> d(OPMUX_OP_SORT);
  d.in(kit::tensor(OPMUX_F32, {8})).out(kit::tensor(OPMUX_F32, {8})).alias({1});
  const Answer a = ask(d.opd());
  EXPECT_EQ(a.op, nullptr);
  EXPECT_EQ(a.cap.why, OPMUX_WHY_ALIAS);
}

}  // namespace
}  // namespace opmux::test
