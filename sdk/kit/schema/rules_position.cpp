// SPDX-License-Identifier: Apache-2.0
// Shape rules of the position family.
#include "kit/operands/position.gen.hpp"
#include "kit/schema/table.hpp"

namespace opmux::schema {
namespace {

using enum operands::rotary::Input;

bool has_dim(const View& v, uint32_t i, uint32_t axis, long long want, Problem& p) {
  const long long have = v.in(i).dim[axis];
  return have == want || fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, i, axis), have, want,
                              "dim %u of %s is %lld, must be %lld", axis, v.def->in[i].name, have, want);
}

bool check_caches(const View& v, Problem& p) {
  const opmux_tdesc &x = v.in(kX), &cosine = v.in(kCos);
  const bool narrow = OPMUX_DTYPE_BITS(x.dtype) < 32;
  if (cosine.dtype != x.dtype && !(narrow && cosine.dtype == OPMUX_F32))
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DTYPE, kCos), cosine.dtype, x.dtype, "cos is %s, must be %s%s",
                dtype_name(cosine.dtype), dtype_name(x.dtype), narrow ? " or f32" : "");
  const uint32_t rank = v.has_in(kPositions) ? 2 : 3;
  for (uint32_t i : {kCos, kSin})
    if (v.in(i).rank != rank)
      return fail(p, v.name(), v.at_in(OPMUX_WHY_RANK, i), v.in(i).rank, rank,
                  "%s has rank %u, must be %u %s positions", v.def->in[i].name, v.in(i).rank, rank,
                  rank == 2 ? "with" : "without");
  for (uint32_t i = 0; i < rank; ++i)
    if (!has_dim(v, kSin, i, cosine.dim[i], p)) return false;
  const long long pairs = cosine.dim[rank - 1], most = x.dim[3] / 2;
  if (pairs > most)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, kCos, rank - 1), pairs, most,
                "dim %u of cos is %lld, must be at most %lld, half of dim 3 of x", rank - 1, pairs, most);
  return true;
}

}  // namespace

namespace rules {

bool rotary(const View& v, Shapes& s, Problem& p) {
  const opmux_tdesc& x = v.in(kX);
  if (!check_caches(v, p)) return false;
  const uint32_t tokens = v.has_in(kPositions) ? kPositions : kCos;
  if (!has_dim(v, tokens, 0, x.dim[0], p) || !has_dim(v, tokens, 1, x.dim[2], p)) return false;
  s.like(0, x.dtype, x);
  return true;
}

}  // namespace rules
}  // namespace opmux::schema
