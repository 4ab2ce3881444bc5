// SPDX-License-Identifier: Apache-2.0
// Elements as numbers with the same order, with their positions; sorting, merging and selecting them.
//
// An item is greater than another if its key is, or its key is equal and its position greater. No two items
// of a row are equal, so that every way to sort them is stable.
#ifndef OPMUX_CPU_KERNELS_ORDER_HPP
#define OPMUX_CPU_KERNELS_ORDER_HPP

#include <compare>
#include <cstddef>
#include <cstdint>

#include "cpu/tiles.hpp"

namespace opmux::cpu {

// Keys of at most 32 bits, in rows of at most 2^32 elements.
struct NarrowItem {
  using Key = uint32_t;
  static constexpr int kKeyBytes = 4;
  uint64_t bits;  // key << 32 | position
  static NarrowItem of(Key key, uint64_t position) { return {uint64_t{key} << 32 | position}; }
  Key key() const { return static_cast<Key>(bits >> 32); }
  uint64_t position() const { return bits & 0xffffffffu; }
  friend auto operator<=>(const NarrowItem&, const NarrowItem&) = default;
};
struct WideItem {
  using Key = uint64_t;
  static constexpr int kKeyBytes = 8;
  uint64_t k, at;
  static WideItem of(Key key, uint64_t position) { return {key, position}; }
  Key key() const { return k; }
  uint64_t position() const { return at; }
  friend auto operator<=>(const WideItem&, const WideItem&) = default;
};

inline bool needs_wide_items(Lane lane, int64_t row) {
  return lane == Lane::kF64 || lane == Lane::kI64 || lane == Lane::kU64 || row > int64_t{UINT32_MAX};
}

// Keys of n lanes: NaN above all, -0 as 0; descending ones are their complement.
template <class Key>
using KeyFn = void (*)(Key* keys, const void* lanes, size_t n, bool descending);
template <class Key>
KeyFn<Key> find_keys(Lane lane);

// Sorts items whose positions rise; scratch has room for n more.
template <class Item>
void sort_items(Item* items, Item* scratch, size_t n);

// out = the items [begin, end) of what a and b, both sorted, are merged.
template <class Item>
void merge_items(Item* out, const Item* a, size_t na, const Item* b, size_t nb, size_t begin, size_t end);

// The k least of the items that come in one block after another.
template <class Item>
class Selection {
 public:
  static constexpr size_t kBlock = 512;
  // Items of room that a selection works in.
  static size_t room(size_t k) { return k + (k > kBlock ? k : kBlock) + kBlock; }
  Selection(Item* room, size_t k) : items_(room), k_(k) {}
  // n <= kBlock keys of the positions from `first` on.
  void take(const typename Item::Key* keys, size_t n, uint64_t first);
  // The selected items, at the front of the room in any order; how many there are.
  size_t finish();

 private:
  void shrink();
  Item* items_;
  size_t k_, n_ = 0;
  Item top_{};  // the greatest that is kept, once k are
  bool full_ = false;
};

}  // namespace opmux::cpu
#endif
