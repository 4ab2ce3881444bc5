// SPDX-License-Identifier: Apache-2.0
// group_norm: a row is the channels of one group with all their spatial elements.
#include "cpu/answer.hpp"
#include "cpu/normalise.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/state.hpp"
#include "opmux/ops/normalise.gen.h"

namespace opmux::cpu {
namespace {

struct State {
  explicit State(const opmux_opd& d) {
    const auto& a = reinterpret_cast<const opmux_op_group_norm&>(d);
    const opmux_tdesc& x = d.in[0];
    norm.epsilon = a.epsilon;
    norm.has_scale = has_in(d, 1);
    norm.has_bias = has_in(d, 2);
    const int64_t channels = x.dim[1] / a.groups;
    opmux_tdesc outer{}, inner = x;  // outer: [N, groups]; inner: [1, channels of a group, spatial]
    outer.rank = 2;
    outer.dim[0] = x.dim[0];
    outer.dim[1] = a.groups;
    inner.dim[0] = 1;
    inner.dim[1] = channels;
    norm.outer = Loops(outer);
    norm.inner = Loops(inner);
    const opmux_tdesc* operands[] = {&x, &d.out[0], has_in(d, 1) ? &d.in[1] : nullptr,
                                     has_in(d, 2) ? &d.in[2] : nullptr};
    for (uint32_t k = 0; k < 6; ++k) {
      int64_t of_outer[OPMUX_MAX_RANK] = {}, of_inner[OPMUX_MAX_RANK] = {};
      const opmux_tdesc* t = k < 4 ? operands[k] : nullptr;
      if (t && k < 2) {
        of_outer[0] = t->stride[0];
        of_outer[1] = t->stride[1] * channels;
        for (uint32_t i = 1; i < t->rank; ++i) of_inner[i] = t->stride[i];
      } else if (t) {  // one value a channel
        of_outer[1] = t->stride[0] * channels;
        of_inner[1] = t->stride[0];
      }
      norm.outer.add_strides(of_outer);
      if (k < 4) norm.inner.add_strides(of_inner);
    }
    norm.plan(x.dtype);
  }
  Normalise norm;
};

opmux_status run(const kit_call* call, opmux_err*) {
  const opmux_opd& d = *call->d;
  auto in = [&](uint32_t i) { return has_in(d, i) ? call->arg[i] : nullptr; };
  const void* const arg[] = {in(0), in(1), in(2), call->arg[d.n_in], nullptr, nullptr};
  static_cast<const State*>(call->state)->norm.run(call->host, arg);
  return OPMUX_OK;
}

}  // namespace

const kit_op kGroupNorm =
    state_op<State, opmux_op_group_norm>(OPMUX_OP_GROUP_NORM, "rows", query_normalise, run);

}  // namespace opmux::cpu
