// SPDX-License-Identifier: Apache-2.0
// Shape rules: linear_attention, selective_scan, dft, sample, speculative.
#include "kit/operands/sampling.gen.hpp"
#include "kit/operands/state.gen.hpp"
#include "kit/schema/table.hpp"

namespace opmux::schema {
namespace {

long long ll(int64_t v) { return v; }

// Dim `axis` of input i must be `want`, or 1 where `one` allows it.
bool must_be(const View& v, uint32_t i, uint32_t axis, int64_t want, Problem& p, bool one = false) {
  if (!v.has_in(i)) return true;
  const int64_t have = v.in(i).dim[axis];
  if (have == want || (one && have == 1)) return true;
  return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, i, axis), have, want,
              "dim %u of %s is %lld, must be %s%lld", axis, v.def->in[i].name, ll(have),
              one && want != 1 ? "1 or " : "", ll(want));
}
bool must_be(const View& v, uint32_t i, std::initializer_list<int64_t> want, Problem& p, bool one = false) {
  uint32_t axis = 0;
  for (int64_t w : want)
    if (!must_be(v, i, axis++, w, p, one)) return false;
  return true;
}

bool divides(const View& v, uint32_t i, uint32_t axis, int64_t whole, const char* what, Problem& p) {
  const int64_t part = v.in(i).dim[axis];
  return (part >= 1 && whole % part == 0) || fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, i, axis), part, whole,
                                                  "dim %u of %s is %lld, which does not divide the %lld %s",
                                                  axis, v.def->in[i].name, ll(part), ll(whole), what);
}

}  // namespace

namespace rules {

bool linear_attention(const View& v, Shapes& s, Problem& p) {
  using enum operands::linear_attention::Input;
  const int64_t *q = v.in(kQ).dim, *k = v.in(kK).dim, *value = v.in(kV).dim;
  const int64_t state[] = {q[0], k[1], q[3], value[3]};
  if (!must_be(v, kK, 0, q[0], p) || !must_be(v, kK, 2, q[2], p) || !must_be(v, kK, 3, q[3], p) ||
      !must_be(v, kV, 0, q[0], p) || !must_be(v, kV, 1, k[1], p) || !must_be(v, kV, 2, q[2], p) ||
      !divides(v, kK, 1, q[1], "heads of q", p) || !must_be(v, kPast, {q[0], k[1], q[3], value[3]}, p) ||
      !must_be(v, kDecay, {q[0], k[1], q[2], q[3]}, p, true) ||
      !must_be(v, kBeta, {q[0], k[1], q[2], 1}, p, true))
    return false;
  const int64_t y[] = {q[0], q[1], q[2], value[3]};
  s.set(0, v.in(kQ).dtype, y);
  if (v.d->n_out > 1) s.set(1, v.has_in(kPast) ? v.in(kPast).dtype : v.in(kQ).dtype, state);
  return true;
}

bool selective_scan(const View& v, Shapes& s, Problem& p) {
  using enum operands::selective_scan::Input;
  const int64_t *x = v.in(kX).dim, n = v.in(kA).dim[1];
  if (!must_be(v, kDelta, {x[0], x[1], x[2]}, p) || !must_be(v, kA, 0, x[2], p) ||
      !must_be(v, kB, 0, x[0], p) || !must_be(v, kB, 1, x[1], p) || !must_be(v, kB, 3, n, p) ||
      !divides(v, kB, 2, x[2], "channels of x", p) || !must_be(v, kC, {x[0], x[1], v.in(kB).dim[2], n}, p) ||
      !must_be(v, kSkip, {x[2]}, p) || !must_be(v, kPast, {x[0], x[2], n}, p))
    return false;
  s.like(0, v.in(kX).dtype, v.in(kX));
  const int64_t state[] = {x[0], x[2], n};
  if (v.d->n_out > 1) s.set(1, v.in(kX).dtype, state);
  return true;
}

bool dft(const View& v, Shapes& s, Problem& p) {
  const auto& a = v.attr<opmux_op_dft>();
  const opmux_tdesc& x = v.in(0);
  const uint32_t last = x.rank - 1;
  if (a.axis == last)
    return fail(p, v.name(), View::at_attr(offsetof(opmux_op_dft, axis)), a.axis, int64_t{last} - 1,
                "axis %u is the pair (real, imaginary), it must be in [0, %u]", a.axis, last - 1);
  const bool forward_half = a.onesided != 0 && a.inverse == 0,
             inverse_half = a.onesided != 0 && a.inverse != 0;
  const int64_t most = forward_half ? 1 : 2;
  if (x.dim[last] < 1 || x.dim[last] > most)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 0, last), x.dim[last], most,
                "dim %u of x is %lld, must be %s", last, ll(x.dim[last]),
                forward_half ? "1, as a onesided transform is one of real numbers" : "1 or 2");
  opmux_tdesc y = x;
  y.dim[a.axis] = forward_half ? int64_t{a.length} / 2 + 1 : int64_t{a.length};
  y.dim[last] = inverse_half ? 1 : 2;
  s.like(0, x.dtype, y);
  return true;
}

bool sample(const View& v, Shapes& s, Problem& p) {
  using enum operands::sample::Input;
  const int64_t *logits = v.in(kLogits).dim, rows[] = {logits[0]};
  if (!must_be(v, kHistory, 0, logits[0], p)) return false;
  if (logits[1] > INT32_MAX)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, kLogits, 1), logits[1], INT32_MAX,
                "dim 1 of logits is %lld, at most 2^31 - 1 is possible", ll(logits[1]));
  s.set(0, OPMUX_I64, rows);
  if (v.d->n_out > 1) s.set(1, OPMUX_F32, rows);
  return true;
}

bool speculative(const View& v, Shapes& s, Problem& p) {
  using enum operands::speculative::Input;
  const int64_t batch = v.in(kDraft).dim[0], drafted = v.in(kDraft).dim[1], vocabulary = v.in(kQ).dim[2];
  if (!must_be(v, kQ, {batch, drafted, vocabulary}, p) ||
      !must_be(v, kP, {batch, drafted + 1, vocabulary}, p))
    return false;
  const int64_t tokens[] = {batch, drafted + 1};
  s.set(0, OPMUX_I64, tokens);
  s.set(1, OPMUX_I64, std::span(tokens).first(1));
  return true;
}

}  // namespace rules
}  // namespace opmux::schema
