// SPDX-License-Identifier: Apache-2.0
// linear_attention: columns of the state (elements of v) do not meet, so a work item is some columns of one
// kv head.
#include <algorithm>
#include <cmath>

#include "cpu/ops/ops.hpp"
#include "cpu/recurrence_op.hpp"
#include "cpu/typed_rows.hpp"
#include "kit/operands/state.gen.hpp"
#include "opmux/ops/pointwise.gen.h"
#include "opmux/ops/state.gen.h"

namespace opmux::cpu {
namespace {

using enum operands::linear_attention::Input;
using enum operands::linear_attention::Output;

struct LinearAttention {
  static constexpr uint32_t kState = kPast;
  static bool wide(const opmux_opd& d) {
    return d.in[kQ].dtype == OPMUX_F64 || (has_in(d, kPast) && d.in[kPast].dtype == OPMUX_F64);
  }
  // The state's columns, k, decay and q, then v and y.
  static int64_t slot_elements(const opmux_opd& d) {
    const int64_t width = (d.in[kQ].dim[3] + 15) / 16 * 16;
    return width * kStateColumns + 3 * width + 2 * kStateColumns;
  }
  static double slot_at_most(const opmux_opd& d) {
    return static_cast<double>(d.in[kQ].dim[3] + 32) * (kStateColumns + 4);
  }
  static Cost cost(const opmux_opd& d) {
    const auto steps = static_cast<double>(elements(d.in[kV])) * static_cast<double>(d.in[kQ].dim[3]);
    return {.flops = 8 * steps,
            .bytes = static_cast<double>(elements(d.in[kQ]) + elements(d.in[kK]) + elements(d.in[kV])) * 4,
            .flops_per_ns = 10};
  }
  template <class T>
  class Run;
};

template <class T>
class LinearAttention::Run {
 public:
  explicit Run(const kit_call* call)
      : call_(call),
        d_(*call->d),
        row_(d_.in[kQ].dtype),
        put_(d_.out[0].dtype),
        kernels_(state_kernels<T>()),
        exp_(find_tile(OPMUX_FN_EXP, std::is_same_v<T, float> ? Lane::kF32 : Lane::kF64, 0)),
        steps_(d_.in[kQ].dim[2]),
        width_(d_.in[kQ].dim[3]),
        values_(d_.in[kV].dim[3]),
        heads_(d_.in[kK].dim[1]),
        group_(d_.in[kQ].dim[1] / std::max<int64_t>(heads_, 1)) {
    const float given = reinterpret_cast<const opmux_op_linear_attention&>(d_).scale;
    scale_ = given == 0 ? 1 / std::sqrt(static_cast<T>(width_)) : static_cast<T>(given);
  }

  int64_t heads() const { return heads_; }
  int64_t columns() const { return values_; }
  double item_ns() const {
    return 100 + static_cast<double>(steps_ * width_ * (kStateColumns + 8) * (3 + group_)) * 0.1;
  }

  void item(int64_t b, int64_t h, int64_t column, T* scratch) const {
    const int64_t pad = (width_ + 15) / 16 * 16, n = std::min(kStateColumns, values_ - column);
    T *state = scratch, *k = state + pad * kStateColumns, *decay = k + pad, *q = decay + pad, *v = q + pad,
      *y = v + kStateColumns;
    std::fill(state, state + width_ * kStateColumns, T(0));
    std::fill(v, v + kStateColumns, T(0));
    if (has_in(d_, kPast)) move_state<true>(b, h, column, n, state);
    const opmux_tdesc& value = d_.in[kV];
    LinearStep<T> s{width_, state, k, has_in(d_, kDecay) ? decay : nullptr, v, has_in(d_, kBeta), T(0)};
    for (int64_t t = 0; t < steps_; ++t) {
      row_(k, in(kK, b, h, t), d_.in[kK].stride[3], width_);
      row_(v, in(kV, b, h, t) + column * value.stride[3] * element_bytes(value.dtype), value.stride[3], n);
      if (s.decay) load_decay(b, h, t, decay);
      if (s.delta) row_(&s.beta, in(kBeta, b, h, t), 1, 1);
      kernels_.linear(s);
      for (int64_t g = 0; g < group_; ++g) {
        const int64_t head = h * group_ + g;
        row_(q, in(kQ, b, head, t), d_.in[kQ].stride[3], width_);
        kernels_.read(state, q, scale_, width_, y);
        const opmux_tdesc& out = d_.out[0];
        const int64_t to =
            b * out.stride[0] + head * out.stride[1] + t * out.stride[2] + column * out.stride[3];
        put_(static_cast<char*>(call_->arg[d_.n_in]) + to * element_bytes(out.dtype), out.stride[3], y, n);
      }
    }
    if (has_out(d_, kPresent)) move_state<false>(b, h, column, n, state);
  }

 private:
  const char* in(uint32_t i, int64_t b, int64_t h, int64_t t) const {
    const opmux_tdesc& x = d_.in[i];
    const auto step = [&x](int64_t at, uint32_t axis) { return x.dim[axis] == 1 ? 0 : at * x.stride[axis]; };
    return static_cast<const char*>(call_->arg[i]) +
           (step(b, 0) + step(h, 1) + step(t, 2)) * element_bytes(x.dtype);
  }

  void load_decay(int64_t b, int64_t h, int64_t t, T* decay) const {
    const opmux_tdesc& g = d_.in[kDecay];
    const bool one = g.dim[3] == 1;
    const int64_t n = one ? 1 : width_;
    if (width_ == 0) return;
    row_(decay, in(kDecay, b, h, t), g.stride[3], n);
    exp_(decay, decay, nullptr, nullptr, static_cast<size_t>(n));
    if (one) std::fill(decay, decay + width_, decay[0]);
  }

  template <bool kLoad>
  void move_state(int64_t b, int64_t h, int64_t column, int64_t n, T* state) const {
    const opmux_tdesc& t = kLoad ? d_.in[kPast] : d_.out[kPresent];
    char* base = static_cast<char*>(call_->arg[kLoad ? uint32_t{kPast} : d_.n_in + kPresent]);
    const RowLoader<T> load(t.dtype);
    const RowStorer<T> store(t.dtype);
    for (int64_t i = 0; i < width_; ++i) {
      const int64_t at = b * t.stride[0] + h * t.stride[1] + i * t.stride[2] + column * t.stride[3];
      T* row = state + i * kStateColumns;
      if constexpr (kLoad)
        load(row, base + at * element_bytes(t.dtype), t.stride[3], n);
      else
        store(base + at * element_bytes(t.dtype), t.stride[3], row, n);
    }
  }

  const kit_call* call_;
  const opmux_opd& d_;
  RowLoader<T> row_;
  RowStorer<T> put_;
  StateKernels<T> kernels_;
  TileFn exp_;
  int64_t steps_, width_, values_, heads_, group_;
  T scale_;
};

}  // namespace

const kit_op kLinearAttention =
    recurrence_op<LinearAttention, opmux_op_linear_attention>(OPMUX_OP_LINEAR_ATTENTION, "columns");

}  // namespace opmux::cpu
