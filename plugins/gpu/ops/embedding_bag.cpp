// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/ops.hpp"
#include "gpu/ops/rows.hpp"
#include "opmux/ops/index.gen.h"
#include "opmux/ops/reduce.gen.h"

namespace opmux::gpu {
namespace {

Step offsets_step(const opmux_devinfo& info, const opmux_opd& d) {
  const opmux_tdesc& offsets = d.in[2];
  StepMaker m("bag_offsets");
  m.bind("offsets", d, 2, OPMUX_U32);
  m.set("count", static_cast<uint64_t>(offsets.dim[0]));
  m.set("n", static_cast<uint64_t>(d.in[1].dim[0]));
  m.set("words", element_bytes(offsets.dtype) / 4);
  m.set("step", static_cast<uint64_t>(offsets.stride[0]));
  m.elements(info, static_cast<uint64_t>(offsets.dim[0]));
  Step s = m.take();
  s.faulty_arg = 2;
  return s;
}

}  // namespace

bool plan_embedding_bag(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const auto& a = reinterpret_cast<const opmux_op_embedding_bag&>(d);
  const opmux_tdesc &table = d.in[0], &index = d.in[1], &offsets = d.in[2], &y = d.out[0];
  if (!check_operands(info, d, cap) || !check_apart(d, cap)) return false;
  say_yes(info, d, cap);
  if (!plan) return true;
  plan->faulty_arg = 1;
  plan->steps.push_back(offsets_step(info, d));
  StepMaker m("embedding_bag");
  m.type("sum", table.dtype == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32);
  m.define("GK_RANK(v)", "(v)");
  m.bind("table", d, 0);
  m.bind("index", d, 1, OPMUX_U32);
  m.bind("offsets", d, 2, OPMUX_U32);
  if (has_in(d, 3))
    m.bind("weights", d, 3);
  else
    m.unused("weights", table.dtype);
  m.bind("y", d, d.n_in);
  m.set("kind", a.kind == OPMUX_BAG_MAX ? OPMUX_SCAN_MAX : OPMUX_SCAN_SUM);
  m.set("mean", a.kind == OPMUX_BAG_MEAN);
  m.set("weighted", has_in(d, 3));
  m.set("n", static_cast<uint64_t>(index.dim[0]));
  m.set("rows", static_cast<uint64_t>(table.dim[0]));
  m.set("bags", static_cast<uint64_t>(y.dim[0]));
  m.set("columns", static_cast<uint64_t>(y.dim[1]));
  m.set("iwords", element_bytes(index.dtype) / 4);
  m.set("istep", static_cast<uint64_t>(index.stride[0]));
  m.set("owords", element_bytes(offsets.dtype) / 4);
  m.set("ostep", static_cast<uint64_t>(offsets.stride[0]));
  if (has_in(d, 3)) m.set("wstep", static_cast<uint64_t>(d.in[3].stride[0]));
  m.set("trow", static_cast<uint64_t>(table.stride[0]));
  m.set("tcolumn", static_cast<uint64_t>(table.stride[1]));
  m.set("yrow", static_cast<uint64_t>(y.stride[0]));
  m.set("ycolumn", static_cast<uint64_t>(y.stride[1]));
  const uint64_t width = shared_width(m.source(), elements(y), index.dim[0]);
  m.set("width", width);
  m.elements(info, static_cast<uint64_t>(elements(y)) * width);
  plan->steps.push_back(m.take());
  return true;
}

}  // namespace opmux::gpu
