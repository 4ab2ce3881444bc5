// SPDX-License-Identifier: Apache-2.0
// gather_nd: the last dim of index holds coordinates into the dims of x after the batch dims.
#include "cpu/answer.hpp"
#include "cpu/indexed_copy.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/state.hpp"
#include "opmux/ops/index.gen.h"

namespace opmux::cpu {
namespace {

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap) || !whole_bytes(*d, cap)) return;
  if (d->alias && d->alias[0] != 0) return no(cap, OPMUX_WHY_ALIAS, d->alias[0] - 1);
  const auto y = static_cast<double>(elements(d->out[0]) * element_bytes(d->out[0].dtype));
  yes(cap, info, {.bytes = 2 * y + static_cast<double>(elements(d->in[1]) * element_bytes(d->in[1].dtype))});
}

struct State {
  explicit State(const opmux_opd& d) {
    const opmux_tdesc &x = d.in[0], &index = d.in[1], &y = d.out[0];
    const uint32_t batch = reinterpret_cast<const opmux_op_gather_nd&>(d).batch_dims, lead = index.rank - 1;
    int64_t of_index[OPMUX_MAX_RANK] = {}, of_x[OPMUX_MAX_RANK] = {};
    IndexedCopy::Coordinate c;
    c.count = static_cast<uint32_t>(index.dim[lead]);
    c.step = index.stride[lead];
    for (uint32_t k = 0; k < c.count; ++k) {
      c.dim[k] = x.dim[batch + k];
      c.stride[k] = x.stride[batch + k];
    }
    for (uint32_t i = 0; i < y.rank; ++i) {
      if (i < lead) of_index[i] = index.stride[i];
      if (i < batch) of_x[i] = x.stride[i];
      if (i >= lead) of_x[i] = x.stride[batch + c.count + i - lead];
    }
    copy.plan(y, index.dtype, of_index, of_x, c);
  }
  IndexedCopy copy;
};

opmux_status prepare(const opmux_host_api* host, const opmux_opd* d, void** state, opmux_err* err) {
  return make_state<State>(host, state, err, *d);
}

opmux_status run(const kit_call* call, opmux_err* err) {
  return static_cast<const State*>(call->state)->copy.run(call, err, "gather_nd");
}

}  // namespace

const kit_op kGatherNd = {OPMUX_OP_GATHER_ND,         "rows", query,   prepare,
                          free_state<State>,          run,    nullptr, nullptr,
                          sizeof(opmux_op_gather_nd), 1};

}  // namespace opmux::cpu
