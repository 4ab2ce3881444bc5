// SPDX-License-Identifier: Apache-2.0
// gather, gather_elements and gather_nd: they differ in their steps through x and index.
#include "gpu/ops/ops.hpp"

namespace opmux::gpu {
namespace {

using Steps = std::array<int64_t, 8>;

struct Coordinates {
  Steps index{}, x{};             // along the dims of y
  uint32_t count = 1, first = 0;  // of the dims of x that index names
  int64_t step = 0;
};

bool plan_with(const opmux_devinfo& info, const opmux_opd& d, const Coordinates& c, opmux_cap& cap,
               KernelPlan* plan) {
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  if (!check_moved(info, d, cap, {1}) || !check_apart(d, cap)) return false;
  say_yes(info, d, cap);
  if (!plan) return true;
  StepMaker s("gather");
  s.bind("x", d, 0, raw_type(x.dtype));
  s.bind("index", d, 1);
  s.bind("y", d, 2, raw_type(x.dtype));
  kit::Walk w(y);
  w.add(y).add_strides(c.index).add_strides(c.x).collapse();
  s.walk(w, "rank", "dims", {{"ys"}, {"is"}, {"xs"}});
  s.set("count", c.count);
  s.set("step", static_cast<uint64_t>(c.step));
  for (uint32_t k = 0; k < c.count; ++k) {
    s.set("cdim", static_cast<uint64_t>(x.dim[c.first + k]), k);
    s.set("cstride", static_cast<uint64_t>(x.stride[c.first + k]), k);
  }
  s.elements(info, static_cast<uint64_t>(elements(y)));
  plan->steps.push_back(s.take());
  plan->faulty_arg = 1;
  return true;
}

}  // namespace

bool plan_gather(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const opmux_tdesc &x = d.in[0], &index = d.in[1], &y = d.out[0];
  Coordinates c;
  c.first = reinterpret_cast<const opmux_op_gather&>(d).axis;
  for (uint32_t i = 0; i < y.rank; ++i) {
    const bool inside = i >= c.first && i < c.first + index.rank;
    if (inside) c.index[i] = index.stride[i - c.first];
    if (!inside) c.x[i] = x.stride[i < c.first ? i : i - index.rank + 1];
  }
  return plan_with(info, d, c, cap, plan);
}

bool plan_gather_elements(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  Coordinates c;
  c.first = reinterpret_cast<const opmux_op_gather_elements&>(d).axis;
  for (uint32_t i = 0; i < d.out[0].rank; ++i) {
    c.index[i] = d.in[1].stride[i];
    c.x[i] = i == c.first ? 0 : d.in[0].stride[i];
  }
  return plan_with(info, d, c, cap, plan);
}

bool plan_gather_nd(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const opmux_tdesc &x = d.in[0], &index = d.in[1], &y = d.out[0];
  const uint32_t lead = index.rank - 1;
  Coordinates c;
  c.first = reinterpret_cast<const opmux_op_gather_nd&>(d).batch_dims;
  c.count = static_cast<uint32_t>(index.dim[lead]);
  c.step = index.stride[lead];
  for (uint32_t i = 0; i < y.rank; ++i) {
    if (i < lead) c.index[i] = index.stride[i];
    if (i < c.first) c.x[i] = x.stride[i];
    if (i >= lead) c.x[i] = x.stride[c.first + c.count + i - lead];
  }
  return plan_with(info, d, c, cap, plan);
}

}  // namespace opmux::gpu
