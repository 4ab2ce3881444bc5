// SPDX-License-Identifier: Apache-2.0
// Shape rule of attention.
#include "kit/schema/table.hpp"

namespace opmux::schema {
namespace {

enum Input : uint32_t { kQ, kK, kV, kMask, kPastK, kPastV, kPastLen };
constexpr const char* kName[] = {"q", "k", "v", "mask", "past_k", "past_v", "past_len"};

bool same_dim(const View& v, uint32_t i, uint32_t axis, uint32_t to, uint32_t to_axis, Problem& p) {
  const long long have = v.in(i).dim[axis], want = v.in(to).dim[to_axis];
  return have == want || fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, i, axis), have, want,
                              "dim %u of %s is %lld, but dim %u of %s is %lld", axis, kName[i], have, to_axis,
                              kName[to], want);
}

bool check_past(const View& v, Problem& p) {
  const bool past = v.has_in(kPastK);
  for (uint32_t i : {kPastV, kPastLen})
    if (v.has_in(i) != past)
      return fail(p, v.name(), v.at_in(OPMUX_WHY_INVALID, i), v.has_in(i), past, "%s is %s, but past_k is %s",
                  kName[i], past ? "absent" : "there", past ? "there" : "absent");
  if (!past) {
    for (uint32_t o = 1; o < v.d->n_out; ++o)
      if (v.out(o).dtype != OPMUX_NONE)
        return fail(p, v.name(), v.at_out(OPMUX_WHY_INVALID, o), 1, 0,
                    "output %u is there, but past_k is absent", o);
    return true;
  }
  for (uint32_t o : {1u, 2u}) {
    const uint32_t state = o == 1 ? kPastK : kPastV;
    const uint32_t alias = v.d->alias != nullptr && o < v.d->n_out ? v.d->alias[o] : 0;
    if (v.out(o).dtype != OPMUX_NONE && alias != state + 1)
      return fail(p, v.name(), v.at_out(OPMUX_WHY_ALIAS, o), alias, state + 1,
                  "output %u has alias %u, must be %u, as it is the state %s", o, alias, state + 1,
                  kName[state]);
  }
  return same_dim(v, kPastK, 0, kQ, 0, p) && same_dim(v, kPastK, 1, kK, 1, p) &&
         same_dim(v, kPastK, 3, kK, 3, p) && same_dim(v, kPastV, 0, kQ, 0, p) &&
         same_dim(v, kPastV, 1, kV, 1, p) && same_dim(v, kPastV, 3, kV, 3, p) &&
         same_dim(v, kPastV, 2, kPastK, 2, p);
}

bool check_mask(const View& v, Problem& p) {
  const opmux_tdesc &mask = v.in(kMask), &q = v.in(kQ);
  if (mask.dtype == OPMUX_NONE) return true;
  if (mask.dtype != OPMUX_BOOL && mask.dtype != q.dtype)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DTYPE, kMask), mask.dtype, q.dtype,
                "mask is %s, must be bool or %s", dtype_name(mask.dtype), dtype_name(q.dtype));
  opmux_tdesc scores = q;
  scores.dim[3] = v.has_in(kPastK) ? v.in(kPastK).dim[2] : v.in(kK).dim[2];
  const uint32_t lead = 4 - mask.rank;
  for (uint32_t i = 0; i < mask.rank; ++i) {
    const long long have = mask.dim[i], want = scores.dim[lead + i];
    if (have != 1 && have != want)
      return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, kMask, i), have, want,
                  "dim %u of mask is %lld, must be 1 or %lld", i, have, want);
  }
  return true;
}

}  // namespace

namespace rules {

bool attention(const View& v, Shapes& s, Problem& p) {
  const opmux_tdesc &q = v.in(kQ), &k = v.in(kK), &val = v.in(kV);
  if (!same_dim(v, kK, 0, kQ, 0, p) || !same_dim(v, kV, 0, kQ, 0, p) || !same_dim(v, kK, 3, kQ, 3, p) ||
      !same_dim(v, kV, 1, kK, 1, p) || !same_dim(v, kV, 2, kK, 2, p))
    return false;
  const long long heads = q.dim[1], kv_heads = k.dim[1];
  if (kv_heads < 1 || heads % kv_heads != 0)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, kK, 1), kv_heads, heads,
                "dim 1 of k is %lld, which does not divide the %lld heads of q", kv_heads, heads);
  if (!check_past(v, p) || !check_mask(v, p)) return false;
  opmux_tdesc y = q;
  y.dim[3] = val.dim[3];
  s.like(0, q.dtype, y);
  for (uint32_t o = 1; o < v.d->n_out; ++o) s.like(o, q.dtype, v.has_in(kPastK) ? v.in(kPastK + o - 1) : k);
  return true;
}

}  // namespace rules
}  // namespace opmux::schema
