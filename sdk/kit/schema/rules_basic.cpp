// SPDX-License-Identifier: Apache-2.0
// Shape rules: pointwise, reduce, layer_norm, pad, matmul.
#include <algorithm>

#include "kit/schema/table.hpp"

namespace opmux::schema {
namespace {

long long ll(int64_t v) { return v; }

// dims: broadcast of dims and those of t (numpy rules). False where they do not go together; *axis then says
// where.
bool broadcast_into(std::span<const int64_t> t, int64_t dims[8], uint32_t& rank, uint32_t* axis) {
  const auto n = static_cast<uint32_t>(t.size());
  if (n > rank) {
    const uint32_t grow = n - rank;
    for (uint32_t i = rank; i-- > 0;) dims[i + grow] = dims[i];
    for (uint32_t i = 0; i < grow; ++i) dims[i] = 1;
    rank = n;
  }
  for (uint32_t i = 0; i < n; ++i) {
    int64_t& have = dims[rank - n + i];
    if (have == 1)
      have = t[i];
    else if (t[i] != 1 && t[i] != have) {
      *axis = i;
      return false;
    }
  }
  return true;
}

}  // namespace

bool matmul_shape(const View& v, int64_t shape[8], uint32_t& rank, Problem& p) {
  const opmux_tdesc &a = v.in(0), &b = v.in(1);
  const int64_t k = a.dim[a.rank - 1];
  if (b.dim[b.rank - 2] != k)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 1, b.rank - 2), b.dim[b.rank - 2], k,
                "dim %u of b is %lld, but dim %u of a is %lld", b.rank - 2, ll(b.dim[b.rank - 2]), a.rank - 1,
                ll(k));
  uint32_t axis = 0;
  rank = 0;
  broadcast_into(dims(a).first(a.rank - 2), shape, rank, &axis);
  if (!broadcast_into(dims(b).first(b.rank - 2), shape, rank, &axis))
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 1, axis), b.dim[axis], a.dim[axis + a.rank - b.rank],
                "dim %u of b is %lld, which does not broadcast with %lld of a", axis, ll(b.dim[axis]),
                ll(a.dim[axis + a.rank - b.rank]));
  shape[rank++] = a.dim[a.rank - 2];
  shape[rank++] = b.dim[b.rank - 1];
  return true;
}

namespace rules {

bool pointwise(const View& v, Shapes& s, Problem& p) {
  int64_t shape[8] = {};
  uint32_t rank = 0, axis = 0;
  for (uint32_t i = 0; i < v.n_own; ++i)
    if (!broadcast_into(dims(v.in(i)), shape, rank, &axis))
      return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, i, axis), v.in(i).dim[axis],
                  shape[rank - v.in(i).rank + axis],
                  "dim %u of input %u is %lld, which does not broadcast with %lld", axis, i,
                  ll(v.in(i).dim[axis]), ll(shape[rank - v.in(i).rank + axis]));
  // Inputs may all be narrower than the outputs that d states; without inputs only d says the shape.
  const opmux_tdesc& asked = v.out(0);
  if (asked.dtype != OPMUX_NONE || v.n_own == 0) {
    opmux_tdesc all{};
    all.rank = rank;
    std::copy_n(shape, 8, all.dim);
    if (asked.rank <= OPMUX_MAX_RANK && broadcasts(all, asked)) {
      rank = asked.rank;
      std::copy_n(asked.dim, 8, shape);
    }
  }
  for (uint32_t o = 0; o < v.d->n_out; ++o) s.set(o, v.out(o).dtype, {shape, rank});
  return true;
}

bool reduce(const View& v, Shapes& s, Problem& p) {
  const auto& a = v.attr<opmux_op_reduce>();
  const opmux_tdesc& x = v.in(0);
  const auto axes = v.list(a.axes);
  const At at = View::at_attr(offsetof(opmux_op_reduce, axes));
  const bool arg = a.kind == OPMUX_REDUCE_ARGMAX || a.kind == OPMUX_REDUCE_ARGMIN;
  const bool logic = a.kind == OPMUX_REDUCE_ANY || a.kind == OPMUX_REDUCE_ALL;
  if (logic != (x.dtype == OPMUX_BOOL))
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DTYPE, 0), x.dtype, OPMUX_BOOL,
                "x is %s, but kind %u takes %s", dtype_name(x.dtype), a.kind,
                logic ? "only bool" : "no bool");
  if (arg && axes.size() != 1)
    return fail(p, v.name(), at, static_cast<int64_t>(axes.size()), 1,
                "has %zu axes, kind %u takes exactly 1", axes.size(), a.kind);
  if (!arg && a.select_last != 0)
    return fail(p, v.name(), View::at_attr(offsetof(opmux_op_reduce, select_last)), a.select_last, 0,
                "select_last is %u, but kind %u does not select", a.select_last, a.kind);
  opmux_tdesc y = x;
  int64_t last = -1;
  for (int64_t axis : axes) {
    if (axis < 0 || axis >= x.rank)
      return fail(p, v.name(), at, axis, int64_t{x.rank} - 1, "axis %lld is outside [0, %lld] for rank %u",
                  ll(axis), ll(int64_t{x.rank} - 1), x.rank);
    if (axis <= last)
      return fail(p, v.name(), at, axis, last, "axis %lld comes after axis %lld, axes must rise", ll(axis),
                  ll(last));
    if (arg && x.dim[axis] == 0)
      return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 0, static_cast<uint32_t>(axis)), 0, 1,
                  "dim %lld of x is 0, kind %u needs at least 1 element", ll(axis), a.kind);
    last = axis;
    y.dim[axis] = 1;
  }
  const bool count = a.kind == OPMUX_REDUCE_FINITE_COUNT;
  s.like(0, arg || count ? OPMUX_I64 : x.dtype, y);
  return true;
}

bool layer_norm(const View& v, Shapes& s, Problem&) {
  const auto& a = v.attr<opmux_op_layer_norm>();
  opmux_tdesc t = v.in(0);
  for (uint32_t i = a.axis; i < t.rank; ++i) t.dim[i] = 1;
  for (uint32_t o = 1; o < v.d->n_out; ++o) s.like(o, OPMUX_F32, t);
  return true;
}

bool pad(const View& v, Shapes& s, Problem& p) {
  const auto& a = v.attr<opmux_op_pad>();
  const opmux_tdesc& x = v.in(0);
  const auto pads = v.list(a.pad);
  const At at = View::at_attr(offsetof(opmux_op_pad, pad));
  if (pads.size() != 2 * size_t{x.rank})
    return fail(p, v.name(), at, static_cast<int64_t>(pads.size()), 2 * int64_t{x.rank},
                "has %zu pads, rank %u needs %u", pads.size(), x.rank, 2 * x.rank);
  opmux_tdesc y = x;
  constexpr int64_t kLimit = int64_t{1} << 61;
  for (uint32_t i = 0; i < x.rank; ++i) {
    const int64_t begin = pads[i], end = pads[x.rank + i];
    for (int64_t value : {begin, end})
      if (value < -kLimit || value > kLimit)
        return fail(p, v.name(), at, value, kLimit, "pad of axis %u is %lld, beyond 2^61", i, ll(value));
    if (x.dim[i] + std::min<int64_t>(begin, 0) + std::min<int64_t>(end, 0) < 0)
      return fail(p, v.name(), at, begin + end, x.dim[i],
                  "pads %lld and %lld of axis %u crop more than its %lld elements", ll(begin), ll(end), i,
                  ll(x.dim[i]));
    // A pad may take as many elements as lie beside the edge (reflect), or one turn (wrap).
    const int64_t most = a.mode == OPMUX_PAD_REFLECT ? std::max<int64_t>(x.dim[i] - 1, 0) : x.dim[i];
    const bool bounded = a.mode == OPMUX_PAD_REFLECT || a.mode == OPMUX_PAD_WRAP;
    const int64_t widest = std::max(begin, end);
    if (bounded && widest > most)
      return fail(p, v.name(), at, widest, most,
                  "pad %lld of axis %u is beyond %lld, the most for dim %lld in mode %u", ll(widest), i,
                  ll(most), ll(x.dim[i]), a.mode);
    if (a.mode == OPMUX_PAD_EDGE && x.dim[i] == 0 && widest > 0)
      return fail(p, v.name(), at, widest, 0, "pad %lld of axis %u has no edge to repeat, dim is 0",
                  ll(widest), i);
    y.dim[i] = x.dim[i] + begin + end;
  }
  s.like(0, x.dtype, y);
  return true;
}

bool matmul(const View& v, Shapes& s, Problem& p) {
  const auto& m = v.attr<opmux_op_matmul>();
  const opmux_tdesc &a = v.in(0), &b = v.in(1);
  const bool integer = OPMUX_DTYPE_CLASS(a.dtype) != OPMUX_CLASS_FLOAT;
  if (a.dtype != b.dtype && !(integer && OPMUX_DTYPE_CLASS(b.dtype) != OPMUX_CLASS_FLOAT))
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DTYPE, 1), b.dtype, a.dtype, "b is %s, but a is %s",
                dtype_name(b.dtype), dtype_name(a.dtype));
  const uint32_t acc = integer ? OPMUX_I32 : compute_dtype(a.dtype);
  if (m.acc_dtype != acc)
    return fail(p, v.name(), View::at_attr(offsetof(opmux_op_matmul, acc_dtype)), m.acc_dtype, acc,
                "acc_dtype is %s, must be %s for %s", dtype_name(m.acc_dtype), dtype_name(acc),
                dtype_name(a.dtype));
  int64_t shape[8] = {};
  uint32_t rank = 0;
  if (!matmul_shape(v, shape, rank, p)) return false;
  const uint32_t plain = integer ? acc : a.dtype;
  s.set(0, v.out(0).dtype == acc ? acc : plain, {shape, rank});
  return true;
}

bool grouped_matmul(const View& v, Shapes& s, Problem& p) {
  const opmux_tdesc &a = v.in(0), &b = v.in(1), &offsets = v.in(2);
  const uint32_t acc = compute_dtype(a.dtype), stated = v.attr<opmux_op_grouped_matmul>().acc_dtype;
  if (stated != acc)
    return fail(p, v.name(), View::at_attr(offsetof(opmux_op_grouped_matmul, acc_dtype)), stated, acc,
                "acc_dtype is %s, must be %s for %s", dtype_name(stated), dtype_name(acc),
                dtype_name(a.dtype));
  if (b.dim[1] != a.dim[1])
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 1, 1), b.dim[1], a.dim[1],
                "dim 1 of b is %lld, but dim 1 of a is %lld", ll(b.dim[1]), ll(a.dim[1]));
  if (offsets.dim[0] != b.dim[0] + 1)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 2, 0), offsets.dim[0], b.dim[0] + 1,
                "dim 0 of offsets is %lld, must be %lld, one more than the matrices of b", ll(offsets.dim[0]),
                ll(b.dim[0] + 1));
  const int64_t shape[2] = {a.dim[0], b.dim[2]};
  s.set(0, v.out(0).dtype == acc ? acc : a.dtype, shape);
  return true;
}

}  // namespace rules
}  // namespace opmux::schema
