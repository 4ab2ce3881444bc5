// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/ops.hpp"

namespace opmux::gpu {

bool plan_det(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  if (!check_operands(info, d, cap) || !check_apart(d, cap)) return false;
  const uint32_t sum = x.dtype == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32;
  const int64_t n = x.dim[x.rank - 1], matrices = elements(y);
  const uint64_t workspace = static_cast<uint64_t>(elements(x)) * element_bytes(sum);
  if (!check_workspace(info, workspace, cap)) return false;
  say_yes(info, d, cap, workspace);
  if (!plan) return true;
  plan->workspace = workspace;
  StepMaker s("det");
  if (sum == OPMUX_F64) s.define("GK_WIDE", "1");
  s.type("sum", sum);
  s.bind("x", d, 0);
  s.bind("y", d, 1);
  if (workspace > 0)
    s.workspace("copy", 0, workspace, sum);
  else
    s.unused("copy", sum);
  s.set("n", static_cast<uint64_t>(n));
  s.set("row", static_cast<uint64_t>(x.stride[x.rank - 2]));
  s.set("col", static_cast<uint64_t>(x.stride[x.rank - 1]));
  kit::Walk w(y);
  w.add_strides(std::to_array(x.stride)).add(y).collapse();
  s.walk(w, "rank", "dims", {{"xs"}, {"ys"}});
  s.groups(info, static_cast<uint64_t>(matrices));
  plan->steps.push_back(s.take());
  return true;
}

}  // namespace opmux::gpu
