// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/ops.hpp"
#include "gpu/ops/window.hpp"
#include "kit/scalar.hpp"

namespace opmux::gpu {
namespace {

constexpr uint32_t kMostBettered = 1000;

const char* lowest(uint32_t dtype) {
  if (kit::is_float(dtype)) return "TO_x(-GK_INF)";
  return dtype == OPMUX_I8 ? "TO_x(-128)" : "TO_x(0)";
}

}  // namespace

bool plan_pool(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const auto& a = reinterpret_cast<const opmux_op_pool&>(d);
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  const Window w(d, d.list + a.kernel.first, a.stride, a.dilation, a.pad);
  if (!check_operands(info, d, cap) || !check_apart(d, cap) || !check_window(d, w, cap)) return false;
  say_yes(info, d, cap);
  if (!plan) return true;
  const bool max = a.kind == OPMUX_POOL_MAX, wide = x.dtype == OPMUX_F64;
  const bool root = a.kind == OPMUX_POOL_LP && a.p > 2;
  StepMaker s(max ? "pool_max" : root ? "pool_root" : "pool");
  s.bind("x", d, 0);
  s.bind("y", d, 1);
  if (!max) s.type("sum", wide ? OPMUX_F64 : OPMUX_F32);
  if (max) {
    s.define("GK_NEUTRAL", lowest(x.dtype));
    s.unused("index", kRaw64);
    if (has_out(d, 1)) {
      s.bind("index", d, 2, kRaw64);
      s.set("indexed", 1);
      set_window_strides(s, "is", 0, d.out[1], y);
    }
    s.set("column_major", a.column_major);
  } else if (root) {
    s.set("power", a.p);
    // From a logarithm of 24 bits; of a root so close to 1 that f32 has no power of it left, there is nothing
    // to better.
    s.set("newton", wide ? 4 : a.p > kMostBettered ? 0 : 2);
  } else {
    s.set("power", a.kind == OPMUX_POOL_AVERAGE ? 0 : a.p);
    s.set("padded", a.count_include_pad);
    for (uint32_t i = 0; i < 3; ++i) s.set("end", static_cast<uint64_t>(w.end[i]), i);
  }
  w.write(s);
  set_window_strides(s, "xs", 0, x, x);
  set_window_strides(s, "ys", 0, y, y);
  s.set("channels", static_cast<uint64_t>(y.dim[1]));
  s.set("count", static_cast<uint64_t>(elements(y)));
  s.elements(info, static_cast<uint64_t>(elements(y)));
  plan->steps.push_back(s.take());
  return true;
}

}  // namespace opmux::gpu
