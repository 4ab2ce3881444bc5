// SPDX-License-Identifier: Apache-2.0
// fill: a copy of one element that repeats along every axis.
#include "cpu/answer.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/state.hpp"
#include "cpu/strided_copy.hpp"
#include "opmux/ops/memory.gen.h"

namespace opmux::cpu {
namespace {

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap) || !whole_bytes(*d, cap)) return;
  if (d->alias && d->alias[0] != 0) return no(cap, OPMUX_WHY_ALIAS, 0);
  yes(cap, info, {.bytes = static_cast<double>(elements(d->out[0]) * element_bytes(d->out[0].dtype))});
}

struct State {
  explicit State(const opmux_opd& d) { copy.plan(d.out[0], d.in[0]); }
  StridedCopy copy;
};

opmux_status run(const kit_call* call, opmux_err*) {
  static_cast<const State*>(call->state)->copy.run(call->host, call->arg[1], call->arg[0]);
  return OPMUX_OK;
}

}  // namespace

const kit_op kFill = state_op<State, opmux_op_fill>(OPMUX_OP_FILL, "strided", query, run);

}  // namespace opmux::cpu
