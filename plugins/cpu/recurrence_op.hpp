// SPDX-License-Identifier: Apache-2.0
// What linear_attention and selective_scan are but for their steps: a work item is kStateColumns columns of a
// head's state over all steps, so that its part of the state stays in the cache; its numbers are in a slot of
// the workspace.
//
// Layer says what differs: kState is the operand that a later output may stand in place of;
//   bool wide(d): the work is in f64;
//   int64_t slot_elements(d) of a work item, double slot_at_most(d) the same or more for any sizes;
//   Cost cost(d) without its workspace;
//   class Run<T>(call): heads(), columns() of a head, item_ns(), item(batch, head, first column, slot).
#ifndef OPMUX_CPU_RECURRENCE_OP_HPP
#define OPMUX_CPU_RECURRENCE_OP_HPP

#include <cstdint>

#include "cpu/answer.hpp"
#include "cpu/kernels/states.hpp"
#include "cpu/loops.hpp"
#include "cpu/scratch.hpp"
#include "kit/op.h"

namespace opmux::cpu {

template <class Layer>
struct RecurrenceOp {
  static constexpr double kMostBytes = 1ull << 36;

  static void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
    if (!plain_operands(*d, cap)) return;
    constexpr uint32_t state = Layer::kState;
    for (uint32_t o = 0; d->alias && o < d->n_out; ++o)
      if (d->alias[o] != 0 && (o == 0 || d->alias[o] != state + 1 || !same_view(d->in[state], d->out[o])))
        return no(cap, OPMUX_WHY_ALIAS, d->n_in + o);
    if (!fits(Layer::slot_at_most(*d) * 8 * static_cast<double>(scratch_slots()), kMostBytes, cap)) return;
    Cost cost = Layer::cost(*d);
    cost.ws = scratch_bytes(static_cast<uint64_t>(Layer::slot_elements(*d)) * 8);
    yes(cap, info, cost);
  }

  static opmux_status run(const kit_call* call, opmux_err*) {
    Layer::wide(*call->d) ? run_all<double>(call) : run_all<float>(call);
    return OPMUX_OK;
  }

 private:
  template <class T>
  static void run_all(const kit_call* call) {
    const typename Layer::template Run<T> layer(call);
    const int64_t parts = (layer.columns() + kStateColumns - 1) / kStateColumns, heads = layer.heads();
    const uint64_t slot_bytes = static_cast<uint64_t>(Layer::slot_elements(*call->d)) * sizeof(T);
    parallel_scratch(call->host, call->d->in[0].dim[0] * heads * parts, layer.item_ns(), call->ws, slot_bytes,
                     [&](int64_t begin, int64_t end, char* slot) {
                       for (int64_t i = begin; i < end; ++i)
                         layer.item(i / parts / heads, i / parts % heads, i % parts * kStateColumns,
                                    reinterpret_cast<T*>(slot));
                     });
  }
};

template <class Layer, class Desc>
constexpr kit_op recurrence_op(uint32_t op, const char* kernel) {
  using Op = RecurrenceOp<Layer>;
  return {op, kernel, Op::query, nullptr, nullptr, Op::run, nullptr, nullptr, sizeof(Desc), 1};
}

}  // namespace opmux::cpu
#endif
