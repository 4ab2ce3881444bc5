// SPDX-License-Identifier: Apache-2.0
// Shape rules: recurrent, det.
#include "kit/operands/recurrent.gen.hpp"
#include "kit/schema/table.hpp"

namespace opmux::schema {
namespace {

using enum operands::recurrent::Input;
using enum operands::recurrent::Output;

// Input i must have exactly these dims if it is there.
bool must_be(const View& v, uint32_t i, std::span<const int64_t> want, Problem& p) {
  if (!v.has_in(i)) return true;
  for (uint32_t a = 0; a < want.size(); ++a) {
    const long long have = v.in(i).dim[a];
    if (have != want[a])
      return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, i, a), have, want[a],
                  "dim %u of %s is %lld, must be %lld", a, v.def->in[i].name, have,
                  static_cast<long long>(want[a]));
  }
  return true;
}
bool must_be(const View& v, uint32_t i, std::initializer_list<int64_t> want, Problem& p) {
  return must_be(v, i, std::span<const int64_t>(want.begin(), want.size()), p);
}

bool lstm_only(const View& v, Problem& p) {
  for (uint32_t i : {kInitialC, kP})
    if (v.has_in(i))
      return fail(p, v.name(), v.at_in(OPMUX_WHY_INVALID, i), 1, 0,
                  "%s is there, but only an LSTM (kind %u) has it", v.def->in[i].name, OPMUX_RECURRENT_LSTM);
  if (v.out(kYC).dtype != OPMUX_NONE)
    return fail(p, v.name(), v.at_out(OPMUX_WHY_INVALID, kYC), 1, 0,
                "output y_c is there, but only an LSTM (kind %u) has it", OPMUX_RECURRENT_LSTM);
  return true;
}

// Exactly the activations of the kind and its directions are given.
bool check_activations(const View& v, uint32_t directions, Problem& p) {
  const auto& a = v.attr<opmux_op_recurrent>();
  const uint32_t of_kind = a.kind;  // RNN 1, GRU 2, LSTM 3: one more each
  const uint32_t given[] = {a.activation0, a.activation1, a.activation2,
                            a.activation3, a.activation4, a.activation5};
  for (uint32_t i = 0; i < 6; ++i) {
    const bool want = i / 3 < directions && i % 3 < of_kind;
    if (want == (given[i] != OPMUX_ACT_NONE)) continue;
    return fail(p, v.name(), View::at_attr(offsetof(opmux_op_recurrent, activation0) + 4 * i), given[i], want,
                want ? "activation%u is missing, kind %u needs %u for each direction"
                     : "activation%u is there, kind %u needs %u for each direction",
                i, a.kind, of_kind);
  }
  return true;
}

}  // namespace

namespace rules {

bool recurrent(const View& v, Shapes& s, Problem& p) {
  const auto& a = v.attr<opmux_op_recurrent>();
  const bool lstm = a.kind == OPMUX_RECURRENT_LSTM, gru = a.kind == OPMUX_RECURRENT_GRU;
  if (a.linear_before_reset != 0 && !gru)
    return fail(p, v.name(), View::at_attr(offsetof(opmux_op_recurrent, linear_before_reset)), 1, 0,
                "linear_before_reset is 1, but only a GRU (kind %u) has it", OPMUX_RECURRENT_GRU);
  if (a.input_forget != 0 && !lstm)
    return fail(p, v.name(), View::at_attr(offsetof(opmux_op_recurrent, input_forget)), 1, 0,
                "input_forget is 1, but only an LSTM (kind %u) has it", OPMUX_RECURRENT_LSTM);
  const int64_t directions = a.direction == OPMUX_DIRECTION_BOTH ? 2 : 1, gates = lstm ? 4 : gru ? 3 : 1;
  const int64_t steps = v.in(kX).dim[0], batch = v.in(kX).dim[1], width = v.in(kX).dim[2];
  const int64_t hidden = v.in(kR).dim[2];
  if (hidden > (int64_t{1} << 56))
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, kR, 2), hidden, int64_t{1} << 56,
                "dim 2 of r is %lld, at most 2^56 is possible", static_cast<long long>(hidden));
  if (!must_be(v, kW, {directions, gates * hidden, width}, p) ||
      !must_be(v, kR, {directions, gates * hidden, hidden}, p) ||
      !must_be(v, kB, {directions, 2 * gates * hidden}, p) || !must_be(v, kLengths, {batch}, p) ||
      !must_be(v, kInitialH, {directions, batch, hidden}, p) || (!lstm && !lstm_only(v, p)) ||
      !must_be(v, kInitialC, {directions, batch, hidden}, p) || !must_be(v, kP, {directions, 3 * hidden}, p))
    return false;
  const uint32_t dtype = v.in(kX).dtype;
  const int64_t y[] = {steps, directions, batch, hidden};
  s.set(0, dtype, y);
  for (uint32_t o = 1; o < v.d->n_out; ++o) s.set(o, dtype, std::span(y).subspan(1));
  return check_activations(v, static_cast<uint32_t>(directions), p);
}

bool det(const View& v, Shapes& s, Problem& p) {
  const opmux_tdesc& x = v.in(0);
  const long long rows = x.dim[x.rank - 2], cols = x.dim[x.rank - 1];
  if (rows != cols)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 0, x.rank - 1), cols, rows,
                "dim %u of x is %lld, but dim %u is %lld: no square matrix", x.rank - 1, cols, x.rank - 2,
                rows);
  s.set(0, x.dtype, dims(x).first(x.rank - 2));
  return true;
}

}  // namespace rules
}  // namespace opmux::schema
