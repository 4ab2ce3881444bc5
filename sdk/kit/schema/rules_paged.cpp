// SPDX-License-Identifier: Apache-2.0
// Shape rules of the operators on pages of keys and values.
#include "kit/operands/attention.gen.hpp"
#include "kit/schema/table.hpp"

namespace opmux::schema {
namespace {

bool has_dim(const View& v, uint32_t i, uint32_t axis, long long want, Problem& p) {
  const long long have = v.in(i).dim[axis];
  return have == want || fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, i, axis), have, want,
                              "dim %u of %s is %lld, must be %lld", axis, v.def->in[i].name, have, want);
}

// A scale broadcasts to [P, page, H] of the pages.
bool check_scale(const View& v, uint32_t i, uint32_t pages, Problem& p) {
  const opmux_tdesc& t = v.in(i);
  for (uint32_t a = 0; a < t.rank; ++a) {
    const long long have = t.dim[a], want = v.in(pages).dim[3 - t.rank + a];
    if (have != 1 && have != want)
      return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, i, a), have, want,
                  "dim %u of %s is %lld, must be 1 or %lld", a, v.def->in[i].name, have, want);
  }
  return true;
}

// The rows of n pages must be countable, even those without elements.
bool check_rows(const View& v, uint32_t i, uint32_t axis, int64_t page, Problem& p) {
  const long long n = v.in(i).dim[axis], most = (int64_t{1} << 62) / (page > 1 ? page : 1);
  return n <= most || fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, i, axis), n, most,
                           "dim %u of %s is %lld, must be at most %lld for pages of %lld rows", axis,
                           v.def->in[i].name, n, most, static_cast<long long>(page));
}

}  // namespace

namespace rules {

bool paged_attention(const View& v, Shapes& s, Problem& p) {
  using enum operands::paged_attention::Input;
  const opmux_tdesc &q = v.in(kQ), &k = v.in(kKPages), &table = v.in(kTable);
  if (!has_dim(v, kKPages, 3, q.dim[2], p)) return false;
  for (uint32_t a : {0u, 1u, 2u})
    if (!has_dim(v, kVPages, a, k.dim[a], p)) return false;
  const long long heads = q.dim[1], kv_heads = k.dim[2];
  if (kv_heads < 1 || heads % kv_heads != 0)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, kKPages, 2), kv_heads, heads,
                "dim 2 of k_pages is %lld, which does not divide the %lld heads of q", kv_heads, heads);
  if (k.dim[1] < 1)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, kKPages, 1), k.dim[1], 1,
                "dim 1 of k_pages is 0, must be at least 1");
  if (!check_rows(v, kTable, 1, k.dim[1], p)) return false;
  if (!has_dim(v, kKLen, 0, table.dim[0], p) || !has_dim(v, kQStart, 0, table.dim[0] + 1, p)) return false;
  if (v.has_in(kSlopes) && !has_dim(v, kSlopes, 0, heads, p)) return false;
  if (!check_scale(v, kKScale, kKPages, p) || !check_scale(v, kVScale, kVPages, p)) return false;
  opmux_tdesc y = q;
  y.dim[2] = v.in(kVPages).dim[3];
  s.like(0, q.dtype, y);
  s.set(1, OPMUX_F32, {q.dim, 2});
  return true;
}

bool kv_append(const View& v, Shapes& s, Problem& p) {
  using enum operands::kv_append::Input;
  using enum operands::kv_append::Output;
  const opmux_tdesc &pages = v.in(kPages), &x = v.in(kX);
  if (!has_dim(v, kX, 1, pages.dim[2], p) || !has_dim(v, kX, 2, pages.dim[3], p) ||
      !has_dim(v, kSlots, 0, x.dim[0], p) || !check_rows(v, kPages, 0, pages.dim[1], p) ||
      !check_scale(v, kScale, kPages, p))
    return false;
  if (v.out(kNewScale).dtype != OPMUX_NONE) {
    if (!v.has_in(kScale))
      return fail(p, v.name(), v.at_out(OPMUX_WHY_INVALID, kNewScale), 1, 0,
                  "new_scale is there, but scale is absent");
    if (v.in(kScale).rank != 3)
      return fail(p, v.name(), v.at_in(OPMUX_WHY_RANK, kScale), v.in(kScale).rank, 3,
                  "scale has rank %u, must be 3 with new_scale", v.in(kScale).rank);
    for (uint32_t a : {0u, 1u, 2u})
      if (!has_dim(v, kScale, a, pages.dim[a], p)) return false;
  }
  for (uint32_t o : {kNewPages, kNewScale}) {
    const uint32_t state = o == kNewPages ? kPages : kScale;
    const uint32_t alias = v.d->alias != nullptr && o < v.d->n_out ? v.d->alias[o] : 0;
    if (v.out(o).dtype != OPMUX_NONE && alias != state + 1)
      return fail(p, v.name(), v.at_out(OPMUX_WHY_ALIAS, o), alias, state + 1,
                  "output %u has alias %u, must be %u, as it is the state %s", o, alias, state + 1,
                  v.def->in[state].name);
  }
  s.like(kNewPages, pages.dtype, pages);
  if (v.has_in(kScale)) s.like(kNewScale, OPMUX_F32, v.in(kScale));
  return true;
}

}  // namespace rules
}  // namespace opmux::schema
