// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/ops.hpp"
#include "gpu/ops/rows.hpp"
#include "kit/insn.hpp"

namespace opmux::gpu {

bool plan_softmax(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const auto& a = reinterpret_cast<const opmux_op_softmax&>(d);
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  if (!check_operands(info, d, cap) || !check_apart(d, cap)) return false;
  const bool wide = x.dtype == OPMUX_F64;
  const uint32_t sum = wide ? OPMUX_F64 : OPMUX_F32;
  StepMaker s("softmax");
  s.bind("x", d, 0);
  s.type("sum", sum);
  s.unused("partial", sum);
  if (!s.epilogue(info, d, sum, cap)) return false;
  const int64_t len = x.dim[a.axis];
  const RowPlan rows{len == 0 ? 0 : elements(x) / len, len, sum};
  say_yes(info, d, cap, rows.workspace());
  if (!plan) return true;
  const bool log = a.kind == OPMUX_SOFTMAX_LOG;
  if (wide) s.source().parts.insert("double_core.h");
  s.define("GK_EXP(v)", wide ? "gk_exp_d(v)" : "gk_exp(v)");
  s.define("GK_TOTAL(s)", !log ? "(s)" : wide ? "gk_log_d(s)" : "gk_log(s)");
  s.define("GK_VALUE(v, t)", log ? "((v) - (t))" : "(GK_EXP(v) / (t))");
  std::array<bool, 8> kept;
  kept.fill(true);
  kept[a.axis] = false;
  kit::Walk w = walk_of(x, kept);
  w.add_strides(strides_of(x, x, kept));
  std::vector<StepMaker::Strides> names{{"rs"}};
  const auto view = [&](const char* name, uint32_t k, const opmux_tdesc& t) {
    std::array<bool, 8> axis{};
    axis[a.axis] = true;
    w.add_strides(strides_of(t, y, kept));
    names.push_back({name, 8 * k});
    s.set(name, static_cast<uint64_t>(strides_of(t, y, axis)[0]), 8 * k + 7);
  };
  const uint32_t own = kit::own_inputs(d);
  for (uint32_t i = own; i < d.n_in; ++i) view("xs", i - own, d.in[i]);
  view("ys", 0, y);
  w.collapse();
  s.walk(w, "rank", "dims", names);
  s.set("step", static_cast<uint64_t>(x.stride[a.axis]));
  row_steps(info, rows, s, *plan);
  return true;
}

}  // namespace opmux::gpu
