// SPDX-License-Identifier: Apache-2.0
// Shape rules of the index family.
#include "kit/schema/table.hpp"

namespace opmux::schema {
namespace {

long long ll(int64_t v) { return v; }

// Appends dims [from, to) of t; false beyond rank 8.
struct Dims {
  int64_t dim[2 * OPMUX_MAX_RANK] = {};
  uint32_t rank = 0;
  void append(const opmux_tdesc& t, uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; ++i) dim[rank++] = t.dim[i];
  }
};

// Does an operand have these dims?
bool has_dims(const View& v, uint32_t i, const char* name, const Dims& want, Problem& p) {
  const opmux_tdesc& t = v.in(i);
  if (t.rank != want.rank)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_RANK, i), t.rank, want.rank, "%s has rank %u, must have %u",
                name, t.rank, want.rank);
  for (uint32_t k = 0; k < t.rank; ++k)
    if (t.dim[k] != want.dim[k])
      return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, i, k), t.dim[k], want.dim[k],
                  "dim %u of %s is %lld, must be %lld", k, name, ll(t.dim[k]), ll(want.dim[k]));
  return true;
}

// Other reductions than SET compute, which only numbers can.
bool can_scatter(const View& v, uint32_t reduction, Problem& p) {
  const uint32_t dtype = v.in(0).dtype, bits = OPMUX_DTYPE_BITS(dtype);
  const bool number = is_class(dtype, OPMUX_CLASS_FLOAT) ? bits > 8 : dtype != OPMUX_BOOL;
  return reduction == OPMUX_SCATTER_SET || number ||
         fail(p, v.name(), v.at_in(OPMUX_WHY_DTYPE, 0), dtype, OPMUX_SCATTER_SET,
              "x is %s, which only reduction 1 (set) takes", dtype_name(dtype));
}

bool finish(const View& v, const Dims& y, Shapes& s, Problem& p) {
  if (y.rank > OPMUX_MAX_RANK)
    return fail(p, v.name(), v.at_out(OPMUX_WHY_RANK, 0), y.rank, OPMUX_MAX_RANK,
                "output y would have rank %u, at most %u is possible", y.rank, OPMUX_MAX_RANK);
  s.set(0, v.in(0).dtype, {y.dim, y.rank});
  return true;
}

}  // namespace

namespace rules {

bool gather(const View& v, Shapes& s, Problem& p) {
  const uint32_t axis = v.attr<opmux_op_gather>().axis;
  const opmux_tdesc &x = v.in(0), &index = v.in(1);
  Dims y;
  y.append(x, 0, axis);
  y.append(index, 0, index.rank);
  y.append(x, axis + 1, x.rank);
  return finish(v, y, s, p);
}

bool gather_elements(const View& v, Shapes& s, Problem& p) {
  const uint32_t axis = v.attr<opmux_op_gather_elements>().axis;
  const opmux_tdesc &x = v.in(0), &index = v.in(1);
  if (index.rank != x.rank)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_RANK, 1), index.rank, x.rank,
                "index has rank %u, but x has rank %u", index.rank, x.rank);
  for (uint32_t i = 0; i < x.rank; ++i)
    if (i != axis && index.dim[i] > x.dim[i])
      return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 1, i), index.dim[i], x.dim[i],
                  "dim %u of index is %lld, but that of x is %lld", i, ll(index.dim[i]), ll(x.dim[i]));
  s.like(0, x.dtype, index);
  return true;
}

bool gather_nd(const View& v, Shapes& s, Problem& p) {
  const uint32_t batch = v.attr<opmux_op_gather_nd>().batch_dims;
  const opmux_tdesc &x = v.in(0), &index = v.in(1);
  const uint32_t least = x.rank < index.rank ? x.rank : index.rank;
  if (batch >= least)
    return fail(p, v.name(), View::at_attr(offsetof(opmux_op_gather_nd, batch_dims)), batch,
                int64_t{least} - 1, "batch_dims is %u, must be below %u, the lesser rank of x and index",
                batch, least);
  for (uint32_t i = 0; i < batch; ++i)
    if (x.dim[i] != index.dim[i])
      return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 1, i), index.dim[i], x.dim[i],
                  "dim %u of index is %lld, but that of x is %lld", i, ll(index.dim[i]), ll(x.dim[i]));
  const int64_t n = index.dim[index.rank - 1];
  if (n < 1 || n > x.rank - batch)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 1, index.rank - 1), n, x.rank - batch,
                "the last dim of index is %lld, must be 1 to %u", ll(n), x.rank - batch);
  Dims y;
  y.append(index, 0, index.rank - 1);
  y.append(x, batch + static_cast<uint32_t>(n), x.rank);
  return finish(v, y, s, p);
}

bool one_hot(const View& v, Shapes& s, Problem& p) {
  const uint32_t axis = v.attr<opmux_op_one_hot>().axis;
  const opmux_tdesc &index = v.in(0), &values = v.in(1), &asked = v.out(0);
  if (axis > index.rank)
    return fail(p, v.name(), View::at_attr(offsetof(opmux_op_one_hot, axis)), axis, index.rank,
                "axis %u is outside [0, %u] for rank %u", axis, index.rank, index.rank + 1);
  if (values.dim[0] != 2)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 1, 0), values.dim[0], 2,
                "dim 0 of values is %lld, must be 2", ll(values.dim[0]));
  if (asked.rank != index.rank + 1)
    return fail(p, v.name(), v.at_out(OPMUX_WHY_RANK, 0), asked.rank, int64_t{index.rank} + 1,
                "output y has rank %u, must be %u and state the depth", asked.rank, index.rank + 1);
  Dims y;
  y.append(index, 0, axis);
  y.append(asked, axis, axis + 1);
  y.append(index, axis, index.rank);
  s.set(0, values.dtype, {y.dim, y.rank});
  return true;
}

bool scatter_elements(const View& v, Shapes&, Problem& p) {
  const auto& a = v.attr<opmux_op_scatter_elements>();
  const opmux_tdesc &x = v.in(0), &index = v.in(1);
  if (!can_scatter(v, a.reduction, p)) return false;
  if (index.rank != x.rank)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_RANK, 1), index.rank, x.rank,
                "index has rank %u, but x has rank %u", index.rank, x.rank);
  for (uint32_t i = 0; i < x.rank; ++i)
    if (i != a.axis && index.dim[i] > x.dim[i])
      return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 1, i), index.dim[i], x.dim[i],
                  "dim %u of index is %lld, but that of x is %lld", i, ll(index.dim[i]), ll(x.dim[i]));
  Dims want;
  want.append(index, 0, index.rank);
  return has_dims(v, 2, "updates", want, p);
}

bool scatter_nd(const View& v, Shapes&, Problem& p) {
  const opmux_tdesc &x = v.in(0), &index = v.in(1);
  if (!can_scatter(v, v.attr<opmux_op_scatter_nd>().reduction, p)) return false;
  const int64_t n = index.dim[index.rank - 1];
  if (n < 1 || n > x.rank)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 1, index.rank - 1), n, x.rank,
                "the last dim of index is %lld, must be 1 to %u", ll(n), x.rank);
  Dims want;
  want.append(index, 0, index.rank - 1);
  want.append(x, static_cast<uint32_t>(n), x.rank);
  return has_dims(v, 2, "updates", want, p);
}

}  // namespace rules
}  // namespace opmux::schema
