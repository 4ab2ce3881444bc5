// SPDX-License-Identifier: Apache-2.0
#include "cpu/ordered_rows.hpp"

#include <algorithm>
#include <cstring>

#include "cpu/answer.hpp"
#include "cpu/gemm_plan.hpp"
#include "cpu/parallel.hpp"

namespace opmux::cpu {
namespace {

constexpr int64_t kLongRow = 64 * 1024;  // worth dividing
constexpr int64_t kSortParts = 8, kSelectParts = 16;
constexpr int64_t kPutChunk = 16 * 1024;
constexpr int64_t kBlock = Selection<NarrowItem>::kBlock;

// y[i * y_step] = the element of x at item i.
template <class T, class Item>
void pick(void* y, int64_t y_step, const void* x, int64_t x_step, const Item* items, int64_t n) {
  T* to = static_cast<T*>(y);
  const T* from = static_cast<const T*>(x);
  for (int64_t i = 0; i < n; ++i) to[i * y_step] = from[static_cast<int64_t>(items[i].position()) * x_step];
}

}  // namespace

OrderedRows::OrderedRows(const opmux_opd& d, const Form& form)
    : descending_(form.descending), sorted_(form.sorted), k_(form.k) {
  const opmux_tdesc& x = d.in[0];
  opmux_tdesc outer = x;
  outer.dim[form.axis] = 1;
  n_ = x.dim[form.axis];
  x_step_ = x.stride[form.axis];
  lane_ = lane_of(x.dtype);
  load_ = find_load(x.dtype);
  in_place_ = lanes_are_memory(x.dtype);
  bytes_ = element_bytes(x.dtype);
  wide_ = needs_wide_items(lane_, n_);
  const int64_t none[OPMUX_MAX_RANK] = {};
  rows_ = Loops(outer);
  rows_.add_strides(x.stride);
  for (uint32_t o = 0; o < 2; ++o) rows_.add_strides(has_out(d, o) ? d.out[o].stride : none);
  rows_.simplify(0);
  if (has_out(d, 0)) y_step_ = d.out[0].stride[form.axis];
  if (has_out(d, 1)) index_step_ = d.out[1].stride[form.axis];
  n_rows_ = static_cast<uint64_t>(k_ == 0 ? 0 : rows_.elements());
  const bool whole = k_ * 4 >= n_, few = n_rows_ < 4 && n_ >= kLongRow;
  path_ = whole ? (few ? Path::kLongSort : Path::kSort) : (few ? Path::kLongSelect : Path::kSelect);
  if (path_ == Path::kLongSort) n_parts_ = kSortParts;
  if (path_ == Path::kLongSelect) n_parts_ = kSelectParts;
  grain_ = grain_for(n_rows_, static_cast<double>(n_) * (whole ? 20 : 1.5) + 50);
}

uint64_t OrderedRows::workspace() const {
  const uint64_t size = wide_ ? sizeof(WideItem) : sizeof(NarrowItem), n = static_cast<uint64_t>(n_);
  if (n_rows_ == 0) return 0;
  const auto room = static_cast<uint64_t>(Selection<NarrowItem>::room(static_cast<size_t>(k_)));
  const auto slots = std::min(static_cast<uint64_t>(scratch_slots()), n_rows_);
  switch (path_) {
    case Path::kSort:
      return slots * 2 * n * size;
    case Path::kSelect:
      return slots * room * size;
    case Path::kLongSort:
      return 2 * n * size;
    default:
      return static_cast<uint64_t>(n_parts_) * room * size;
  }
}

template <class Key, class F>
void OrderedRows::each_block(const Row& row, int64_t begin, int64_t end, F&& f) const {
  const KeyFn<Key> find = find_keys<Key>(lane_);
  alignas(64) std::byte lanes[kBlock * 8];
  Key keys[kBlock];
  for (int64_t i = begin; i < end; i += kBlock) {
    const auto m = static_cast<size_t>(std::min(kBlock, end - i));
    const void* from = row.x + i * x_step_ * bytes_;
    if (!in_place_ || x_step_ != 1) {
      load_(lanes, from, x_step_, m);
      from = lanes;
    }
    find(keys, from, m, descending_);
    f(static_cast<const Key*>(keys), i, m);
  }
}

template <class Item>
void OrderedRows::load_items(const Row& row, int64_t begin, int64_t end, Item* items) const {
  using Key = typename Item::Key;
  each_block<Key>(row, begin, end, [&](const Key* keys, int64_t first, size_t m) {
    Item* to = items + (first - begin);
    for (size_t i = 0; i < m; ++i) to[i] = Item::of(keys[i], static_cast<uint64_t>(first) + i);
  });
}

template <class Item>
size_t OrderedRows::select(const Row& row, int64_t begin, int64_t end, Item* room) const {
  using Key = typename Item::Key;
  Selection<Item> selection(room, static_cast<size_t>(k_));
  each_block<Key>(row, begin, end, [&](const Key* keys, int64_t first, size_t m) {
    selection.take(keys, m, static_cast<uint64_t>(first));
  });
  return selection.finish();
}

// The first k items into the order of the result.
template <class Item>
void OrderedRows::arrange(Item* items) const {
  if (sorted_) return std::sort(items, items + k_);
  std::sort(items, items + k_, [](const Item& a, const Item& b) { return a.position() < b.position(); });
}

template <class Item>
void OrderedRows::put(const Row& row, const Item* items, int64_t begin, int64_t end) const {
  for (int64_t i = begin; i < end && row.index; ++i) {
    const uint64_t at = items[i].position();
    std::memcpy(row.index + i * index_step_ * 8, &at, sizeof at);
  }
  if (!row.y) return;
  void* y = row.y + begin * y_step_ * bytes_;
  switch (bytes_) {
    case 8:
      return pick<uint64_t>(y, y_step_, row.x, x_step_, items + begin, end - begin);
    case 4:
      return pick<uint32_t>(y, y_step_, row.x, x_step_, items + begin, end - begin);
    case 2:
      return pick<uint16_t>(y, y_step_, row.x, x_step_, items + begin, end - begin);
    default:
      return pick<uint8_t>(y, y_step_, row.x, x_step_, items + begin, end - begin);
  }
}

template <class Item>
void OrderedRows::one(const Row& row, Item* room) const {
  if (path_ == Path::kSelect) {
    select(row, 0, n_, room);
    arrange(room);
  } else {
    load_items(row, 0, n_, room);
    sort_items(room, room + n_, static_cast<size_t>(n_));
    if (!sorted_) arrange(room);
  }
  put(row, room, 0, k_);
}

// Parts are sorted, then merged two by two; each merge is again done in as many parts as there are.
template <class Item>
void OrderedRows::long_sort(const kit_call* call, const Row& row, Item* items) const {
  Item *from = items, *to = items + n_;
  const auto parts = static_cast<uint64_t>(n_parts_);
  parallel_for(call->host, parts, 1, [&](uint64_t begin, uint64_t end) {
    for (uint64_t p = begin; p < end; ++p) {
      const int64_t b = part_begin(static_cast<int64_t>(p)), e = part_begin(static_cast<int64_t>(p) + 1);
      load_items(row, b, e, from + b);
      sort_items(from + b, to + b, static_cast<size_t>(e - b));
    }
  });
  for (int64_t width = 1; width < n_parts_; width *= 2) {
    parallel_for(call->host, parts, 1, [&](uint64_t begin, uint64_t end) {
      for (uint64_t q = begin; q < end; ++q) {
        const int64_t p = static_cast<int64_t>(q), pair = p / (2 * width) * 2 * width;
        const int64_t a = part_begin(pair), b = part_begin(pair + width), e = part_begin(pair + 2 * width);
        merge_items(to + a, from + a, static_cast<size_t>(b - a), from + b, static_cast<size_t>(e - b),
                    static_cast<size_t>(part_begin(p) - a), static_cast<size_t>(part_begin(p + 1) - a));
      }
    });
    std::swap(from, to);
  }
  if (!sorted_) arrange(from);
  parallel_for(call->host, static_cast<uint64_t>(k_), kPutChunk, [&](uint64_t begin, uint64_t end) {
    put(row, from, static_cast<int64_t>(begin), static_cast<int64_t>(end));
  });
}

template <class Item>
void OrderedRows::long_select(const kit_call* call, const Row& row, Item* room) const {
  const size_t step = Selection<Item>::room(static_cast<size_t>(k_));
  size_t count[kSelectParts] = {};
  parallel_for(call->host, static_cast<uint64_t>(n_parts_), 1, [&](uint64_t begin, uint64_t end) {
    for (uint64_t p = begin; p < end; ++p)
      count[p] = select(row, part_begin(static_cast<int64_t>(p)), part_begin(static_cast<int64_t>(p) + 1),
                        room + p * step);
  });
  size_t n = count[0];
  for (size_t p = 1; p < static_cast<size_t>(n_parts_); ++p) {
    std::copy_n(room + p * step, count[p], room + n);
    n += count[p];
  }
  std::nth_element(room, room + k_ - 1, room + n);
  arrange(room);
  put(row, room, 0, k_);
}

OrderedRows::Row OrderedRows::row_of(const kit_call* call, uint64_t r) const {
  const bool has_index = call->d->n_out > 1 && call->arg[2];
  return {static_cast<const char*>(call->arg[0]) + rows_.offset(0, rows_.rank, r) * bytes_,
          call->arg[1] ? static_cast<char*>(call->arg[1]) + rows_.offset(1, rows_.rank, r) * bytes_ : nullptr,
          has_index ? static_cast<char*>(call->arg[2]) + rows_.offset(2, rows_.rank, r) * 8 : nullptr};
}

template <class Item>
void OrderedRows::rows(const kit_call* call) const {
  auto* room = static_cast<Item*>(call->ws);
  if (path_ == Path::kLongSort || path_ == Path::kLongSelect) {
    for (uint64_t r = 0; r < n_rows_; ++r)
      path_ == Path::kLongSort ? long_sort(call, row_of(call, r), room)
                               : long_select(call, row_of(call, r), room);
    return;
  }
  const uint64_t slots = std::min(static_cast<uint64_t>(scratch_slots()), n_rows_);
  const uint64_t step = workspace() / sizeof(Item) / slots;
  parallel_slots(call->host, n_rows_, grain_, slots, [&](uint64_t begin, uint64_t end, uint64_t slot) {
    for (uint64_t r = begin; r < end; ++r) one(row_of(call, r), room + slot * step);
  });
}

void OrderedRows::run(const kit_call* call) const {
  if (n_rows_ == 0) return;
  wide_ ? rows<WideItem>(call) : rows<NarrowItem>(call);
}

}  // namespace opmux::cpu
