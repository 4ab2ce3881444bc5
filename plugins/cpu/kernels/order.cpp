// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/order.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>
#include <utility>

namespace opmux::cpu {
namespace {

template <class T>
auto key_of(T v) {
  if constexpr (std::is_floating_point_v<T>) {
    using U = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
    constexpr U kSign = U{1} << (8 * sizeof(T) - 1);
    const U u = std::bit_cast<U>(v + T{0});  // -0 + 0 is 0
    const U key = u & kSign ? static_cast<U>(~u) : u | kSign;
    return v != v ? ~U{0} : key;
  } else {
    using U = std::make_unsigned_t<T>;
    constexpr U kSign = std::is_signed_v<T> ? static_cast<U>(U{1} << (8 * sizeof(T) - 1)) : U{0};
    return static_cast<U>(static_cast<U>(v) ^ kSign);
  }
}

template <class Key, class T>
void keys(Key* out, const void* lanes, size_t n, bool descending) {
  using U = decltype(key_of(T{}));
  const T* x = static_cast<const T*>(lanes);
  const U flip = descending ? static_cast<U>(~U{0}) : U{0};
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<U>(key_of(x[i]) ^ flip);
}

constexpr size_t kFewItems = 192;  // below, comparing is quicker than counting digits

}  // namespace

template <class Key>
KeyFn<Key> find_keys(Lane lane) {
  if constexpr (sizeof(Key) == 8) {
    if (lane == Lane::kF64) return keys<Key, double>;
    if (lane == Lane::kI64) return keys<Key, int64_t>;
    if (lane == Lane::kU64) return keys<Key, uint64_t>;
  }
  switch (lane) {
    case Lane::kF32:
      return keys<Key, float>;
    case Lane::kI32:
      return keys<Key, int32_t>;
    case Lane::kI16:
      return keys<Key, int16_t>;
    case Lane::kI8:
      return keys<Key, int8_t>;
    case Lane::kU32:
      return keys<Key, uint32_t>;
    case Lane::kU16:
      return keys<Key, uint16_t>;
    default:  // bool is 0 or 1
      return keys<Key, uint8_t>;
  }
}

// Least significant digit first, a byte at a time; digits that all keys share cost no pass.
template <class Item>
void sort_items(Item* items, Item* scratch, size_t n) {
  if (n < kFewItems) return std::sort(items, items + n);
  constexpr int kDigits = Item::kKeyBytes;
  size_t count[kDigits][256] = {};
  for (size_t i = 0; i < n; ++i)
    for (int d = 0; d < kDigits; ++d) ++count[d][items[i].key() >> (8 * d) & 255];
  Item *from = items, *to = scratch;
  for (int d = 0; d < kDigits; ++d) {
    const auto digit = [d](const Item& item) { return static_cast<size_t>(item.key() >> (8 * d) & 255); };
    if (count[d][digit(from[0])] == n) continue;
    size_t place[256], sum = 0;
    for (size_t v = 0; v < 256; ++v) place[v] = std::exchange(sum, sum + count[d][v]);
    for (size_t i = 0; i < n; ++i) to[place[digit(from[i])]++] = from[i];
    std::swap(from, to);
  }
  if (from != items) std::memcpy(static_cast<void*>(items), from, n * sizeof(Item));
}

// Odeh, Green, Mwassi, Shmueli, Birk: Merge Path, 2012: how many of the first `diagonal` items come from a.
template <class Item>
static size_t from_a(const Item* a, size_t na, const Item* b, size_t nb, size_t diagonal) {
  size_t low = diagonal > nb ? diagonal - nb : 0, high = std::min(diagonal, na);
  while (low < high) {
    const size_t mid = low + (high - low) / 2;
    if (a[mid] < b[diagonal - 1 - mid])
      low = mid + 1;
    else
      high = mid;
  }
  return low;
}

template <class Item>
void merge_items(Item* out, const Item* a, size_t na, const Item* b, size_t nb, size_t begin, size_t end) {
  size_t i = from_a(a, na, b, nb, begin), j = begin - i;
  for (size_t k = begin; k < end; ++k) {
    const bool take_a = j == nb || (i < na && a[i] < b[j]);
    out[k] = take_a ? a[i++] : b[j++];
  }
}

template <class Item>
void Selection<Item>::shrink() {
  std::nth_element(items_, items_ + k_ - 1, items_ + n_);
  n_ = k_;
  top_ = items_[k_ - 1];
  full_ = true;
}

template <class Item>
void Selection<Item>::take(const typename Item::Key* keys, size_t n, uint64_t first) {
  if (k_ == 0) return;
  if (full_) {
    // Most blocks of a long row have nothing for the selection; equal keys come later and are greater.
    typename Item::Key least = keys[0];
    for (size_t i = 1; i < n; ++i) least = std::min(least, keys[i]);
    if (least >= top_.key()) return;
  }
  for (size_t i = 0; i < n; ++i) {
    if (full_ && keys[i] >= top_.key()) continue;
    items_[n_++] = Item::of(keys[i], first + i);
  }
  if (n_ + kBlock > room(k_)) shrink();
}

template <class Item>
size_t Selection<Item>::finish() {
  if (n_ > k_) shrink();
  return n_;
}

template KeyFn<uint32_t> find_keys<uint32_t>(Lane);
template KeyFn<uint64_t> find_keys<uint64_t>(Lane);
template void sort_items(NarrowItem*, NarrowItem*, size_t);
template void sort_items(WideItem*, WideItem*, size_t);
template void merge_items(NarrowItem*, const NarrowItem*, size_t, const NarrowItem*, size_t, size_t, size_t);
template void merge_items(WideItem*, const WideItem*, size_t, const WideItem*, size_t, size_t, size_t);
template class Selection<NarrowItem>;
template class Selection<WideItem>;

}  // namespace opmux::cpu
