// SPDX-License-Identifier: Apache-2.0
#include "host/memory/span_map.hpp"

#include <algorithm>
#include <bit>

namespace opmux {
namespace {

uint64_t round_up(uint64_t x, uint64_t to) { return (x + to - 1) / to * to; }

}  // namespace

SpanMap::SpanMap(uint64_t size_bytes) : size_bytes_(size_bytes) {
  for (auto& row : heads_) row.fill(kNone);
  spans_.push_back({0, size_bytes, kNone, kNone, kNone, kNone, false});
  link(0);
}

// Sizes below kSecond granules have a class each; above, a power of two is cut into kSecond equal classes.
SpanMap::Class SpanMap::class_of(uint64_t granules) {
  if (granules < kSecond) return {0, static_cast<uint32_t>(granules)};
  const auto high = static_cast<uint32_t>(std::bit_width(granules)) - 1;
  return {high - kSecondBits + 1, static_cast<uint32_t>(granules >> (high - kSecondBits)) & (kSecond - 1)};
}

// First free span of a class in which every span is large enough.
uint32_t SpanMap::find_free(uint64_t granules) const {
  if (granules >= kSecond) granules += (uint64_t{1} << (std::bit_width(granules) - 1 - kSecondBits)) - 1;
  const Class c = class_of(granules);
  if (c.first >= kFirst) return kNone;
  if (const uint32_t row = second_map_[c.first] & (~0u << c.second))
    return heads_[c.first][std::countr_zero(row)];
  if (c.first + 1 >= kFirst) return kNone;
  const uint64_t rows = first_map_ & (~uint64_t{0} << (c.first + 1));
  if (rows == 0) return kNone;
  const auto first = static_cast<uint32_t>(std::countr_zero(rows));
  return heads_[first][std::countr_zero(second_map_[first])];
}

// The class of the size itself may hold a span that fits too; walked only when the sure way found nothing, so
// that a request as large as the largest free span is served.
uint32_t SpanMap::search_class_of(uint64_t size, uint64_t align) const {
  const Class c = class_of(size / kGranule);
  if (c.first >= kFirst) return kNone;
  for (uint32_t at = heads_[c.first][c.second]; at != kNone; at = spans_[at].next) {
    const Span& s = spans_[at];
    const uint64_t begin = round_up(s.offset, align);
    if (begin + size <= s.offset + s.size) return at;
  }
  return kNone;
}

uint32_t SpanMap::allocate(uint64_t size_bytes, uint64_t align) {
  if (size_bytes > size_bytes_) return kNone;
  const uint64_t size = std::max(round_up(size_bytes, kGranule), kGranule);
  align = std::max(align, kGranule);
  const uint64_t slack = align - kGranule;
  if (slack > size_bytes_) return kNone;
  uint32_t span = find_free((size + slack) / kGranule);
  if (span == kNone) span = search_class_of(size, align);
  if (span == kNone && slack != 0) {
    span = find_free(size / kGranule);
    if (span != kNone &&
        round_up(spans_[span].offset, align) + size > spans_[span].offset + spans_[span].size)
      span = kNone;
  }
  if (span == kNone) return kNone;
  unlink(span);
  const uint64_t begin = round_up(spans_[span].offset, align);
  if (begin != spans_[span].offset) {
    const uint32_t rest = split(span, begin - spans_[span].offset);
    link(span);
    span = rest;
  }
  if (spans_[span].size > size) link(split(span, size));
  in_use_bytes_ += size;
  return span;
}

void SpanMap::release(uint32_t span) {
  in_use_bytes_ -= spans_[span].size;
  const uint32_t after = spans_[span].after, before = spans_[span].before;
  if (after != kNone && spans_[after].free) {
    unlink(after);
    absorb_next(span);
  }
  if (before != kNone && spans_[before].free) {
    unlink(before);
    absorb_next(before);
    span = before;
  }
  link(span);
}

void SpanMap::link(uint32_t span) {
  const Class c = class_of(spans_[span].size / kGranule);
  uint32_t& head = heads_[c.first][c.second];
  spans_[span].prev = kNone;
  spans_[span].next = head;
  spans_[span].free = true;
  if (head != kNone) spans_[head].prev = span;
  head = span;
  first_map_ |= uint64_t{1} << c.first;
  second_map_[c.first] |= 1u << c.second;
}

void SpanMap::unlink(uint32_t span) {
  Span& s = spans_[span];
  const Class c = class_of(s.size / kGranule);
  if (s.prev != kNone) spans_[s.prev].next = s.next;
  if (s.next != kNone) spans_[s.next].prev = s.prev;
  if (heads_[c.first][c.second] == span) heads_[c.first][c.second] = s.next;
  if (heads_[c.first][c.second] == kNone) second_map_[c.first] &= ~(1u << c.second);
  if (second_map_[c.first] == 0) first_map_ &= ~(uint64_t{1} << c.first);
  s.free = false;
}

uint32_t SpanMap::new_record() {
  if (unused_ == kNone) {
    spans_.emplace_back();
    return static_cast<uint32_t>(spans_.size() - 1);
  }
  const uint32_t record = unused_;
  unused_ = spans_[record].next;
  spans_[record] = Span{};
  return record;
}

void SpanMap::drop_record(uint32_t span) {
  spans_[span] = Span{};
  spans_[span].next = unused_;
  unused_ = span;
}

uint32_t SpanMap::split(uint32_t span, uint64_t size_bytes) {
  const uint32_t rest = new_record();
  Span &a = spans_[span], &b = spans_[rest];
  b.offset = a.offset + size_bytes;
  b.size = a.size - size_bytes;
  b.before = span;
  b.after = a.after;
  if (a.after != kNone) spans_[a.after].before = rest;
  a.after = rest;
  a.size = size_bytes;
  return rest;
}

void SpanMap::absorb_next(uint32_t span) {
  const uint32_t gone = spans_[span].after;
  spans_[span].size += spans_[gone].size;
  spans_[span].after = spans_[gone].after;
  if (spans_[span].after != kNone) spans_[spans_[span].after].before = span;
  drop_record(gone);
}

uint64_t SpanMap::largest_free_bytes() const {
  if (first_map_ == 0) return 0;
  const auto first = static_cast<uint32_t>(63 - std::countl_zero(first_map_));
  const auto second = static_cast<uint32_t>(31 - std::countl_zero(second_map_[first]));
  uint64_t largest = 0;
  for (uint32_t at = heads_[first][second]; at != kNone; at = spans_[at].next)
    largest = std::max(largest, spans_[at].size);
  return largest;
}

bool SpanMap::consistent() const {
  uint64_t at = 0, used = 0, n_free = 0;
  uint32_t before = kNone;
  bool free_before = false;
  for (uint32_t i = 0; i != kNone; i = spans_[i].after) {
    const Span& s = spans_[i];
    if (s.offset != at || s.size == 0 || s.before != before || (s.free && free_before)) return false;
    at += s.size;
    used += s.free ? 0 : s.size;
    n_free += s.free ? 1 : 0;
    before = i;
    free_before = s.free;
  }
  uint64_t listed = 0;
  for (uint32_t first = 0; first < kFirst; ++first) {
    for (uint32_t second = 0; second < kSecond; ++second) {
      const bool marked = (second_map_[first] >> second & 1) != 0;
      if (marked != (heads_[first][second] != kNone)) return false;
      for (uint32_t i = heads_[first][second]; i != kNone; i = spans_[i].next) {
        if (!spans_[i].free) return false;
        ++listed;
      }
    }
    if ((first_map_ >> first & 1) != (second_map_[first] != 0 ? 1u : 0u)) return false;
  }
  return at == size_bytes_ && used == in_use_bytes_ && listed == n_free;
}

}  // namespace opmux
