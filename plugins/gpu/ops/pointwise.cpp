// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/ops.hpp"

namespace opmux::gpu {
namespace {

// In place only where every element lies where its input did.
bool check_alias(const opmux_opd& d, opmux_cap& cap) {
  for (uint32_t o = 0; d.alias && o < d.n_out; ++o) {
    if (d.alias[o] == 0) continue;
    const opmux_tdesc &in = d.in[d.alias[o] - 1], &out = d.out[o];
    bool same = in.rank == out.rank && OPMUX_DTYPE_BITS(in.dtype) == OPMUX_DTYPE_BITS(out.dtype);
    for (uint32_t i = 0; same && i < out.rank; ++i)
      same = in.dim[i] == out.dim[i] && (out.dim[i] <= 1 || in.stride[i] == out.stride[i]);
    if (!same) return kit_no(&cap, OPMUX_WHY_ALIAS, d.n_in + o, 0, d.alias[o], 0);
  }
  return true;
}

}  // namespace

bool plan_pointwise(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  if (!check_operands(info, d, cap) || !check_alias(d, cap)) return false;
  StepMaker s("pointwise");
  if (!s.program(info, d, cap)) return false;
  say_yes(info, d, cap);
  cap.inplace_mask = 0;
  if (!plan) return true;
  s.program_walk(d, {}, {});
  s.elements(info, static_cast<uint64_t>(elements(d.out[0])));
  plan->steps.push_back(s.take());
  return true;
}

}  // namespace opmux::gpu
