// SPDX-License-Identifier: Apache-2.0
// What gather, gather_elements and gather_nd are but for the steps that they take through x and index.
#ifndef OPMUX_CPU_GATHER_OP_HPP
#define OPMUX_CPU_GATHER_OP_HPP

#include "cpu/answer.hpp"
#include "cpu/indexed_copy.hpp"
#include "cpu/state.hpp"

namespace opmux::cpu {

struct GatherSteps {
  const char* name;
  int64_t index[OPMUX_MAX_RANK] = {}, x[OPMUX_MAX_RANK] = {};  // along the dims of y
  Coordinate coordinate = {};
};

template <GatherSteps (*kSteps)(const opmux_opd&)>
struct GatherOp {
  explicit GatherOp(const opmux_opd& d) {
    const GatherSteps s = kSteps(d);
    name = s.name;
    copy.plan(d.out[0], d.in[1].dtype, s.index, s.x, s.coordinate);
  }
  IndexedCopy copy;
  const char* name;

  static void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
    if (!plain_operands(*d, cap) || !whole_bytes(*d, cap) || !apart(*d, cap)) return;
    const auto y = static_cast<double>(elements(d->out[0]) * element_bytes(d->out[0].dtype));
    yes(cap, info,
        {.bytes = 2 * y + static_cast<double>(elements(d->in[1]) * element_bytes(d->in[1].dtype))});
  }
  static opmux_status run(const kit_call* call, opmux_err* err) {
    const auto& s = *static_cast<const GatherOp*>(call->state);
    return s.copy.run(call, err, s.name);
  }
};

template <class Desc, GatherSteps (*kSteps)(const opmux_opd&)>
constexpr kit_op gather_op(uint32_t op) {
  using Op = GatherOp<kSteps>;
  return state_op<Op, Desc>(op, "rows", Op::query, Op::run);
}

}  // namespace opmux::cpu
#endif
