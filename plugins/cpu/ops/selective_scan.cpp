// SPDX-License-Identifier: Apache-2.0
// selective_scan: a work item is some neighbouring channels of one group over all steps; vectors go across
// channels.
#include <algorithm>

#include "cpu/gemm_plan.hpp"
#include "cpu/kernels/states.hpp"
#include "cpu/loops.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/state.hpp"
#include "cpu/typed_rows.hpp"
#include "kit/operands/state.gen.hpp"
#include "opmux/ops/state.gen.h"

namespace opmux::cpu {
namespace {

using enum operands::selective_scan::Input;
using enum operands::selective_scan::Output;
constexpr double kMostBytes = 1ull << 36;

int64_t padded(int64_t n) { return (n + 15) / 16 * 16; }

// Of a work item, in elements: state and a, b and c, then x, delta, skip and y.
int64_t slot_elements(const opmux_opd& d) {
  const int64_t n = d.in[kA].dim[1];
  return 2 * n * kStateColumns + 2 * padded(n) + 4 * kStateColumns;
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap)) return;
  for (uint32_t o = 0; d->alias && o < d->n_out; ++o)
    if (d->alias[o] != 0 && (o == 0 || d->alias[o] != kPast + 1 || !same_view(d->in[kPast], d->out[o])))
      return no(cap, OPMUX_WHY_ALIAS, d->n_in + o);
  const double bytes = static_cast<double>(d->in[kA].dim[1] + 32) * (2 * kStateColumns + 4) * 8 *
                       static_cast<double>(scratch_slots());
  if (bytes > kMostBytes)
    return no(cap, OPMUX_WHY_MEMORY, OPMUX_NO_ARG, static_cast<int64_t>(std::min(bytes, 9e18)),
              static_cast<int64_t>(kMostBytes));
  const auto work = static_cast<double>(elements(d->in[kX])) * static_cast<double>(d->in[kA].dim[1]);
  yes(cap, info,
      {.flops = 20 * work,
       .bytes = static_cast<double>(elements(d->in[kX])) * 12,
       .flops_per_ns = 10,
       .ws = static_cast<uint64_t>(slot_elements(*d)) * 8 * static_cast<uint64_t>(scratch_slots()) + 64});
}

template <class T>
class Run {
 public:
  Run(const kit_call* call, T* scratch)
      : call_(call),
        d_(*call->d),
        scratch_(scratch),
        load_(d_.in[kX].dtype),
        store_(d_.out[0].dtype),
        kernels_(state_kernels<T>()),
        steps_(d_.in[kX].dim[1]),
        per_group_(d_.in[kX].dim[2] / std::max<int64_t>(d_.in[kB].dim[2], 1)),
        n_state_(d_.in[kA].dim[1]) {}

  void all() const {
    const int64_t parts = (per_group_ + kStateColumns - 1) / kStateColumns, groups = d_.in[kB].dim[2];
    const auto items = static_cast<uint64_t>(d_.in[kX].dim[0] * groups * parts);
    const double ns = 100 + static_cast<double>(steps_ * n_state_ * kStateColumns) * 0.5;
    parallel_slots(call_->host, items, grain_for(items, ns), static_cast<uint64_t>(scratch_slots()),
                   [&](uint64_t begin, uint64_t end, uint64_t slot) {
                     T* scratch = scratch_ + static_cast<int64_t>(slot) * slot_elements(d_);
                     for (auto i = static_cast<int64_t>(begin); i < static_cast<int64_t>(end); ++i)
                       item(i / parts / groups, i / parts % groups, i % parts * kStateColumns, scratch);
                   });
  }

 private:
  char* at(uint32_t operand, int64_t offset) const {
    const opmux_tdesc& t = operand < d_.n_in ? d_.in[operand] : d_.out[operand - d_.n_in];
    return static_cast<char*>(call_->arg[operand]) + offset * element_bytes(t.dtype);
  }

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
  char* channel(uint32_t operand, const opmux_tdesc& t, int64_t batch, int64_t step, int64_t first) const {
    return at(operand, batch * t.stride[0] + step * t.stride[1] + first * t.stride[2]);
  }

  const kit_call* call_;
  const opmux_opd& d_;
  T* scratch_;
  RowLoader<T> load_;
  RowStorer<T> store_;
  StateKernels<T> kernels_;
  int64_t steps_, per_group_, n_state_;
};

opmux_status run(const kit_call* call, opmux_err*) {
  const auto base = (reinterpret_cast<uintptr_t>(call->ws) + 63) & ~uintptr_t{63};
  if (call->d->in[kX].dtype == OPMUX_F64)
    Run<double>(call, reinterpret_cast<double*>(base)).all();
  else
    Run<float>(call, reinterpret_cast<float*>(base)).all();
  return OPMUX_OK;
}

}  // namespace

const kit_op kSelectiveScan = {
    OPMUX_OP_SELECTIVE_SCAN,         "channels", query, nullptr, nullptr, run, nullptr, nullptr,
    sizeof(opmux_op_selective_scan), 1};

}  // namespace opmux::cpu
