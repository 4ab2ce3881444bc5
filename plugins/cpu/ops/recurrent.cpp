// SPDX-License-Identifier: Apache-2.0
// recurrent: the products of the inputs for many steps at once, then step by step the products of the state;
// both run on packed panels of weights. In a step one task has some blocks of hidden units, from the sums of
// their gates to their new state, so that a step forks once (twice for a GRU that resets before its product).
#include <algorithm>

#include "cpu/answer.hpp"
#include "cpu/gemm_op.hpp"
#include "cpu/loops.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/recurrent_cell.hpp"
#include "cpu/recurrent_plan.hpp"
#include "cpu/state.hpp"
#include "kit/operands/recurrent.gen.hpp"

namespace opmux::cpu {
namespace {

using Plan = RecurrentPlan;
using enum operands::recurrent::Input;
using enum operands::recurrent::Output;

bool check(const opmux_opd& d, const Plan& p, opmux_cap* cap) {
  for (uint32_t i = 0; i < d.n_in; ++i) {
    const bool weight = i == kW || i == kR;
    if (d.in[i].layout != 0 && !(weight && d.in[i].layout == p.layout()))
      return no(cap, OPMUX_WHY_LAYOUT, i, d.in[i].layout, weight ? p.layout() : 0), false;
  }
  for (uint32_t o = 0; o < d.n_out; ++o) {
    if (d.out[o].layout != 0) return no(cap, OPMUX_WHY_LAYOUT, d.n_in + o, d.out[o].layout), false;
    for (uint32_t a = 0; a < d.out[o].rank; ++a)
      if (d.out[o].stride[a] == 0 && d.out[o].dim[a] > 1)
        return no(cap, OPMUX_WHY_STRIDE, d.n_in + o, 0, 1, a), false;
    const uint32_t alias = d.alias ? d.alias[o] : 0;
    const uint32_t state = kInitialH + o - kYH;  // y_h and y_c stand in place of initial_h and initial_c
    if (alias != 0 && (o == 0 || alias != state + 1 || !same_view(d.in[state], d.out[o])))
      return no(cap, OPMUX_WHY_ALIAS, d.n_in + o, alias - 1), false;
  }
  return fits(p.size_estimate, kMostRecurrentBytes, cap);
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  const Plan p(*d);
  if (!check(*d, p, cap)) return;
  for (uint32_t i : {kW, kR})
    if ((d->in[i].flags & OPMUX_T_CONST) && cap->in_layout && i < cap->layout_cap)
      cap->in_layout[i] = p.layout();
  const double weights = static_cast<double>(elements(d->in[kW]) + elements(d->in[kR]));
  const double rows = static_cast<double>(p.steps * p.batch);
  yes(cap, info,
      {.flops = 2 * rows * weights,
       .bytes = weights * static_cast<double>(p.steps * element_bytes(p.acc)),
       .flops_per_ns = 25,
       .ws = static_cast<uint64_t>(p.total * element_bytes(p.acc)) + 64});
}

struct State {
  explicit State(const opmux_opd& d)
      : plan(d), load(find_load(d.in[kX].dtype)), store(find_store(d.in[kX].dtype)) {}
  Plan plan;
  LoadFn load;
  StoreFn store;
};

template <class T>
class Direction {
 public:
  Direction(const kit_call* call, const State& s, int64_t d, T* scratch)
      : call_(call), s_(s), p_(s.plan), d_(d), scratch_(scratch), kernels_(gemm_kernels<T>()) {
    const auto& a = reinterpret_cast<const opmux_op_recurrent&>(*call->d);
    const auto activation = [&](int64_t j) {
      const int64_t i = 3 * d + j;
      return RecurrentActivation<T>((&a.activation0)[i], (&a.alpha0)[i], (&a.beta0)[i], a.clip);
    };
    cell_ = {activation(0), activation(1), activation(2), a.input_forget != 0};
  }

  void run() {
    prepare_weights();
    prepare_vectors();
    load_states();
    const bool backward = d_ == 1 || p_.reverse;
    for (int64_t done = 0; done < p_.steps; done += p_.chunk) {
      const int64_t n = std::min(p_.chunk, p_.steps - done);
      first_ = backward ? p_.steps - done - n : done;
      multiply_inputs(n);
      for (int64_t i = 0; i < n; ++i) step(backward ? n - 1 - i : i);
    }
    store_states();
  }

 private:
  const char* in(uint32_t i, int64_t offset) const {
    return static_cast<const char*>(call_->arg[i]) + offset * element_bytes(call_->d->in[i].dtype);
  }
  void load(T* to, uint32_t i, int64_t offset, int64_t stride, int64_t n) const {
    s_.load(to, in(i, offset), stride, static_cast<size_t>(n));
  }

  void prepare_weights() {
    for (uint32_t i : {kW, kR}) {
      const opmux_tdesc& t = call_->d->in[i];
      const int64_t k = i == kW ? p_.width : p_.hidden;
      const T*& panels = i == kW ? w_ : r_;
      if (p_.packed[i - 1]) {
        panels = static_cast<const T*>(call_->arg[i]) + d_ * p_.row * k;
        continue;
      }
      T* to = scratch_ + (i == kW ? p_.w : p_.r);
      pack_recurrent<T>(call_->host, p_, t, call_->arg[i], d_, d_ + 1, to);
      panels = to;
    }
  }

  // Biases and peepholes in the order of the blocks.
  void prepare_vectors() {
    T *bias = scratch_ + p_.bias, *state_bias = scratch_ + p_.state_bias;
    std::fill(bias, bias + p_.row, T(0));
    const bool apart = p_.linear_before_reset;
    if (p_.kind == OPMUX_RECURRENT_GRU) std::fill(state_bias, state_bias + p_.panel_columns(), T(0));
    const opmux_tdesc& t = call_->d->in[kB];
    T buffer[kRecurrentUnits];
    for (int64_t part = 0; has_in(*call_->d, kB) && part < 2 * p_.gates; ++part)
      for (int64_t block = 0; block < p_.blocks; ++block) {
        const int64_t gate = part % p_.gates, unit = block * p_.units,
                      n = std::min(p_.units, p_.hidden - unit);
        load(buffer, kB, d_ * t.stride[0] + (part * p_.hidden + unit) * t.stride[1], t.stride[1], n);
        T* to = apart && gate == 2 && part >= p_.gates ? state_bias + unit
                                                       : bias + (block * p_.gates + gate) * p_.units;
        for (int64_t i = 0; i < n; ++i) to[i] += buffer[i];
      }
    if (!has_in(*call_->d, kP)) return;
    const opmux_tdesc& q = call_->d->in[kP];
    for (int64_t j = 0; j < 3; ++j)
      load(scratch_ + p_.peep + j * p_.panel_columns(), kP, d_ * q.stride[0] + j * p_.hidden * q.stride[1],
           q.stride[1], p_.hidden);
  }

  void load_states() {
    const bool lstm = p_.kind == OPMUX_RECURRENT_LSTM;
    for (uint32_t i : {kInitialH, kInitialC}) {
      if (i == kInitialC && !lstm) break;
      T* to = scratch_ + (i == kInitialH ? p_.h : p_.c);
      std::fill(to, to + p_.batch * p_.panel_columns(), T(0));
      if (!has_in(*call_->d, i)) continue;
      const opmux_tdesc& t = call_->d->in[i];
      for (int64_t b = 0; b < p_.batch; ++b)
        load(to + b * p_.panel_columns(), i, d_ * t.stride[0] + b * t.stride[1], t.stride[2], p_.hidden);
    }
    for (int64_t b = 0; b < p_.batch; ++b)
      to_panels(scratch_ + p_.h_panels[0], b, 0, p_.hidden, scratch_ + p_.h + b * p_.panel_columns());
  }

  void store_states() {
    for (uint32_t o : {kYH, kYC}) {
      if (!has_out(*call_->d, o)) continue;
      const opmux_tdesc& t = call_->d->out[o];
      const T* from = scratch_ + (o == kYH ? p_.h : p_.c);
      for (int64_t b = 0; b < p_.batch; ++b)
        store(o, d_ * t.stride[0] + b * t.stride[1], t.stride[2], from + b * p_.panel_columns(), p_.hidden);
    }
  }
  void store(uint32_t o, int64_t offset, int64_t stride, const T* from, int64_t n) const {
    char* to =
        static_cast<char*>(call_->arg[call_->d->n_in + o]) + offset * element_bytes(call_->d->out[o].dtype);
    s_.store(to, stride, from, static_cast<size_t>(n));
  }

  // Units [unit, unit + n) of an entry's state into the panels of a left operand.
  void to_panels(T* panels, int64_t b, int64_t unit, int64_t n, const T* from) const {
    T* to = panels + (b / p_.h_rows * p_.hidden + unit) * p_.h_rows + b % p_.h_rows;
    for (int64_t i = 0; i < n; ++i) to[i * p_.h_rows] = from[i];
  }

  // c (rows of leading dimension ldc) = or += a b, over `cols` columns of panels of b with depth k.
  void multiply(const T* a, int64_t lda, int64_t rows, const T* b, int64_t cols, int64_t k, T* c, int64_t ldc,
                bool accumulate) const {
    constexpr int64_t kDepth = 384;  // as in gemm_plan.cpp
    for (int64_t k0 = 0; k0 == 0 || k0 < k; k0 += kDepth) {
      const GemmStrip<T> strip{rows,
                               cols,
                               std::min(kDepth, k - k0),
                               a + k0 * lda,
                               lda,
                               b + k0 * p_.tile.nr,
                               p_.tile.nr,
                               p_.tile.nr * k,
                               c,
                               ldc,
                               accumulate || k0 != 0,
                               0,
                               nullptr};
      kernels_.strip(strip);
    }
  }

  // Gates of `n` steps from first_ on = x w, without biases.
  void multiply_inputs(int64_t n) {
    const int64_t rows = n * p_.batch, group_rows = p_.x_group * p_.x_rows;
    const int64_t groups = (rows + group_rows - 1) / group_rows;
    const int64_t block = p_.units * p_.gates;
    const int64_t per_task = std::clamp<int64_t>((int64_t{64} << 10) / std::max<int64_t>(p_.width * block, 1),
                                                 1, std::max<int64_t>(p_.blocks, 1));
    const int64_t parts = (p_.blocks + per_task - 1) / per_task;
    const auto tasks = static_cast<uint64_t>(groups * parts);
    const double ns =
        200 + static_cast<double>(std::min(rows, group_rows) * per_task * block * p_.width) * 0.05;
    parallel_slots(call_->host, tasks, grain_for(tasks, ns), static_cast<uint64_t>(scratch_slots()),
                   [&](uint64_t begin, uint64_t end, uint64_t slot) {
                     T* scratch = scratch_ + p_.slot + static_cast<int64_t>(slot) * p_.slot_elements;
                     for (auto i = static_cast<int64_t>(begin); i < static_cast<int64_t>(end); ++i) {
                       const int64_t b0 = i % parts * per_task, b1 = std::min(p_.blocks, b0 + per_task);
                       const int64_t r0 = i / parts * group_rows;
                       input_task(r0, std::min(rows, r0 + group_rows), b0, b1, scratch);
                     }
                   });
  }

  void input_task(int64_t row0, int64_t row1, int64_t block0, int64_t block1, T* scratch) const {
    const int64_t m = p_.x_rows, k = p_.width, block = p_.units * p_.gates;
    T *dense = scratch, *panels = scratch + (m * k + 15) / 16 * 16;
    for (int64_t row = row0; row < row1; row += m) {
      const int64_t rows = std::min(m, row1 - row);
      load_rows(row, rows, dense);
      gemm_pack<T>(p_.acc, {dense, k, 1}, rows, k, m, panels + (row - row0) * k);
    }
    for (int64_t b = block0; b < block1; ++b)
      for (int64_t row = row0; row < row1; row += m)
        multiply(panels + (row - row0) * k, m, std::min(m, row1 - row), w_ + b * block * k, block, k,
                 scratch_ + p_.gate + row * p_.row + b * block, p_.row, false);
  }

  void load_rows(int64_t row, int64_t rows, T* to) const {
    const opmux_tdesc& x = call_->d->in[kX];
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t t = first_ + (row + i) / p_.batch, b = (row + i) % p_.batch;
      load(to + i * p_.width, kX, t * x.stride[0] + b * x.stride[1], x.stride[2], p_.width);
    }
  }

  // Step i of the chunk, which is step first_ + i of the sequence.
  void step(int64_t i) {
    const auto blocks = static_cast<uint64_t>(p_.blocks);
    const auto per_block = static_cast<double>(p_.units * p_.gates * p_.hidden);
    const double ns = 100 + per_block * std::max(0.12, 0.05 * static_cast<double>(p_.batch)) +
                      static_cast<double>(p_.batch * p_.units * p_.gates);
    const uint64_t grain = grain_for(blocks, ns, 10000);
    const auto each_block = [&](auto f) {
      parallel_for(call_->host, blocks, grain, [&](uint64_t begin, uint64_t end) {
        for (auto b = static_cast<int64_t>(begin); b < static_cast<int64_t>(end); ++b) f(b);
      });
    };
    const bool two_phases = p_.kind == OPMUX_RECURRENT_GRU && !p_.linear_before_reset;
    each_block([&](int64_t b) {
      multiply_state(i, b, !two_phases);
      two_phases ? reset(i, b) : update(i, b);
    });
    if (two_phases)
      each_block([&](int64_t b) {
        const int64_t at = b * p_.gates + 2;
        state_product(scratch_ + p_.reset_panels, at, 1, gates(i, 0) + at * p_.units, p_.row, true);
        update(i, b);
      });
    current_ = 1 - current_;
  }

  T* gates(int64_t i, int64_t b) const { return scratch_ + p_.gate + (i * p_.batch + b) * p_.row; }

  // n gates from the one at `at` (counted over all blocks) of all entries.
  void state_product(const T* panels, int64_t at, int64_t n, T* to, int64_t ld, bool accumulate) const {
    for (int64_t panel = 0; panel < p_.state_panels; ++panel) {
      const int64_t row = panel * p_.h_rows;
      multiply(panels + row * p_.hidden, p_.h_rows, std::min(p_.h_rows, p_.batch - row),
               r_ + at * p_.units * p_.hidden, n * p_.units, p_.hidden, to + row * ld, ld, accumulate);
    }
  }

  void multiply_state(int64_t i, int64_t block, bool all) const {
    const T* panels = scratch_ + p_.h_panels[current_];
    const int64_t at = block * p_.gates, n = p_.kind == OPMUX_RECURRENT_GRU ? 2 : p_.gates;
    state_product(panels, at, n, gates(i, 0) + at * p_.units, p_.row, true);
    if (all && n < p_.gates)
      state_product(panels, at + 2, 1, scratch_ + p_.state_gate + block * p_.units, p_.panel_columns(),
                    false);
  }

  RecurrentBlock<T> block_of(int64_t i, int64_t b, int64_t block) const {
    RecurrentBlock<T> k{};
    const int64_t unit = block * p_.units;
    k.n = std::min(p_.units, p_.hidden - unit);
    for (int64_t g = 0; g < p_.gates; ++g) {
      k.gate[g] = gates(i, b) + (block * p_.gates + g) * p_.units;
      k.bias[g] = scratch_ + p_.bias + (block * p_.gates + g) * p_.units;
    }
    if (p_.linear_before_reset) {
      k.state_gate = scratch_ + p_.state_gate + b * p_.panel_columns() + unit;
      k.state_bias = scratch_ + p_.state_bias + unit;
    }
    for (int64_t j = 0; has_in(*call_->d, kP) && j < 3; ++j)
      k.peep[j] = scratch_ + p_.peep + j * p_.panel_columns() + unit;
    k.h = scratch_ + p_.h + b * p_.panel_columns() + unit;
    k.c = scratch_ + p_.c + b * p_.panel_columns() + unit;
    return k;
  }

  bool active(int64_t i, int64_t b) const {
    if (!has_in(*call_->d, kLengths)) return true;
    const opmux_tdesc& t = call_->d->in[kLengths];
    const char* p = in(kLengths, b * t.stride[0]);
    const int64_t n =
        t.dtype == OPMUX_I64 ? *reinterpret_cast<const int64_t*>(p) : *reinterpret_cast<const int32_t*>(p);
    return first_ + i < n;
  }

  void reset(int64_t i, int64_t block) const {
    T buffer[kRecurrentUnits];
    for (int64_t b = 0; b < p_.batch; ++b) {
      const RecurrentBlock<T> k = block_of(i, b, block);
      cell_.gru_gates(k, buffer);
      to_panels(scratch_ + p_.reset_panels, b, block * p_.units, k.n, buffer);
    }
  }

  // The state of a block after the step, and its part of y.
  void update(int64_t i, int64_t block) const {
    const opmux_tdesc& y = call_->d->out[0];
    const T zeros[kRecurrentUnits] = {};
    for (int64_t b = 0; b < p_.batch; ++b) {
      const RecurrentBlock<T> k = block_of(i, b, block);
      const bool on = active(i, b);
      if (on) advance(k);
      to_panels(scratch_ + p_.h_panels[1 - current_], b, block * p_.units, k.n, k.h);
      const int64_t offset = (first_ + i) * y.stride[0] + d_ * y.stride[1] + b * y.stride[2];
      store(0, offset + block * p_.units * y.stride[3], y.stride[3], on ? k.h : zeros, k.n);
    }
  }

  void advance(const RecurrentBlock<T>& k) const {
    if (p_.kind == OPMUX_RECURRENT_RNN) return cell_.rnn(k);
    if (p_.kind == OPMUX_RECURRENT_LSTM) return cell_.lstm(k);
    if (p_.linear_before_reset) cell_.gru_gates(k, nullptr);
    cell_.gru(k);
  }

  const kit_call* call_;
  const State& s_;
  const Plan& p_;
  int64_t d_, first_ = 0;
  T* scratch_;
  GemmKernels<T> kernels_;
  RecurrentCell<T> cell_;
  const T *w_ = nullptr, *r_ = nullptr;
  int current_ = 0;  // which panels have the state before the step
};

opmux_status check_lengths(const kit_call* call, const Plan& p, opmux_err* err) {
  if (!has_in(*call->d, kLengths)) return OPMUX_OK;
  const opmux_tdesc& t = call->d->in[kLengths];
  for (int64_t b = 0; b < p.batch; ++b) {
    const void* base = call->arg[kLengths];
    const int64_t n = t.dtype == OPMUX_I64 ? static_cast<const int64_t*>(base)[b * t.stride[0]]
                                           : static_cast<const int32_t*>(base)[b * t.stride[0]];
    if (n < 0 || n > p.steps)
      return kit_fail(err, OPMUX_E_FAULT, kLengths,
                      "recurrent: length %lld at position %lld is outside [0, %lld]",
                      static_cast<long long>(n), static_cast<long long>(b), static_cast<long long>(p.steps));
  }
  return OPMUX_OK;
}

opmux_status run(const kit_call* call, opmux_err* err) {
  const State& s = *static_cast<const State*>(call->state);
  if (const opmux_status e = check_lengths(call, s.plan, err); e != OPMUX_OK) return e;
  if (s.plan.batch == 0 || s.plan.hidden == 0) return OPMUX_OK;
  const auto base = (reinterpret_cast<uintptr_t>(call->ws) + 63) & ~uintptr_t{63};
  for (int64_t d = 0; d < s.plan.directions; ++d) {
    if (s.plan.acc == OPMUX_F64)
      Direction<double>(call, s, d, reinterpret_cast<double*>(base)).run();
    else
      Direction<float>(call, s, d, reinterpret_cast<float*>(base)).run();
  }
  return OPMUX_OK;
}

opmux_status packed_size(const opmux_opd* d, uint32_t i, uint32_t layout, uint64_t* size, uint64_t* arg,
                         opmux_err* err) {
  const Plan p(*d);
  if ((i != kW && i != kR) || layout != p.layout())
    return kit_fail(err, OPMUX_E_UNSUPPORTED, i, "recurrent: operand %u has no layout 0x%x", i, layout);
  *arg = 0;
  *size = static_cast<uint64_t>(p.packed_elements(i) * element_bytes(p.acc));
  return OPMUX_OK;
}

opmux_status pack(const opmux_host_api* host, const opmux_opd* d, uint32_t i, uint32_t layout,
                  const void* src, void* dst, opmux_err* err) {
  uint64_t size, arg;
  if (const opmux_status e = packed_size(d, i, layout, &size, &arg, err); e != OPMUX_OK) return e;
  const Plan p(*d);
  if (p.acc == OPMUX_F64)
    pack_recurrent(host, p, d->in[i], src, 0, p.directions, static_cast<double*>(dst));
  else
    pack_recurrent(host, p, d->in[i], src, 0, p.directions, static_cast<float*>(dst));
  return OPMUX_OK;
}

}  // namespace

const kit_op kRecurrent =
    state_op<State, opmux_op_recurrent>(OPMUX_OP_RECURRENT, "packed", query, run, packed_size, pack);

}  // namespace opmux::cpu
