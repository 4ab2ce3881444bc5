// SPDX-License-Identifier: Apache-2.0
#include "against_reference.hpp"
#include "opmux/ops/reduce.gen.h"

namespace opmux::test {
namespace {

constexpr uint32_t kTypes[] = {OPMUX_F64, OPMUX_F32, OPMUX_F16, OPMUX_BF16,
                               OPMUX_I64, OPMUX_I32, OPMUX_I8,  OPMUX_U8};

void scanned(uint32_t type, uint32_t kind, const Index& dims, uint32_t axis, bool odd, uint32_t seed) {
  std::mt19937 rng(seed);
  Tensor x = make(type, dims, odd, rng), y = make(type, dims, odd, rng);
  kit::Desc<opmux_op_scan> d(OPMUX_OP_SCAN);
  d->kind = kind;
  d->axis = axis;
  d->exclusive = rng() % 2;
  d->reverse = rng() % 2;
  fill_terms(x, kind == OPMUX_SCAN_PROD, rng() % 3 == 0, rng);
  expect_reference(d, {&x}, {&y},
                   "kind " + std::to_string(kind) + " of " + schema::dtype_name(type) + " " + text(dims) +
                       " axis " + std::to_string(axis) + " seed " + std::to_string(seed),
                   sum_bound(2, double(dims[axis])));
}

TEST(Scan, EveryKindOfEveryTypeThroughAnyViews) {
  uint32_t seed = 0;
  for (uint32_t type : kTypes)
    for (uint32_t kind = OPMUX_SCAN_SUM; kind <= OPMUX_SCAN_MIN; ++kind)
      for (int round = 0; round < 12; ++round) {
        std::mt19937 rng(++seed);
        Index dims(1 + rng() % 4);
        for (int64_t& e : dims) e = 1 + int64_t(rng() % 11);
        if (rng() % 12 == 0) dims[rng() % dims.size()] = 0;
        scanned(type, kind, dims, uint32_t(rng() % dims.size()), true, seed);
      }
}

TEST(Scan, LongRowsColumnsAndRowsThatAreDivided) {
  uint32_t seed = 1000;
  for (uint32_t type : {OPMUX_F64, OPMUX_F32, OPMUX_BF16, OPMUX_I32, OPMUX_U8})
    for (uint32_t kind : {OPMUX_SCAN_SUM, OPMUX_SCAN_MAX}) {
      scanned(type, kind, {3, 1500}, 1, false, ++seed);
      scanned(type, kind, {1500, 300}, 0, false, ++seed);
      scanned(type, kind, {2, 70001}, 1, false, ++seed);
    }
}

TEST(Scan, WorksInPlace) {
  Tensor x(OPMUX_F32, {70001});
  x.each([&](const Index& i) { x.set(i, 1); });
  kit::Desc<opmux_op_scan> d(OPMUX_OP_SCAN);
  d.in(x.t).out(x.t).alias({1});
  d->kind = OPMUX_SCAN_SUM;
  d->reverse = 1;
  const Answer a = ask(d.opd());
  ASSERT_TRUE(a.op);
  EXPECT_EQ(a.cap.inplace_mask, 1u);
  Host host(2);
  ASSERT_TRUE(run_op(host, d, {x.data(), x.data()}));
  EXPECT_EQ(x.get({0}), 70001);
  EXPECT_EQ(x.get({70000}), 1);
}

}  // namespace
}  // namespace opmux::test
