// SPDX-License-Identifier: Apache-2.0
// Shape rule of attention.
#include "kit/operands/attention.gen.hpp"
#include "kit/schema/table.hpp"

namespace opmux::schema {
namespace {

using enum operands::attention::Input;
using enum operands::attention::Output;

bool same_dim(const View& v, uint32_t i, uint32_t axis, uint32_t to, uint32_t to_axis, Problem& p) {
  const long long have = v.in(i).dim[axis], want = v.in(to).dim[to_axis];
  return have == want || fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, i, axis), have, want,
                              "dim %u of %s is %lld, but dim %u of %s is %lld", axis, v.def->in[i].name, have,
                              to_axis, v.def->in[to].name, want);
}

bool both_or_neither(const View& v, uint32_t i, uint32_t other, Problem& p) {
  const bool want = v.has_in(other);
  return v.has_in(i) == want ||
         fail(p, v.name(), v.at_in(OPMUX_WHY_INVALID, i), v.has_in(i), want, "%s is %s, but %s is %s",
              v.def->in[i].name, want ? "absent" : "there", v.def->in[other].name, want ? "there" : "absent");
}

bool not_with(const View& v, uint32_t i, uint32_t other, Problem& p) {
  return !v.has_in(i) || !v.has_in(other) ||
         fail(p, v.name(), v.at_in(OPMUX_WHY_INVALID, i), 1, 0, "%s cannot be there together with %s",
              v.def->in[i].name, v.def->in[other].name);
}

bool check_past(const View& v, Problem& p) {
  if (!both_or_neither(v, kPastV, kPastK, p) || !both_or_neither(v, kPastLen, kPastK, p)) return false;
  for (uint32_t o : {kPresentK, kPresentV}) {
    if (v.out(o).dtype == OPMUX_NONE) continue;
    const uint32_t state = o == kPresentK ? kPastK : kPastV;
    if (!v.has_in(kPastK))
      return fail(p, v.name(), v.at_out(OPMUX_WHY_INVALID, o), 1, 0,
                  "output %u is there, but past_k is absent", o);
    const uint32_t alias = v.d->alias != nullptr && o < v.d->n_out ? v.d->alias[o] : 0;
    if (alias != state + 1)
      return fail(p, v.name(), v.at_out(OPMUX_WHY_ALIAS, o), alias, state + 1,
                  "output %u has alias %u, must be %u, as it is the state %s", o, alias, state + 1,
                  v.def->in[state].name);
  }
  if (!v.has_in(kPastK)) return true;
  return same_dim(v, kPastK, 0, kQ, 0, p) && same_dim(v, kPastK, 1, kK, 1, p) &&
         same_dim(v, kPastK, 3, kK, 3, p) && same_dim(v, kPastV, 0, kQ, 0, p) &&
         same_dim(v, kPastV, 1, kV, 1, p) && same_dim(v, kPastV, 3, kV, 3, p) &&
         same_dim(v, kPastV, 2, kPastK, 2, p);
}

// i broadcasts to `to`, both aligned at their last dims.
bool check_broadcast(const View& v, uint32_t i, const opmux_tdesc& to, Problem& p) {
  const opmux_tdesc& t = v.in(i);
  for (uint32_t a = 0; a < t.rank; ++a) {
    const long long have = t.dim[a], want = to.dim[to.rank - t.rank + a];
    if (have != 1 && have != want)
      return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, i, a), have, want,
                  "dim %u of %s is %lld, must be 1 or %lld", a, v.def->in[i].name, have, want);
  }
  return true;
}

bool check_masks(const View& v, Problem& p) {
  const opmux_tdesc &mask = v.in(kMask), &q = v.in(kQ);
  opmux_tdesc scores = q;
  scores.dim[3] = v.has_in(kPastK) ? v.in(kPastK).dim[2] : v.in(kK).dim[2];
  if (v.has_in(kMask)) {
    if (mask.dtype != OPMUX_BOOL && mask.dtype != q.dtype)
      return fail(p, v.name(), v.at_in(OPMUX_WHY_DTYPE, kMask), mask.dtype, q.dtype,
                  "mask is %s, must be bool or %s", dtype_name(mask.dtype), dtype_name(q.dtype));
    if (!check_broadcast(v, kMask, scores, p)) return false;
  }
  if (v.has_in(kSlopes) && !same_dim(v, kSlopes, 0, kQ, 1, p)) return false;
  if (!v.has_in(kBlocks)) return true;
  const auto& a = v.attr<opmux_op_attention>();
  if (a.block_q < 1)
    return fail(p, v.name(), View::at_attr(offsetof(opmux_op_attention, block_q)), a.block_q, 1,
                "block_q is 0, must be at least 1 with blocks");
  if (a.block_k < 1)
    return fail(p, v.name(), View::at_attr(offsetof(opmux_op_attention, block_k)), a.block_k, 1,
                "block_k is 0, must be at least 1 with blocks");
  const auto blocks_of = [](int64_t n, int64_t size) { return n / size + (n % size != 0); };
  scores.dim[2] = blocks_of(scores.dim[2], a.block_q);
  scores.dim[3] = blocks_of(scores.dim[3], a.block_k);
  return check_broadcast(v, kBlocks, scores, p);
}

bool check_counts(const View& v, Problem& p) {
  if (!both_or_neither(v, kKStart, kQStart, p)) return false;
  for (uint32_t i : {kQLen, kKLen, kQStart})
    if (!not_with(v, i, kPastK, p)) return false;
  for (uint32_t i : {kQLen, kKLen})
    if (!not_with(v, i, kQStart, p) || (v.has_in(i) && !same_dim(v, i, 0, kQ, 0, p))) return false;
  if (!v.has_in(kQStart)) return true;
  const long long batches = v.in(kQ).dim[0], starts = v.in(kQStart).dim[0];
  if (batches != 1)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, kQ, 0), batches, 1,
                "dim 0 of q is %lld, must be 1 with q_start", batches);
  if (starts < 1)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, kQStart, 0), starts, 1,
                "dim 0 of q_start is %lld, must be at least 1", starts);
  return same_dim(v, kKStart, 0, kQStart, 0, p);
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
  if (!check_past(v, p) || !check_masks(v, p) || !check_counts(v, p)) return false;
  opmux_tdesc y = q;
  y.dim[3] = val.dim[3];
  s.like(kY, q.dtype, y);
  for (uint32_t o : {kPresentK, kPresentV})
    s.like(o, q.dtype, v.has_in(kPastK) ? v.in(kPastK + o - kPresentK) : k);
  s.set(kLse, OPMUX_F32, {q.dim, 3});
  return true;
}

}  // namespace rules
}  // namespace opmux::schema
