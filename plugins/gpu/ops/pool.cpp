// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/ops.hpp"
#include "gpu/ops/window.hpp"

#include <fmt/format.h>
#include "kit/scalar.hpp"

namespace opmux::gpu {
namespace {

void define_sum(StepMaker& s, const opmux_op_pool& a, uint32_t dtype) {
  const bool average = a.kind == OPMUX_POOL_AVERAGE;
  s.type("sum", dtype == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32);
  s.define("GK_NEUTRAL", "TO_sum(0)");
  const bool root = !average && a.p > 2, wide = dtype == OPMUX_F64;
  if (root) s.source().parts.insert(wide ? "double_core.h" : "powers.h");
  const char* d = wide ? "_d" : "";
  s.define("GK_POOL(s, v)", average    ? "((s) + (v))"
                            : a.p == 1 ? "((s) + gk_fabs(v))"
                            : root     ? fmt::format("((s) + gk_power{}(gk_fabs(v), GK_CODE(P_p)))", d)
                                       : "((s) + (v) * (v))");
  const char* count = a.count_include_pad ? "covered" : "hits";
  s.define("GK_RESULT(s)", average    ? fmt::format("({0} == 0u ? TO_sum(0) : (s) / TO_sum({0}))", count)
                           : a.p == 1 ? "(s)"
                           : root     ? fmt::format("gk_root{}(s, GK_CODE(P_p))", d)
                                      : "sqrt(s)");
  s.set("p", a.p);
}

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
  const bool max = a.kind == OPMUX_POOL_MAX;
  StepMaker s(max ? "pool_max" : "pool");
  s.bind("x", d, 0);
  s.bind("y", d, 1);
  if (max) {
    s.define("GK_NEUTRAL", lowest(x.dtype));
    if (has_out(d, 1)) {
      s.bind("index", d, 2);
      s.define("GK_INDEXED", "1");
      set_window_strides(s, "is", 0, d.out[1], y);
    } else {
      s.unused("index", OPMUX_I32);
    }
    s.set("column_major", a.column_major);
  } else {
    define_sum(s, a, x.dtype);
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
