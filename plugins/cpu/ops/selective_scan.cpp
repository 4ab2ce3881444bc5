// SPDX-License-Identifier: Apache-2.0
// selective_scan: a work item is some neighbouring channels of one group; vectors go across channels.
#include <algorithm>

#include "cpu/ops/ops.hpp"
#include "cpu/recurrence_op.hpp"
#include "cpu/typed_rows.hpp"
#include "kit/operands/state.gen.hpp"
#include "opmux/ops/state.gen.h"

namespace opmux::cpu {
namespace {

using enum operands::selective_scan::Input;
using enum operands::selective_scan::Output;

int64_t padded(int64_t n) { return (n + 15) / 16 * 16; }

struct SelectiveScan {
  static constexpr uint32_t kState = kPast;
  static bool wide(const opmux_opd& d) { return d.in[kX].dtype == OPMUX_F64; }
  // State and a, b and c, then x, delta, skip and y.
  static int64_t slot_elements(const opmux_opd& d) {
    const int64_t n = d.in[kA].dim[1];
    return 2 * n * kStateColumns + 2 * padded(n) + 4 * kStateColumns;
  }
  static double slot_at_most(const opmux_opd& d) {
    return static_cast<double>(d.in[kA].dim[1] + 32) * (2 * kStateColumns + 4);
  }
  static Cost cost(const opmux_opd& d) {
    const auto n = static_cast<double>(elements(d.in[kX]));
    return {.flops = 20 * (n * static_cast<double>(d.in[kA].dim[1])), .bytes = n * 12, .flops_per_ns = 10};
  }
  template <class T>
  class Run;
};

template <class T>
class SelectiveScan::Run {
 public:
  explicit Run(const kit_call* call)
      : call_(call),
        d_(*call->d),
        load_(d_.in[kX].dtype),
        store_(d_.out[0].dtype),
        kernels_(state_kernels<T>()),
        steps_(d_.in[kX].dim[1]),
        per_group_(d_.in[kX].dim[2] / std::max<int64_t>(d_.in[kB].dim[2], 1)),
        n_state_(d_.in[kA].dim[1]) {}

  int64_t heads() const { return d_.in[kB].dim[2]; }
  int64_t columns() const { return per_group_; }
  double item_ns() const { return 100 + static_cast<double>(steps_ * n_state_ * kStateColumns) * 0.5; }

  void item(int64_t batch, int64_t group, int64_t part, T* scratch) const {
    const int64_t first = group * per_group_ + part, n = std::min(kStateColumns, per_group_ - part);
    T *state = scratch, *a = state + n_state_ * kStateColumns, *b = a + n_state_ * kStateColumns,
      *c = b + padded(n_state_), *x = c + padded(n_state_), *delta = x + kStateColumns,
      *skip = delta + kStateColumns, *y = skip + kStateColumns;
    std::fill(state, state + slot_elements(d_), T(0));
    const opmux_tdesc& rates = d_.in[kA];
    for (int64_t j = 0; j < n_state_; ++j)
      load_(a + j * kStateColumns, at(kA, first * rates.stride[0] + j * rates.stride[1]), rates.stride[0], n);
    if (has_in(d_, kSkip)) load_(skip, at(kSkip, first * d_.in[kSkip].stride[0]), d_.in[kSkip].stride[0], n);
    if (has_in(d_, kPast)) {
      const opmux_tdesc& t = d_.in[kPast];
      for (int64_t j = 0; j < n_state_; ++j)
        load_(state + j * kStateColumns,
              at(kPast, batch * t.stride[0] + first * t.stride[1] + j * t.stride[2]), t.stride[1], n);
    }
    const ScanStep<T> s{n_state_, state, a, b, c, x, delta, skip, y};
    for (int64_t t = 0; t < steps_; ++t) {
      for (const auto& [operand, to] : {std::pair{uint32_t{kX}, x}, {uint32_t{kDelta}, delta}})
        load_(to, channel(operand, d_.in[operand], batch, t, first), d_.in[operand].stride[2], n);
      for (const auto& [operand, to] : {std::pair{uint32_t{kB}, b}, {uint32_t{kC}, c}}) {
        const opmux_tdesc& row = d_.in[operand];
        load_(to, at(operand, batch * row.stride[0] + t * row.stride[1] + group * row.stride[2]),
              row.stride[3], n_state_);
      }
      kernels_.scan(s);
      store_(channel(d_.n_in, d_.out[0], batch, t, first), d_.out[0].stride[2], y, n);
    }
    if (!has_out(d_, kPresent)) return;
    const opmux_tdesc& t = d_.out[kPresent];
    for (int64_t j = 0; j < n_state_; ++j)
      store_(at(d_.n_in + kPresent, batch * t.stride[0] + first * t.stride[1] + j * t.stride[2]), t.stride[1],
             state + j * kStateColumns, n);
  }

 private:
  char* at(uint32_t operand, int64_t offset) const {
    const opmux_tdesc& t = operand < d_.n_in ? d_.in[operand] : d_.out[operand - d_.n_in];
    return static_cast<char*>(call_->arg[operand]) + offset * element_bytes(t.dtype);
  }

  char* channel(uint32_t operand, const opmux_tdesc& t, int64_t batch, int64_t step, int64_t first) const {
    return at(operand, batch * t.stride[0] + step * t.stride[1] + first * t.stride[2]);
  }

  const kit_call* call_;
  const opmux_opd& d_;
  RowLoader<T> load_;
  RowStorer<T> store_;
  StateKernels<T> kernels_;
  int64_t steps_, per_group_, n_state_;
};

}  // namespace

const kit_op kSelectiveScan =
    recurrence_op<SelectiveScan, opmux_op_selective_scan>(OPMUX_OP_SELECTIVE_SCAN, "channels");

}  // namespace opmux::cpu
