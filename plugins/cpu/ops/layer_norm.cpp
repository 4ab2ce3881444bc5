// SPDX-License-Identifier: Apache-2.0
// layer_norm: a row is all dims from the axis on; two passes for the statistics, one that writes.
#include "cpu/answer.hpp"
#include "cpu/normalise.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/state.hpp"
#include "opmux/ops/normalise.gen.h"

namespace opmux::cpu {
namespace {

struct State {
  explicit State(const opmux_opd& d) {
    const auto& a = reinterpret_cast<const opmux_op_layer_norm&>(d);
    norm.rms = a.kind == OPMUX_NORM_RMS;
    norm.epsilon = a.epsilon;
    norm.has_scale = has_in(d, 1);
    norm.has_bias = has_in(d, 2);
    opmux_tdesc outer = d.in[0], inner = d.in[0];
    for (uint32_t i = 0; i < inner.rank; ++i) (i < a.axis ? inner : outer).dim[i] = 1;
    norm.outer = Loops(outer);
    norm.inner = Loops(inner);
    const opmux_tdesc* operands[] = {&d.in[0],
                                     &d.out[0],
                                     has_in(d, 1) ? &d.in[1] : nullptr,
                                     has_in(d, 2) ? &d.in[2] : nullptr,
                                     d.n_out > 1 ? &d.out[1] : nullptr,
                                     d.n_out > 2 ? &d.out[2] : nullptr};
    for (uint32_t k = 0; k < 6; ++k) {
      const bool there = operands[k] && operands[k]->dtype != OPMUX_NONE;
      const opmux_tdesc nothing{};
      norm.outer.add(there ? *operands[k] : nothing);
      if (k < 4) norm.inner.add(there ? *operands[k] : nothing);
    }
    norm.plan(d.in[0].dtype);
  }
  Normalise norm;
};

opmux_status run(const kit_call* call, opmux_err*) {
  const opmux_opd& d = *call->d;
  auto in = [&](uint32_t i) { return has_in(d, i) ? call->arg[i] : nullptr; };
  auto out = [&](uint32_t i) { return i < d.n_out ? call->arg[d.n_in + i] : nullptr; };
  const void* const arg[] = {in(0), in(1), in(2), out(0), out(1), out(2)};
  static_cast<const State*>(call->state)->norm.run(call->host, arg);
  return OPMUX_OK;
}

}  // namespace

const kit_op kLayerNorm =
    state_op<State, opmux_op_layer_norm>(OPMUX_OP_LAYER_NORM, "rows", query_normalise, run);

}  // namespace opmux::cpu
