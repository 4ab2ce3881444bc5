// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/attend.hpp"
#include "gpu/ops/ops.hpp"
#include "kit/operands/attention.gen.hpp"

namespace opmux::gpu {
namespace {

using enum operands::paged_attention::Input;
using enum operands::paged_attention::Output;

void bind_operands(const opmux_opd& d, StepMaker& s) {
  const auto raw = [&](const char* name, uint32_t arg, const char* strides) {
    const opmux_tdesc& t = *kit_operand(&d, arg);
    s.bind(name, d, arg, raw_type(t.dtype));
    for (uint32_t i = 0; i < t.rank; ++i) s.set(strides, static_cast<uint64_t>(t.stride[i]), i);
  };
  raw("q", kQ, "qs");
  raw("y", d.n_in, "ys");
  raw("k", kKPages, "ks");
  raw("v", kVPages, "vs");
  s.set("q_format", code_format(d.in[kQ].dtype));
  s.set("k_format", code_format(d.in[kKPages].dtype));
  bind_indices(s, "table", d, kTable, "t_words");
  bind_indices(s, "q_start", d, kQStart, "q_words");
  bind_indices(s, "k_len", d, kKLen, "k_words");
  set_strides(s, "ts", d.in[kTable], 2);
  s.set("q_step", static_cast<uint64_t>(d.in[kQStart].stride[0]));
  s.set("k_step", static_cast<uint64_t>(d.in[kKLen].stride[0]));
  const auto scale = [&](const char* name, uint32_t arg, const char* flag, const char* strides) {
    if (!has_in(d, arg)) return s.unused(name, OPMUX_F32);
    s.bind(name, d, arg);
    s.set(flag, 1);
    set_strides(s, strides, d.in[arg], 3);
  };
  scale("k_scale", kKScale, "scaled_k", "kss");
  scale("v_scale", kVScale, "scaled_v", "vss");
  bind_slopes(s, d, kSlopes);
  bind_lse(s, d, kLse);
}

void fill(const opmux_devinfo& info, const opmux_opd& d, StepMaker& s) {
  const opmux_tdesc &q = d.in[kQ], &k = d.in[kKPages];
  set_attend(s, reinterpret_cast<const opmux_op_paged_attention&>(d), q.dim[2], d.in[kVPages].dim[3]);
  s.set("heads", static_cast<uint64_t>(q.dim[1]));
  s.set("head_group", static_cast<uint64_t>(k.dim[2] > 0 ? q.dim[1] / k.dim[2] : 1));
  s.set("pages", static_cast<uint64_t>(k.dim[0]));
  s.set("page", static_cast<uint64_t>(std::max<int64_t>(k.dim[1], 1)));
  s.set("most_keys", static_cast<uint64_t>(d.in[kTable].dim[1] * k.dim[1]));
  s.set("sequences", static_cast<uint64_t>(d.in[kQStart].dim[0] - 1));
  s.groups(info, static_cast<uint64_t>(q.dim[0] * q.dim[1]));
}

Step check_pages(const opmux_devinfo& info, const opmux_opd& d) {
  const opmux_tdesc& table = d.in[kTable];
  StepMaker s("check_pages");
  bind_indices(s, "table", d, kTable, "t_words");
  bind_indices(s, "k_len", d, kKLen, "k_words");
  set_strides(s, "ts", table, 2);
  s.set("k_step", static_cast<uint64_t>(d.in[kKLen].stride[0]));
  s.set("columns", static_cast<uint64_t>(table.dim[1]));
  s.set("count", static_cast<uint64_t>(elements(table)));
  s.set("page", static_cast<uint64_t>(d.in[kKPages].dim[1]));
  s.set("pages", static_cast<uint64_t>(d.in[kKPages].dim[0]));
  s.elements(info, static_cast<uint64_t>(elements(table)));
  return s.take();
}

}  // namespace

bool plan_paged_attention(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const opmux_tdesc &k = d.in[kKPages], &table = d.in[kTable];
  if (!check_coded(info, d, cap, {kKPages, kVPages})) return false;
  if (!check_widths(kQ, d.in[kQ].dim[2], 2, kVPages, d.in[kVPages].dim[3], cap) || !check_places(d, cap, {}))
    return false;
  if (table.dim[1] * k.dim[1] >= kMaxElements)
    return kit_no(&cap, OPMUX_WHY_DIM, kTable, 1, table.dim[1] * k.dim[1], kMaxElements - 1);
  StepMaker s("paged_attention");
  real_types(s, OPMUX_F32, false);
  bind_operands(d, s);
  if (!s.fits(info, cap)) return false;
  say_yes(info, d, cap);
  if (!plan) return true;
  plan->steps.push_back(check_step(info, d, kQStart, 0, d.in[kQ].dim[0], true));
  plan->steps.push_back(check_step(info, d, kKLen, 0, table.dim[1] * k.dim[1], false));
  plan->steps.push_back(check_pages(info, d));
  fill(info, d, s);
  plan->steps.push_back(s.take());
  plan->faulty_arg = kTable;
  return true;
}

}  // namespace opmux::gpu
