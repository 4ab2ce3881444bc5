// SPDX-License-Identifier: Apache-2.0
// Linear attention, one token after the other, as the recurrences in the header say. ONNX LinearAttention.
#include "kit/operands/state.gen.hpp"
#include "reference/ops/number.hpp"
#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

using enum operands::linear_attention::Input;

// One kv head: state [width, values] and its steps.
template <class R>
class Head {
 public:
  Head(int64_t width, int64_t values, Number<R>* state) : width_(width), values_(values), state_(state) {}

  void decay(const R* g) {
    for (int64_t d = 0; d < width_; ++d)
      for (int64_t m = 0; m < values_; ++m) at(d, m) = exponential(exact(g[d])) * at(d, m);
  }
  // What the state answers to a vector.
  Numbers<R> read(const R* x) const {
    Numbers<R> y(static_cast<size_t>(values_));
    for (int64_t d = 0; d < width_; ++d)
      for (int64_t m = 0; m < values_; ++m)
        y[size_t(m)] = y[size_t(m)] + exact(x[d]) * state_[d * values_ + m];
    return y;
  }
  void write(const R* k, const Numbers<R>& u) {
    for (int64_t d = 0; d < width_; ++d)
      for (int64_t m = 0; m < values_; ++m) at(d, m) = at(d, m) + exact(k[d]) * u[size_t(m)];
  }

 private:
  Number<R>& at(int64_t d, int64_t m) { return state_[d * values_ + m]; }
  int64_t width_, values_;
  Number<R>* state_;
};

template <class R>
void attend(Job& job) {
  const opmux_tdesc &q_desc = job.in(kQ), &v_desc = job.in(kV);
  const int64_t batch = q_desc.dim[0], heads = q_desc.dim[1], steps = q_desc.dim[2], width = q_desc.dim[3];
  const int64_t kv_heads = job.in(kK).dim[1], values = v_desc.dim[3];
  const float given = job.desc<opmux_op_linear_attention>().scale;
  const R scale = given == 0 ? 1 / std::sqrt(R(width)) : R(given);
  const std::vector<R> q = job.read<R>(kQ), k = job.read<R>(kK), v = job.read<R>(kV);
  opmux_tdesc per_step = job.in(kK);
  const std::vector<R> decay = job.has_in(kDecay) ? job.read_as<R>(kDecay, per_step) : std::vector<R>{};
  per_step.dim[3] = 1;
  const std::vector<R> beta = job.has_in(kBeta) ? job.read_as<R>(kBeta, per_step) : std::vector<R>{};
  Numbers<R> state = terms_or_zero<R>(job, kPast, batch * kv_heads * width * values);
  Numbers<R> y(size_t(count_of(job.out(0))));
  for (int64_t bh = 0; bh < batch * kv_heads; ++bh) {
    Head<R> head(width, values, state.data() + bh * width * values);
    for (int64_t t = 0; t < steps; ++t) {
      const int64_t at = bh * steps + t;
      if (!decay.empty()) head.decay(decay.data() + at * width);
      Numbers<R> u;
      for (int64_t m = 0; m < values; ++m) u.push_back(term(v[size_t(at * values + m)]));
      if (!beta.empty()) {
        const Numbers<R> known = head.read(k.data() + at * width);
        for (size_t m = 0; m < u.size(); ++m)
          u[m] = exact(beta[size_t(at)]) * (u[m] + exact(R(-1)) * known[m]);
      }
      head.write(k.data() + at * width, u);
      const int64_t group = heads / kv_heads, first = bh / kv_heads * heads + bh % kv_heads * group;
      for (int64_t h = first; h < first + group; ++h) {
        const Numbers<R> o = head.read(q.data() + (h * steps + t) * width);
        for (int64_t m = 0; m < values; ++m)
          y[size_t((h * steps + t) * values + m)] = exact(scale) * o[size_t(m)];
      }
    }
  }
  write_numbers(job, 0, y);
  write_numbers(job, 1, state);
}

}  // namespace

void linear_attention(Job& job) {
  if (job.in(kQ).dtype == OPMUX_F64 || (job.has_in(kPast) && job.in(kPast).dtype == OPMUX_F64))
    attend<long double>(job);
  else
    attend<double>(job);
}

}  // namespace opmux::reference
