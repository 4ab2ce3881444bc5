// SPDX-License-Identifier: Apache-2.0
// What scatter_elements and scatter_nd are but for the steps that they take through index, updates and y.
#ifndef OPMUX_CPU_SCATTER_OP_HPP
#define OPMUX_CPU_SCATTER_OP_HPP

#include "cpu/answer.hpp"
#include "cpu/indexed_update.hpp"
#include "cpu/state.hpp"

namespace opmux::cpu {

template <ScatterSteps (*kSteps)(const opmux_opd&)>
struct ScatterOp {
  explicit ScatterOp(const opmux_opd& d) : update(d, kSteps(d)) {}
  IndexedUpdate update;

  static void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
    if (!plain_operands(*d, cap)) return;
    const bool same = same_view(d->in[0], d->out[0]);
    if (d->alias && d->alias[0] != 0 && !(d->alias[0] == 1 && same))
      return no(cap, OPMUX_WHY_ALIAS, d->alias[0] - 1);
    // Half an operation a nanosecond: an update waits for its index and its place.
    yes(cap, info, schema_cost(*d, 0.5, ScatterOp(*d).update.workspace()));
    if (same) cap->inplace_mask = 1;
  }
  static opmux_status run(const kit_call* call, opmux_err* err) {
    return static_cast<const ScatterOp*>(call->state)->update.run(call, err);
  }
};

template <class Desc, ScatterSteps (*kSteps)(const opmux_opd&)>
constexpr kit_op scatter_op(uint32_t op) {
  using Op = ScatterOp<kSteps>;
  return state_op<Op, Desc>(op, "in_order", Op::query, Op::run);
}

}  // namespace opmux::cpu
#endif
