// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/ops.hpp"
#include "gpu/ops/values.hpp"
#include "kit/operands/sampling.gen.hpp"

namespace opmux::gpu {

using enum operands::speculative::Input;
using enum operands::speculative::Output;

bool plan_speculative(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const opmux_tdesc &draft = d.in[kDraft], &p = d.in[kP];
  if (!check_operands(info, d, cap) || !check_apart(d, cap)) return false;
  if (!(info.features & OPMUX_FEAT_F64))
    return kit_no(&cap, OPMUX_WHY_FEATURE, kP, 0, static_cast<int64_t>(OPMUX_FEAT_F64), 0);
  say_yes(info, d, cap);
  if (!plan) return true;
  StepMaker s("speculative");
  real_types(s, p.dtype, true);
  bind_indices(s, "draft", d, kDraft, "words");
  bind_real(s, "q", d, kQ);
  bind_real(s, "p_target", d, kP);
  s.bind("seed", d, kSeed, OPMUX_U32);
  s.bind("offset", d, kOffset, OPMUX_U32);
  s.bind("token", d, d.n_in + kToken);
  s.bind("count", d, d.n_in + kCount);
  set_strides(s, "ds", draft, 2);
  set_strides(s, "qs", d.in[kQ], 3);
  set_strides(s, "ps", p, 3);
  set_strides(s, "ts", d.out[kToken], 2);
  s.set("cs", static_cast<uint64_t>(d.out[kCount].stride[0]));
  s.set("drafted", static_cast<uint64_t>(draft.dim[1]));
  s.set("tokens", static_cast<uint64_t>(p.dim[2]));
  s.groups(info, static_cast<uint64_t>(draft.dim[0]));
  plan->steps.push_back(s.take());
  plan->faulty_arg = kDraft;
  return true;
}

}  // namespace opmux::gpu
