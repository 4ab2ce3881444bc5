// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/ops.hpp"
#include "gpu/ops/values.hpp"
#include "kit/operands/attention.gen.hpp"

#include <bit>

namespace opmux::gpu {
namespace {

using enum operands::kv_append::Input;
using enum operands::kv_append::Output;

// What a row's greatest value becomes; 0: the scale is 1.
float greatest(uint32_t dtype) { return dtype == OPMUX_I8 ? 127.f : dtype == OPMUX_E4M3FN ? 448.f : 0.f; }

// A state that is bound apart is copied first.
void carry_over(const opmux_devinfo& info, const opmux_opd& d, uint32_t from, uint32_t o, KernelPlan& plan) {
  plan.steps.push_back(copy_step(info, d, from, d.n_in + o));
  plan.steps.back().unless_same = {from, d.n_in + o};
}

}  // namespace

bool plan_kv_append(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const opmux_tdesc &pages = d.in[kPages], &x = d.in[kX];
  if (!check_coded(info, d, cap, {kPages, d.n_in + kNewPages})) return false;
  if (!check_places(d, cap, {{kNewPages, kPages, true}, {kNewScale, kScale, true}})) return false;
  say_yes(info, d, cap);
  if (!plan) return true;
  carry_over(info, d, kPages, kNewPages, *plan);
  const bool find = has_out(d, kNewScale), scaled = has_in(d, kScale);
  if (find) carry_over(info, d, kScale, kNewScale, *plan);
  StepMaker s("kv_append");
  real_types(s, x.dtype, false);
  bind_real(s, "x", d, kX);
  bind_indices(s, "slots", d, kSlots, "words");
  s.bind("pages", d, d.n_in + kNewPages, raw_type(pages.dtype));
  set_strides(s, "ps", d.out[kNewPages], 4);
  set_strides(s, "xs", x, 3);
  // A scale that is found is not read.
  if (scaled && !find) {
    s.bind("scale", d, kScale);
    set_strides(s, "ss", d.in[kScale], 3);
  } else {
    s.unused("scale", OPMUX_F32);
  }
  if (find) {
    s.bind("new_scale", d, d.n_in + kNewScale);
    set_strides(s, "ns", d.out[kNewScale], 3);
  } else {
    s.unused("new_scale", OPMUX_F32);
  }
  s.set("format", code_format(pages.dtype));
  s.set("whole", pages.dtype == OPMUX_I8);
  s.set("greatest", std::bit_cast<uint32_t>(greatest(pages.dtype)));
  s.set("find_scale", find);
  s.set("scaled", scaled);
  s.set("heads", static_cast<uint64_t>(x.dim[1]));
  s.set("width_x", static_cast<uint64_t>(x.dim[2]));
  s.set("rows", static_cast<uint64_t>(x.dim[0]));
  s.set("step", static_cast<uint64_t>(d.in[kSlots].stride[0]));
  s.set("page", static_cast<uint64_t>(pages.dim[1]));
  s.set("limit", static_cast<uint64_t>(pages.dim[0] * pages.dim[1]));
  s.groups(info, static_cast<uint64_t>(x.dim[0] * x.dim[1]));
  plan->steps.push_back(s.take());
  plan->faulty_arg = kSlots;
  return true;
}

}  // namespace opmux::gpu
