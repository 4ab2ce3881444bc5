// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/ops.hpp"
#include "gpu/ops/series.hpp"
#include "kit/scalar.hpp"
#include "opmux/ops/sort.gen.h"

namespace opmux::gpu {
namespace {

Step flags_step(const opmux_devinfo& info, const opmux_opd& d, uint64_t bytes) {
  const opmux_tdesc& x = d.in[0];
  const bool wide = raw_type(x.dtype) == kRaw64;
  StepMaker m("non_zero_flags");
  m.bind("x", d, 0, raw_type(x.dtype));
  m.workspace("flags", 0, bytes, OPMUX_U32);
  m.define("GK_HIGH(v)", wide ? "(v).y" : "(v)");
  m.define("GK_LOW(v)", wide ? "(v).x" : "0u");
  const uint32_t sign = 1u << (std::min(OPMUX_DTYPE_BITS(x.dtype), 32u) - 1);
  m.set("mask", kit::is_float(x.dtype) ? sign - 1 : 0xffffffffu);
  kit::Walk w(x);
  w.add(x).collapse();
  m.walk(w, "rank", "dims", {{"xs"}});
  m.elements(info, static_cast<uint64_t>(elements(x)));
  return m.take();
}

}  // namespace

bool plan_non_zero(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  if (!check_moved(info, d, cap, {}) || !check_apart(d, cap)) return false;
  const int64_t n = elements(x);
  const uint64_t bytes = static_cast<uint64_t>(n) * 4;
  const Series sums = running_counts(0, n, (bytes + 255) / 256 * 256);
  if (!check_workspace(info, bytes, cap)) return false;
  const uint64_t workspace = n == 0 ? 0 : sums.carry + sums.workspace();
  say_yes(info, d, cap, workspace);
  if (!plan) return true;
  plan->workspace = workspace;
  StepMaker m("non_zero");
  m.unused("sums", OPMUX_U32);
  if (n > 0) {
    plan->steps.push_back(flags_step(info, d, bytes));
    scan_steps(info, sums, *plan);
    m.workspace("sums", 0, bytes, OPMUX_U32);
  }
  m.bind("y", d, 1, kRaw64);
  m.bind("count", d, 2, kRaw64);
  m.set("n", static_cast<uint64_t>(n));
  m.set("rank", x.rank);
  for (uint32_t i = 0; i < x.rank; ++i) m.set("dims", static_cast<uint64_t>(x.dim[i]), i);
  m.set("ystep", static_cast<uint64_t>(y.stride[0]));
  m.set("column", static_cast<uint64_t>(y.stride[1]));
  m.elements(info, static_cast<uint64_t>(std::max<int64_t>(n, 1)));
  plan->steps.push_back(m.take());
  return true;
}

}  // namespace opmux::gpu
