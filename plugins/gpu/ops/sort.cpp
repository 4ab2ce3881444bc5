// SPDX-License-Identifier: Apache-2.0
// sort and top_k: they differ in how many items of a row they keep, and in what order.
#include "gpu/ops/ops.hpp"
#include "gpu/ops/order.hpp"
#include "gpu/ops/rows.hpp"
#include "opmux/ops/sort.gen.h"

namespace opmux::gpu {
namespace {

struct Form {
  uint32_t axis;
  int64_t k;
  bool descending, by_key = true;
};

Step picked(const opmux_devinfo& info, const opmux_opd& d, const Form& f, const Order& order) {
  const opmux_tdesc& x = d.in[0];
  StepMaker m("order_pick");
  order.items(m, "items");
  m.unused("x", OPMUX_U32);
  m.unused("y", OPMUX_U32);
  m.unused("index", kRaw64);
  opmux_tdesc none{};
  none.rank = x.rank;
  const bool has_y = has_out(d, 0), has_index = has_out(d, 1);
  if (has_y) {
    m.bind("x", d, 0, raw_type(x.dtype));
    m.bind("y", d, d.n_in, raw_type(x.dtype));
  }
  if (has_index) m.bind("index", d, d.n_in + 1, kRaw64);
  std::vector<int64_t> dims;
  std::array<int64_t, 8> steps[3]{};
  const opmux_tdesc* views[] = {&x, has_y ? &d.out[0] : &none, has_index ? &d.out[1] : &none};
  const auto take = [&](uint32_t i) {
    for (size_t v = 0; v < 3; ++v) steps[v][dims.size()] = v == 0 && i == f.axis ? 0 : views[v]->stride[i];
    dims.push_back(i == f.axis ? f.k : x.dim[i]);
  };
  for (uint32_t i = 0; i < x.rank; ++i)
    if (i != f.axis) take(i);
  take(f.axis);
  kit::Walk w{std::span<const int64_t>(dims)};
  for (const auto& s : steps) w.add_strides(s);
  w.collapse();
  m.walk(w, "rank", "dims", {{"xs"}, {"ys"}, {"is"}});
  m.set("has_y", has_y);
  m.set("has_index", has_index);
  m.set("step", static_cast<uint64_t>(x.stride[f.axis]));
  uint64_t count = 1;
  for (int64_t n : dims) count *= static_cast<uint64_t>(n);
  m.elements(info, count);
  return m.take();
}

bool plan_with(const opmux_devinfo& info, const opmux_opd& d, const Form& f, opmux_cap& cap,
               KernelPlan* plan) {
  const opmux_tdesc& x = d.in[0];
  if (!check_moved(info, d, cap, {}) || !check_apart(d, cap)) return false;
  const int64_t n = x.dim[f.axis], rows = n == 0 ? 0 : elements(x) / n;
  Order order(rows, n, key_words(x.dtype), 0);
  if (!check_workspace(info, order.largest(), cap)) return false;
  const bool work = rows * f.k > 0 && (has_out(d, 0) || has_out(d, 1));
  say_yes(info, d, cap, work ? order.end() : 0);
  if (!plan || !work) return true;
  plan->workspace = order.end();
  order.keys_of(info, d, f.axis, false, f.descending, *plan);
  order.sort(info, f.k, false, *plan);
  if (!f.by_key) order.sort(info, f.k, true, *plan);
  plan->steps.push_back(picked(info, d, f, order));
  return true;
}

}  // namespace

bool plan_sort(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const auto& a = reinterpret_cast<const opmux_op_sort&>(d);
  return plan_with(info, d, {a.axis, d.in[0].dim[a.axis], a.descending != 0}, cap, plan);
}

bool plan_top_k(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const auto& a = reinterpret_cast<const opmux_op_top_k&>(d);
  return plan_with(info, d, {a.axis, a.k, a.largest != 0, a.sorted != 0}, cap, plan);
}

}  // namespace opmux::gpu
