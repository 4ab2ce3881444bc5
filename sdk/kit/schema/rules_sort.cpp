// SPDX-License-Identifier: Apache-2.0
// Shape rules of the sort and watch families, and of what counts or gathers into bins, segments and bags.
#include "kit/schema/table.hpp"

namespace opmux::schema::rules {

bool top_k(const View& v, Shapes& s, Problem&) {
  const auto& a = v.attr<opmux_op_top_k>();
  opmux_tdesc y = v.in(0);
  y.dim[a.axis] = a.k;
  for (uint32_t o = 0; o < v.d->n_out; ++o) s.like(o, o == 0 ? y.dtype : OPMUX_I64, y);
  return true;
}

bool non_zero(const View& v, Shapes& s, Problem&) {
  const opmux_tdesc& x = v.in(0);
  const int64_t dims[] = {x.rank, static_cast<int64_t>(numel(x).value())};
  s.set(0, OPMUX_I64, dims);
  s.set(1, OPMUX_I64, {});
  return true;
}

bool histogram(const View& v, Shapes& s, Problem&) {
  const int64_t bins = v.attr<opmux_op_histogram>().bins;
  s.set(0, OPMUX_I64, {&bins, 1});
  return true;
}

bool segment(const View& v, Shapes& s, Problem&) {
  const auto& a = v.attr<opmux_op_segment>();
  opmux_tdesc y = v.in(0);
  if (a.kind != OPMUX_SEGMENT_SOFTMAX) y.dim[0] = a.segments;
  s.like(0, y.dtype, y);
  return true;
}

bool embedding_bag(const View& v, Shapes& s, Problem&) {
  const int64_t dims[] = {v.in(2).dim[0] - 1, v.in(0).dim[1]};
  s.set(0, v.in(0).dtype, dims);
  return true;
}

bool tensor_stats(const View&, Shapes& s, Problem&) {
  constexpr int64_t kCounts = 3, kValues = 5;
  s.set(0, OPMUX_I64, {&kCounts, 1});
  s.set(1, OPMUX_F64, {&kValues, 1});
  return true;
}

bool unique(const View& v, Shapes& s, Problem&) {
  const int64_t n = v.in(0).dim[v.attr<opmux_op_unique>().axis];
  for (uint32_t o = 1; o < 4; ++o) s.set(o, OPMUX_I64, {&n, 1});
  s.set(4, OPMUX_I64, {});
  return true;
}

}  // namespace opmux::schema::rules
