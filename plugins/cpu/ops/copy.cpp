// SPDX-License-Identifier: Apache-2.0
// copy: between any two views of elements of whole bytes.
#include "cpu/answer.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/state.hpp"
#include "cpu/strided_copy.hpp"
#include "opmux/ops/memory.gen.h"

namespace opmux::cpu {
namespace {

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  const opmux_tdesc &x = d->in[0], &y = d->out[0];
  if (!plain_operands(*d, cap) || !whole_bytes(*d, cap)) return;
  if (d->alias && d->alias[0] != 0 && !same_view(x, y)) return no(cap, OPMUX_WHY_ALIAS, 0);
  yes(cap, info, {.bytes = 2.0 * static_cast<double>(elements(y) * element_bytes(y.dtype))});
  if (same_view(x, y)) cap->inplace_mask = 1;
}

struct State {
  explicit State(const opmux_opd& d) : in_place(d.alias && d.alias[0] != 0) { copy.plan(d.out[0], d.in[0]); }
  StridedCopy copy;
  bool in_place;
};

opmux_status run(const kit_call* call, opmux_err*) {
  const State& s = *static_cast<const State*>(call->state);
  if (!(s.in_place && call->arg[0] == call->arg[1])) s.copy.run(call->host, call->arg[1], call->arg[0]);
  return OPMUX_OK;
}

}  // namespace

const kit_op kCopy = state_op<State, opmux_op_copy>(OPMUX_OP_COPY, "strided", query, run);

}  // namespace opmux::cpu
