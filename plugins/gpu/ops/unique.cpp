// SPDX-License-Identifier: Apache-2.0
// unique: positions along the axis sorted by their slices; neighbours that are equal are one group.
#include "gpu/ops/ops.hpp"
#include "gpu/ops/order.hpp"
#include "gpu/ops/series.hpp"
#include "opmux/ops/sort.gen.h"

namespace opmux::gpu {
namespace {

enum Output : uint32_t { kY, kFirst, kInverse, kCounts, kCount };

// Lists of n words in the workspace behind the items.
struct Lists {
  Lists(int64_t n, uint64_t at) : bytes(static_cast<uint64_t>(n) * 4) {
    const uint64_t room = (bytes + 255) / 256 * 256;
    sums = at;
    starts = sums + room;
    firsts = starts + room;
    from = firsts + room;
    carry = from + room;
  }
  uint64_t bytes, sums, starts, firsts, from, carry;
};

struct Unique {
  const opmux_devinfo& info;
  const opmux_opd& d;
  int64_t n, each;  // slices, elements of a slice
  Order order;
  Lists lists;
  bool sorted;

  void words(StepMaker& m, const char* name, uint64_t at) const {
    m.workspace(name, at, lists.bytes, OPMUX_U32);
  }
  uint64_t workspace() const { return lists.carry + running_counts(0, n, 0).workspace(); }

  Step heads() const {
    StepMaker m("unique_heads");
    order.items(m, "items");
    order.keys(m, "keys");
    words(m, "flags", lists.sums);
    m.set("words", static_cast<uint64_t>(order.words()));
    m.set("n", static_cast<uint64_t>(n));
    m.elements(info, static_cast<uint64_t>(n));
    return m.take();
  }
  Step starts() const {
    StepMaker m("unique_starts");
    order.items(m, "items");
    words(m, "sums", lists.sums);
    words(m, "starts", lists.starts);
    words(m, "firsts", lists.firsts);
    m.set("n", static_cast<uint64_t>(n));
    m.elements(info, static_cast<uint64_t>(n));
    return m.take();
  }
  Step results() const {
    StepMaker m("unique_lists");
    m.unused("items", kRaw64);
    for (const char* name : {"sums", "starts", "firsts", "from"}) m.unused(name, OPMUX_U32);
    if (n > 0) {
      order.items(m, "items");
      words(m, "sums", lists.sums);
      words(m, "starts", lists.starts);
      words(m, "firsts", lists.firsts);
      words(m, "from", lists.from);
    }
    const auto list = [&](uint32_t o, const std::string& name, const char* step) {
      m.unused(name, kRaw64);
      m.set("has_" + name, has_out(d, o));
      if (!has_out(d, o)) return;
      m.bind(name, d, d.n_in + o, kRaw64);
      m.set(step, static_cast<uint64_t>(d.out[o].stride[0]));
    };
    list(kFirst, "first", "fstep");
    list(kInverse, "inverse", "istep");
    list(kCounts, "counts", "cstep");
    m.bind("count", d, d.n_in + kCount, kRaw64);
    m.set("n", static_cast<uint64_t>(n));
    m.set("sorted", sorted);
    m.elements(info, static_cast<uint64_t>(std::max<int64_t>(n, 1)));
    return m.take();
  }
  Step slices(uint32_t axis) const {
    const opmux_tdesc &x = d.in[0], &y = d.out[kY];
    StepMaker m("unique_slices");
    m.bind("x", d, 0, raw_type(x.dtype));
    m.bind("y", d, d.n_in, raw_type(x.dtype));
    words(m, "from", lists.from);
    std::vector<int64_t> dims{n};
    std::array<int64_t, 8> xs{}, ys{y.stride[axis]};
    for (uint32_t i = 0; i < x.rank; ++i) {
      if (i == axis) continue;
      xs[dims.size()] = x.stride[i];
      ys[dims.size()] = y.stride[i];
      dims.push_back(x.dim[i]);
    }
    kit::Walk w{std::span<const int64_t>(dims)};
    w.add_strides(xs).add_strides(ys).collapse();
    m.walk(w, "rank", "dims", {{"xs"}, {"ys"}});
    m.set("n", static_cast<uint64_t>(n));
    m.set("each", static_cast<uint64_t>(each));
    m.set("step", static_cast<uint64_t>(x.stride[axis]));
    m.elements(info, static_cast<uint64_t>(elements(x)));
    return m.take();
  }
};

}  // namespace

bool plan_unique(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const auto& a = reinterpret_cast<const opmux_op_unique&>(d);
  const opmux_tdesc& x = d.in[0];
  if (!check_moved(info, d, cap, {}) || !check_apart(d, cap)) return false;
  int64_t each = 1;
  for (uint32_t i = 0; i < x.rank; ++i) each *= i == a.axis ? 1 : x.dim[i];
  const int64_t n = x.dim[a.axis];
  const Order items(1, n, each * key_words(x.dtype), 0);
  Unique u{info, d, n, each, items, Lists(n, items.end()), a.sorted != 0};
  if (!check_workspace(info, u.order.largest(), cap)) return false;
  const uint64_t workspace = n == 0 ? 0 : u.workspace();
  say_yes(info, d, cap, workspace);
  if (!plan) return true;
  plan->workspace = workspace;
  if (n > 0) {
    u.order.keys_of(info, d, a.axis, true, false, *plan);
    u.order.sort(info, n, false, *plan);
    plan->steps.push_back(u.heads());
    scan_steps(info, running_counts(u.lists.sums, n, u.lists.carry), *plan);
    plan->steps.push_back(u.starts());
    if (!u.sorted) scan_steps(info, running_counts(u.lists.firsts, n, u.lists.carry), *plan);
  }
  plan->steps.push_back(u.results());
  if (n > 0 && each > 0) plan->steps.push_back(u.slices(a.axis));
  return true;
}

}  // namespace opmux::gpu
