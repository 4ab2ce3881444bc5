// SPDX-License-Identifier: Apache-2.0
// unique: positions sorted by the keys of their slices; equal neighbours are one group.
#include <algorithm>
#include <cstring>

#include "cpu/answer.hpp"
#include "cpu/kernels/memory.hpp"
#include "cpu/kernels/order.hpp"
#include "cpu/loops.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/state.hpp"
#include "opmux/ops/sort.gen.h"

namespace opmux::cpu {
namespace {

constexpr int64_t kBlock = 512;

// Places in the workspace, one after another.
struct Room {
  char* at;
  template <class T>
  T* take(int64_t n) {
    T* p = reinterpret_cast<T*>(at);
    at += n * static_cast<int64_t>(sizeof(T));
    return p;
  }
};

struct State {
  explicit State(const opmux_opd& d);
  // Unsigned: views that repeat may have more elements than any memory, and are asked about all the same.
  uint64_t workspace() const {
    const auto count = static_cast<uint64_t>(n), room = static_cast<uint64_t>(keys_room());
    const uint64_t item = wide ? sizeof(WideItem) : sizeof(NarrowItem),
                   keys = m == 1 ? 0 : room * (wide ? 8 : 4);
    return 2 * count * item + keys + 3 * count * 8;
  }
  int64_t keys_room() const { return (n * m + 1) / 2 * 2; }  // whole words
  template <class Key>
  void make_keys(const opmux_host_api* host, const char* x, Key* keys) const;
  template <class Item>
  void run(const kit_call* call) const;
  template <class Item, class Same>
  int64_t group(const Item* order, const Same& same, uint64_t* first, uint64_t* counts, char* inverse) const;
  void by_first(int64_t groups, uint64_t* first, uint64_t* counts, char* inverse, uint64_t* number,
                uint64_t* order) const;
  void put(const kit_call* call, int64_t groups, const uint64_t* first, const uint64_t* counts) const;
  void put_slices(const kit_call* call, int64_t groups, const uint64_t* first) const;

  bool sorted, wide;
  Lane lane;
  LoadFn load;
  Loops slice;  // 0: x, in the order of comparison; 1: y
  uint32_t outer = 0;
  int64_t n, m, bytes, x_step, y_step, inner = 1;
  int64_t list_step[5] = {};  // of the outputs of rank 1
};

State::State(const opmux_opd& d) {
  const auto& a = reinterpret_cast<const opmux_op_unique&>(d);
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  opmux_tdesc one = x;
  one.dim[a.axis] = 1;
  sorted = a.sorted != 0;
  lane = lane_of(x.dtype);
  load = find_load(x.dtype);
  n = x.dim[a.axis];
  wide = needs_wide_items(lane, n);
  x_step = x.stride[a.axis];
  y_step = y.stride[a.axis];
  bytes = element_bytes(x.dtype);
  slice = Loops(one);
  slice.add(one);
  slice.add_strides(y.stride);
  m = slice.elements();
  outer = x.rank - 1;
  inner = slice.dim[outer];
  for (uint32_t o = 1; o < 4; ++o) list_step[o] = d.out[o].stride[0];
}

// Row i of the keys is slice i in the order of comparison.
template <class Key>
void State::make_keys(const opmux_host_api* host, const char* x, Key* keys) const {
  const KeyFn<Key> find = find_keys<Key>(lane);
  if (m == 1) {
    alignas(64) std::byte lanes[kBlock * 8];
    for (int64_t i = 0; i < n; i += kBlock) {
      const auto some = static_cast<size_t>(std::min(kBlock, n - i));
      load(lanes, x + i * x_step * bytes, x_step, some);
      find(keys + i, lanes, some, false);
    }
    return;
  }
  const auto rows = static_cast<uint64_t>(n);
  parallel_for(host, rows, grain_for(rows, 20 + 2 * static_cast<double>(m)), [&](uint64_t b, uint64_t e) {
    alignas(64) std::byte lanes[kBlock * 8];
    for (uint64_t i = b; i < e; ++i)
      for (int64_t k = 0; k < m;) {
        const int64_t c = k % inner, some = std::min(inner - c, kBlock);
        const int64_t at = static_cast<int64_t>(i) * x_step +
                           slice.offset(0, outer, static_cast<uint64_t>(k / inner)) +
                           c * slice.stride[0][outer];
        load(lanes, x + at * bytes, slice.stride[0][outer], static_cast<size_t>(some));
        find(keys + static_cast<int64_t>(i) * m + k, lanes, static_cast<size_t>(some), false);
        k += some;
      }
  });
}

// Numbers the groups of equal neighbours; inverse may be NULL.
template <class Item, class Same>
int64_t State::group(const Item* order, const Same& same, uint64_t* first, uint64_t* counts,
                     char* inverse) const {
  int64_t g = -1;
  for (int64_t i = 0; i < n; ++i) {
    if (i == 0 || !same(order[i - 1], order[i])) {
      first[++g] = order[i].position();
      counts[g] = 0;
    }
    ++counts[g];
    if (inverse)
      std::memcpy(inverse + static_cast<int64_t>(order[i].position()) * list_step[2] * 8, &g, sizeof g);
  }
  return g + 1;
}

// The groups in the order of their first members. number and order: room for n each, and order for n more.
void State::by_first(int64_t groups, uint64_t* first, uint64_t* counts, char* inverse, uint64_t* number,
                     uint64_t* order) const {
  uint64_t* held = order + n;
  for (int64_t g = 0; g < groups; ++g) order[g] = static_cast<uint64_t>(g);
  std::sort(order, order + groups, [&](uint64_t a, uint64_t b) { return first[a] < first[b]; });
  for (int64_t g = 0; g < groups; ++g) number[order[g]] = static_cast<uint64_t>(g);
  for (uint64_t* list : {first, counts}) {
    for (int64_t g = 0; g < groups; ++g) held[g] = list[order[g]];
    std::copy_n(held, groups, list);
  }
  for (int64_t i = 0; i < n && inverse; ++i) {
    uint64_t g;
    char* at = inverse + i * list_step[2] * 8;
    std::memcpy(&g, at, sizeof g);
    std::memcpy(at, &number[g], sizeof g);
  }
}

void State::put_slices(const kit_call* call, int64_t groups, const uint64_t* first) const {
  const auto* x = static_cast<const char*>(call->arg[0]);
  auto* y = static_cast<char*>(call->arg[1]);
  const MoveFn move = find_move(bytes);
  const FillFn fill = find_fill(bytes);
  const uint64_t zero = 0;
  const int64_t rows = m / inner, xs = slice.stride[0][outer], ys = slice.stride[1][outer];
  const auto all = static_cast<uint64_t>(n);
  parallel_for(call->host, all, grain_for(all, 10 + static_cast<double>(m)), [&](uint64_t b, uint64_t e) {
    for (auto g = static_cast<int64_t>(b); g < static_cast<int64_t>(e); ++g)
      for (int64_t r = 0; r < rows; ++r) {
        char* to = y + (g * y_step + slice.offset(1, outer, static_cast<uint64_t>(r))) * bytes;
        if (g >= groups) {
          fill(to, ys, &zero, inner);
          continue;
        }
        const int64_t from =
            static_cast<int64_t>(first[g]) * x_step + slice.offset(0, outer, static_cast<uint64_t>(r));
        move(to, ys, x + from * bytes, xs, inner);
      }
  });
}

void State::put(const kit_call* call, int64_t groups, const uint64_t* first, const uint64_t* counts) const {
  const MoveFn move = find_move(8);
  const FillFn fill = find_fill(8);
  const uint64_t zero = 0;
  for (uint32_t o : {1u, 3u}) {
    auto* to = static_cast<char*>(call->arg[1 + o]);
    if (!to || n == 0) continue;
    move(to, list_step[o], o == 1 ? first : counts, 1, groups);
    fill(to + groups * list_step[o] * 8, list_step[o], &zero, n - groups);
  }
  if (m != 0 && n != 0) put_slices(call, groups, first);
  std::memcpy(call->arg[5], &groups, sizeof groups);
}

template <class Item>
void State::run(const kit_call* call) const {
  using Key = typename Item::Key;
  const auto* x = static_cast<const char*>(call->arg[0]);
  Room room{static_cast<char*>(call->ws)};
  Item *items = room.take<Item>(n), *spare = room.take<Item>(n);
  auto *first = room.take<uint64_t>(n), *counts = room.take<uint64_t>(n);
  auto* inverse = static_cast<char*>(call->arg[3]);
  // The keys of single elements are in their items; of slices the items have the position alone.
  Key* keys = m == 1 ? reinterpret_cast<Key*>(spare) : room.take<Key>(keys_room());
  make_keys(call->host, x, keys);
  int64_t groups;
  if (m == 1) {
    for (int64_t i = 0; i < n; ++i) items[i] = Item::of(keys[i], static_cast<uint64_t>(i));
    sort_items(items, spare, static_cast<size_t>(n));
    groups =
        group(items, [](const Item& a, const Item& b) { return a.key() == b.key(); }, first, counts, inverse);
  } else {
    const auto row = [&](const Item& a) { return keys + static_cast<int64_t>(a.position()) * m; };
    for (int64_t i = 0; i < n; ++i) items[i] = Item::of(0, static_cast<uint64_t>(i));
    std::sort(items, items + n, [&](const Item& a, const Item& b) {
      const auto [p, q] = std::mismatch(row(a), row(a) + m, row(b));
      return p != row(a) + m ? *p < *q : a < b;
    });
    groups = group(
        items, [&](const Item& a, const Item& b) { return std::equal(row(a), row(a) + m, row(b)); }, first,
        counts, inverse);
  }
  if (!sorted)
    by_first(groups, first, counts, inverse, room.take<uint64_t>(n), reinterpret_cast<uint64_t*>(items));
  put(call, groups, first, counts);
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap) || !apart(*d, cap)) return;
  yes(cap, info, schema_cost(*d, 1, State(*d).workspace()));
}

opmux_status run(const kit_call* call, opmux_err*) {
  const State& s = *static_cast<const State*>(call->state);
  s.wide ? s.run<WideItem>(call) : s.run<NarrowItem>(call);
  return OPMUX_OK;
}

}  // namespace

const kit_op kUnique = state_op<State, opmux_op_unique>(OPMUX_OP_UNIQUE, "items", query, run);

}  // namespace opmux::cpu
