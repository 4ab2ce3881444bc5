// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/ops.hpp"
#include "kit/scalar.hpp"

namespace opmux::gpu {

bool plan_iota(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const opmux_tdesc& y = d.out[0];
  if (!check_operands(info, d, cap) || !check_apart(d, cap)) return false;
  const bool real = kit::is_float(y.dtype);
  // start and i step may cancel: the sum is as wide as the device allows.
  const uint64_t wide = OPMUX_FEAT_F64 | OPMUX_FEAT_I64;
  if (real && (info.features & wide) != wide)
    return kit_no(&cap, OPMUX_WHY_FEATURE, d.n_in, 0, OPMUX_FEAT_F64, 0);
  say_yes(info, d, cap);
  if (!plan) return true;
  StepMaker s("iota");
  s.bind("start", d, 0);
  s.bind("step", d, 1);
  s.bind("y", d, 2);
  const uint32_t bits = OPMUX_DTYPE_BITS(y.dtype);
  s.type("sum", real ? OPMUX_F64 : bits == 64 ? OPMUX_U64 : OPMUX_U32);
  s.define("GK_MAD(a, b, c)", "((a) * (b) + (c))");
  s.define("GK_OUT(v)", y.dtype == OPMUX_F64 ? "(v)" : real ? "GK_NARROW(v)" : "TO_y(v)");
  s.define("GK_NARROW(v)", bits == 16 ? "gk_odd_double(v)" : "GK_F32(v)");
  s.set("count", static_cast<uint64_t>(y.dim[0]));
  s.set("ystride", static_cast<uint64_t>(y.stride[0]));
  s.elements(info, static_cast<uint64_t>(y.dim[0]));
  plan->steps.push_back(s.take());
  return true;
}

}  // namespace opmux::gpu
