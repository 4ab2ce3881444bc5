// SPDX-License-Identifier: Apache-2.0
// scatter_elements and scatter_nd: they differ in what is a line of y, whose updates come in an order. Where
// a line has many, lists of the updates of each place are made first.
#include <fmt/format.h>

#include <algorithm>

#include "gpu/ops/ops.hpp"
#include "kit/scalar.hpp"

namespace opmux::gpu {
namespace {

using Steps = std::array<int64_t, 8>;

struct Lines {
  Steps index{}, updates{}, limits{};  // along the dims of y; limits: how far the lines with updates go
  std::vector<int64_t> order;          // dims
  Steps order_index{}, order_updates{};
  uint32_t count = 1, first = 0;  // of the dims of y that index names
  int64_t step = 0;
  // Lists: the dims of index that count updates, and how they step through index and the lists; the steps of
  // the dims of y through the lists, and how many lists there are. The order of update e is e / order_div.
  std::vector<int64_t> entry;
  Steps entry_index{}, entry_heads{}, heads{};
  int64_t lists = 1, order_div = 1;
};

// Updates of a line from which lists are worth their two kernels.
constexpr int64_t kManyUpdates = 32;

int64_t product(const std::vector<int64_t>& dims) {
  int64_t n = 1;
  for (int64_t d : dims) n *= d;
  return n;
}

// Bytes of the lists, 0 where there are none.
uint64_t list_bytes(const opmux_devinfo& info, const Lines& l) {
  const int64_t entries = product(l.entry);
  if (product(l.order) < kManyUpdates || entries == 0 || l.lists == 0) return 0;
  const auto most = static_cast<uint64_t>(std::max(entries, l.lists)) * 4;
  return most + 256 > info.max_binding_bytes ? 0 : static_cast<uint64_t>(entries + l.lists) * 4;
}

void bind_lists(StepMaker& s, const Lines& l, bool there) {
  if (!there) {
    s.unused("heads", OPMUX_U32);
    s.unused("next", OPMUX_U32);
    return;
  }
  const auto heads = static_cast<uint64_t>(l.lists) * 4, next = static_cast<uint64_t>(product(l.entry)) * 4;
  s.workspace("heads", 0, heads, OPMUX_U32);
  s.workspace("next", heads, next, OPMUX_U32);
}

void add_lists(const opmux_devinfo& info, const opmux_opd& d, const Lines& l, KernelPlan& plan) {
  StepMaker clear("clear");
  clear.workspace("y", 0, static_cast<uint64_t>(l.lists) * 4, OPMUX_U32);
  clear.set("count", static_cast<uint64_t>(l.lists));
  clear.elements(info, static_cast<uint64_t>(l.lists));
  plan.steps.push_back(clear.take());
  StepMaker s("scatter_link");
  s.bind("index", d, 1);
  bind_lists(s, l, true);
  kit::Walk entry{std::span<const int64_t>(l.entry)};
  entry.add_strides(l.entry_index).add_strides(l.entry_heads).collapse();
  s.walk(entry, "erank", "edims", {{"eis"}, {"ehs"}});
  s.set("entries", static_cast<uint64_t>(product(l.entry)));
  s.set("count", l.count);
  s.set("step", static_cast<uint64_t>(l.step));
  for (uint32_t k = 0; k < l.count; ++k) {
    s.set("cdim", static_cast<uint64_t>(d.out[0].dim[l.first + k]), k);
    s.set("chs", static_cast<uint64_t>(l.heads[l.first + k]), k);
  }
  s.elements(info, static_cast<uint64_t>(product(l.entry)));
  plan.steps.push_back(s.take());
}

// SET moves whole elements; the others are a word, so that they share a text.
void define_join(StepMaker& s, uint32_t reduction, uint32_t dtype) {
  const bool set = reduction == OPMUX_SCATTER_SET, real = kit::is_float(dtype);
  s.type("sum", set ? raw_type(dtype) : dtype);
  s.set("reduction", reduction);
  if (set) return s.define("GK_JOINED(a, b)", "(b)");
  const char* wrapping =
      OPMUX_DTYPE_BITS(dtype) == 64 ? "TO_sum(GK_U64(a) {0} GK_U64(b))" : "TO_sum(GK_U32(a) {0} GK_U32(b))";
  const auto arithmetic = [&](const char* sign) {
    return fmt::format(fmt::runtime(real ? "(a) {0} (b)" : wrapping), sign);
  };
  s.define("GK_ADDED(a, b)", arithmetic("+"));
  s.define("GK_TIMES(a, b)", arithmetic("*"));
  s.define("GK_LEAST(a, b)", "(GK_ISNAN(a) ? (a) : ((a) < (b) ? (a) : (b)))");
  s.define("GK_MOST(a, b)", "(GK_ISNAN(a) ? (a) : ((a) > (b) ? (a) : (b)))");
  s.define("GK_JOINED(a, b)",
           fmt::format("(join < {1}u ? (join == {0}u ? GK_ADDED(a, b) : GK_TIMES(a, b)) : (join == {1}u ? "
                       "GK_LEAST(a, b) : GK_MOST(a, b)))",
                       OPMUX_SCATTER_ADD, OPMUX_SCATTER_MIN));
}

bool plan_with(const opmux_devinfo& info, const opmux_opd& d, const Lines& l, uint32_t reduction,
               opmux_cap& cap, KernelPlan* plan) {
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  const bool set = reduction == OPMUX_SCATTER_SET;
  if (!(set ? check_moved(info, d, cap, {1}) : check_operands(info, d, cap)) || !check_in_place(d, 0, cap))
    return false;
  const uint64_t lists = list_bytes(info, l);
  say_yes(info, d, cap, lists);
  if (!plan) return true;
  plan->workspace = lists;
  if (lists > 0) add_lists(info, d, l, *plan);
  StepMaker s("scatter");
  bind_lists(s, l, lists > 0);
  s.set("linked", lists > 0);
  s.set("last", set);
  s.set("odiv", static_cast<uint64_t>(l.order_div));
  const uint32_t type = set ? raw_type(y.dtype) : y.dtype;
  s.bind("x", d, 0, type);
  s.bind("index", d, 1);
  s.bind("updates", d, 2, type);
  s.bind("y", d, 3, type);
  define_join(s, reduction, y.dtype);
  kit::Walk w(y);
  w.add_strides(l.limits).add_strides(std::to_array(x.stride)).add_strides(std::to_array(y.stride));
  w.add_strides(l.index).add_strides(l.updates).add_strides(l.heads);
  s.walk(w, "rank", "dims", {{"limits"}, {"xs"}, {"ys"}, {"is"}, {"us"}, {"hs"}});
  kit::Walk order{std::span<const int64_t>(l.order)};
  order.add_strides(l.order_index).add_strides(l.order_updates).collapse();
  s.walk(order, "orank", "odims", {{"ois"}, {"ous"}});
  s.set("orders", static_cast<uint64_t>(product(l.order)));
  s.set("count", l.count);
  s.set("step", static_cast<uint64_t>(l.step));
  for (uint32_t k = 0; k < l.count; ++k) {
    s.set("cdim", static_cast<uint64_t>(y.dim[l.first + k]), k);
    s.set("caxis", l.first + k, k);
  }
  s.elements(info, static_cast<uint64_t>(elements(y)));
  plan->steps.push_back(s.take());
  plan->faulty_arg = 1;
  return true;
}

}  // namespace

bool plan_scatter_elements(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const auto& a = reinterpret_cast<const opmux_op_scatter_elements&>(d);
  const opmux_tdesc &index = d.in[1], &updates = d.in[2], &y = d.out[0];
  Lines l;
  l.first = a.axis;
  l.order = {index.dim[a.axis]};
  l.order_index[0] = index.stride[a.axis];
  l.order_updates[0] = updates.stride[a.axis];
  for (uint32_t i = 0; i < y.rank; ++i) {
    const bool along = i == a.axis;
    l.limits[i] = along ? y.dim[i] : index.dim[i];
    if (along) continue;
    l.index[i] = index.stride[i];
    l.updates[i] = updates.stride[i];
  }
  for (uint32_t i = y.rank; i-- > 0;) {
    l.heads[i] = l.lists;
    l.lists *= y.dim[i];
    if (i > a.axis) l.order_div *= index.dim[i];
  }
  for (uint32_t i = 0; i < y.rank; ++i) {
    l.entry.push_back(index.dim[i]);
    l.entry_index[i] = index.stride[i];
    l.entry_heads[i] = i == a.axis ? 0 : l.heads[i];
  }
  return plan_with(info, d, l, a.reduction, cap, plan);
}

bool plan_scatter_nd(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const opmux_tdesc &index = d.in[1], &updates = d.in[2], &y = d.out[0];
  const uint32_t lead = index.rank - 1;
  Lines l;
  l.count = static_cast<uint32_t>(index.dim[lead]);
  l.step = index.stride[lead];
  for (uint32_t i = 0; i < lead; ++i) {
    l.order.push_back(index.dim[i]);
    l.order_index[i] = index.stride[i];
    l.order_updates[i] = updates.stride[i];
  }
  for (uint32_t i = 0; i < y.rank; ++i) {
    l.limits[i] = y.dim[i];
    if (i >= l.count) l.updates[i] = updates.stride[lead + i - l.count];
  }
  for (uint32_t i = l.count; i-- > 0;) {
    l.heads[i] = l.lists;
    l.lists *= y.dim[i];
  }
  l.entry = l.order;
  l.entry_index = l.order_index;
  return plan_with(info, d, l, reinterpret_cast<const opmux_op_scatter_nd&>(d).reduction, cap, plan);
}

}  // namespace opmux::gpu
