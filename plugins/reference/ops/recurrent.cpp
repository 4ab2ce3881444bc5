// SPDX-License-Identifier: Apache-2.0
// RNN, GRU and LSTM step by step, one entry of the batch at a time; the header has the equations. Beside each
// value goes a magnitude: what multiplies eps K in a first-order bound of its error, errors of the state
// included.
#include "kit/operands/recurrent.gen.hpp"
#include "reference/ops/activation.hpp"
#include "reference/ops/number.hpp"
#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

using enum operands::recurrent::Input;
using enum operands::recurrent::Output;

std::vector<int64_t> lengths_of(const Job& job) {
  const int64_t steps = job.in(kX).dim[0], batch = job.in(kX).dim[1];
  if (!job.has_in(kLengths)) return std::vector<int64_t>(size_t(batch), steps);
  std::vector<int64_t> lengths;
  for (uint64_t v : job.read<uint64_t>(kLengths)) {
    const auto n = int64_t(v);
    if (n < 0 || n > steps)
      fail(OPMUX_E_FAULT, kLengths, "recurrent: length %lld at position %lld is outside [0, %lld]",
           static_cast<long long>(n), static_cast<long long>(lengths.size()), static_cast<long long>(steps));
    lengths.push_back(n);
  }
  return lengths;
}

template <class R>
class Layer {
 public:
  explicit Layer(Job& job)
      : d_(job.desc<opmux_op_recurrent>()),
        steps_(job.in(kX).dim[0]),
        batch_(job.in(kX).dim[1]),
        width_(job.in(kX).dim[2]),
        hidden_(job.in(kR).dim[2]),
        directions_(job.in(kR).dim[0]),
        gates_(d_.kind == OPMUX_RECURRENT_LSTM  ? 4
               : d_.kind == OPMUX_RECURRENT_GRU ? 3
                                                : 1),
        lengths_(lengths_of(job)),
        x_(job.read<R>(kX)),
        w_(job.read<R>(kW)),
        r_(job.read<R>(kR)),
        b_(read_or_zero(job, kB, directions_ * 2 * gates_ * hidden_)),
        p_(read_or_zero(job, kP, directions_ * 3 * hidden_)) {
    const int64_t states = directions_ * batch_ * hidden_;
    for (R v : read_or_zero(job, kInitialH, states)) h_.push_back(exact(v));
    for (R v : read_or_zero(job, kInitialC, states)) c_.push_back(exact(v));
    y_.resize(size_t(steps_ * states));
  }

  void run() {
    for (int64_t d = 0; d < directions_; ++d)
      for (int64_t b = 0; b < batch_; ++b) {
        const bool reverse = d == 1 || d_.direction == OPMUX_DIRECTION_REVERSE;
        const int64_t n = lengths_[size_t(b)];
        for (int64_t s = 0; s < n; ++s) step(d, b, reverse ? n - 1 - s : s);
      }
  }

  void write(Job& job) const {
    write_numbers(job, kY, y_);
    write_numbers(job, kYH, h_);
    if (d_.kind == OPMUX_RECURRENT_LSTM) write_numbers(job, kYC, c_);
  }

 private:
  static std::vector<R> read_or_zero(const Job& job, uint32_t i, int64_t n) {
    return job.has_in(i) ? job.read<R>(i) : std::vector<R>(size_t(n), R(0));
  }
  Number<R> activate(int64_t d, int64_t j, Number<R> x) const {
    const int64_t i = 3 * d + j;
    if (!std::isfinite(x.value)) x.size = 0;  // what follows is exact
    const Activation f{(&d_.activation0)[i], (&d_.alpha0)[i], (&d_.beta0)[i]};
    if (d_.clip > 0 && std::fabs(x.value) > R(d_.clip)) x.value = std::copysign(R(d_.clip), x.value);
    const R y = f(x.value);
    return {y, f.steepest() * x.size + double(std::fabs(y))};
  }

  // Row (gate, unit) of w times x, with the bias of w.
  Number<R> of_input(int64_t d, int64_t gate, int64_t unit, int64_t b, int64_t t) const {
    const int64_t row = (d * gates_ + gate) * hidden_ + unit;
    Number<R> sum = bias(d, gate, unit, 0);
    for (int64_t i = 0; i < width_; ++i) {
      const R term = x_[size_t((t * batch_ + b) * width_ + i)] * w_[size_t(row * width_ + i)];
      sum = sum + Number<R>{term, double(std::fabs(term))};
    }
    return sum;
  }
  // Row (gate, unit) of r times a state, with the bias of r.
  Number<R> of_state(int64_t d, int64_t gate, int64_t unit, const Number<R>* h) const {
    const int64_t row = (d * gates_ + gate) * hidden_ + unit;
    Number<R> sum = bias(d, gate, unit, 1);
    for (int64_t i = 0; i < hidden_; ++i) sum = sum + h[i] * exact(r_[size_t(row * hidden_ + i)]);
    return sum;
  }
  Number<R> bias(int64_t d, int64_t gate, int64_t unit, int64_t of_r) const {
    const R v = b_[size_t((d * 2 + of_r) * gates_ * hidden_ + gate * hidden_ + unit)];
    return {v, double(std::fabs(v))};
  }
  Number<R> peephole(int64_t d, int64_t which, int64_t unit) const {
    return exact(p_[size_t((d * 3 + which) * hidden_ + unit)]);
  }
  static Number<R> one_minus(Number<R> x) { return {1 - x.value, 1 + x.size}; }

  void step(int64_t d, int64_t b, int64_t t) {
    Number<R>*h = h_.data() + (d * batch_ + b) * hidden_, *c = c_.data() + (d * batch_ + b) * hidden_;
    Numbers<R> next;
    if (d_.kind == OPMUX_RECURRENT_RNN)
      for (int64_t u = 0; u < hidden_; ++u)
        next.push_back(activate(d, 0, of_input(d, 0, u, b, t) + of_state(d, 0, u, h)));
    else if (d_.kind == OPMUX_RECURRENT_GRU)
      next = gru(d, b, t, h);
    else
      for (int64_t u = 0; u < hidden_; ++u) next.push_back(lstm(d, b, t, u, h, c));
    std::copy(next.begin(), next.end(), h);
    std::copy(next.begin(), next.end(), y_.begin() + ((t * directions_ + d) * batch_ + b) * hidden_);
  }

  Numbers<R> gru(int64_t d, int64_t b, int64_t t, const Number<R>* h) const {
    enum Gate : int64_t { kUpdate, kReset, kHidden };
    Numbers<R> z, reset, reset_h, next;
    for (int64_t u = 0; u < hidden_; ++u) {
      z.push_back(activate(d, 0, of_input(d, kUpdate, u, b, t) + of_state(d, kUpdate, u, h)));
      reset.push_back(activate(d, 0, of_input(d, kReset, u, b, t) + of_state(d, kReset, u, h)));
      reset_h.push_back(reset.back() * h[u]);
    }
    for (int64_t u = 0; u < hidden_; ++u) {
      const Number<R> state = d_.linear_before_reset != 0 ? reset[size_t(u)] * of_state(d, kHidden, u, h)
                                                          : of_state(d, kHidden, u, reset_h.data());
      const Number<R> fresh = activate(d, 1, of_input(d, kHidden, u, b, t) + state);
      next.push_back(one_minus(z[size_t(u)]) * fresh + z[size_t(u)] * h[u]);
    }
    return next;
  }

  // The new hidden value of one unit; its cell is updated.
  Number<R> lstm(int64_t d, int64_t b, int64_t t, int64_t u, const Number<R>* h, Number<R>* c) const {
    enum Gate : int64_t { kIn, kOut, kForget, kCell };
    const auto gate = [&](int64_t g) { return of_input(d, g, u, b, t) + of_state(d, g, u, h); };
    const Number<R> i = activate(d, 0, gate(kIn) + peephole(d, 0, u) * c[u]);
    const Number<R> f =
        d_.input_forget != 0 ? one_minus(i) : activate(d, 0, gate(kForget) + peephole(d, 2, u) * c[u]);
    c[u] = f * c[u] + i * activate(d, 1, gate(kCell));
    return activate(d, 0, gate(kOut) + peephole(d, 1, u) * c[u]) * activate(d, 2, c[u]);
  }

  const opmux_op_recurrent& d_;
  int64_t steps_, batch_, width_, hidden_, directions_, gates_;
  std::vector<int64_t> lengths_;
  std::vector<R> x_, w_, r_, b_, p_;
  Numbers<R> h_, c_, y_;
};

template <class R>
void run(Job& job) {
  Layer<R> layer(job);
  layer.run();
  layer.write(job);
}

}  // namespace

void recurrent(Job& job) {
  if (job.in(kX).dtype == OPMUX_F64)
    run<long double>(job);
  else
    run<double>(job);
}

}  // namespace opmux::reference
