// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace opmux {

// Books of one address range: which spans are in use and which are free. Allocation and release take constant
// time: free spans hang in lists by size class, 16 classes to each power of two, found through bit maps
// (TLSF). Neighbouring free spans are always merged. Knows numbers only.
class SpanMap {
 public:
  static constexpr uint64_t kGranule = 256;  // every span starts and ends at a multiple of it
  static constexpr uint32_t kNone = ~uint32_t{0};

  // size_bytes: a positive multiple of kGranule.
  explicit SpanMap(uint64_t size_bytes);

  // The number of a span of at least size_bytes whose offset is a multiple of align (a power of two), or
  // kNone.
  uint32_t allocate(uint64_t size_bytes, uint64_t align);
  // Takes the number of a span in use.
  void release(uint32_t span);

  uint64_t offset(uint32_t span) const { return spans_[span].offset; }
  uint64_t size(uint32_t span) const { return spans_[span].size; }
  uint64_t size_bytes() const { return size_bytes_; }
  uint64_t in_use_bytes() const { return in_use_bytes_; }
  uint64_t largest_free_bytes() const;
  bool empty() const { return in_use_bytes_ == 0; }
  // Walks everything and compares; for tests. False when the books are wrong.
  bool consistent() const;

 private:
  static constexpr uint32_t kSecondBits = 4, kSecond = 1u << kSecondBits, kFirst = 56;

  struct Span {
    uint64_t offset = 0, size = 0;
    uint32_t before = kNone, after = kNone;  // neighbours by address
    uint32_t prev = kNone, next = kNone;     // in the free list, or next unused record
    bool free = false;
  };
  struct Class {
    uint32_t first, second;
  };

  static Class class_of(uint64_t granules);
  uint32_t find_free(uint64_t granules) const;
  uint32_t search_class_of(uint64_t size, uint64_t align) const;
  void link(uint32_t span);
  void unlink(uint32_t span);
  uint32_t new_record();
  void drop_record(uint32_t span);
  // Cuts `span` after size_bytes and returns the rest, neither in a list.
  uint32_t split(uint32_t span, uint64_t size_bytes);
  void absorb_next(uint32_t span);

  uint64_t size_bytes_, in_use_bytes_ = 0;
  std::vector<Span> spans_;
  uint32_t unused_ = kNone;
  uint64_t first_map_ = 0;
  std::array<uint32_t, kFirst> second_map_{};
  std::array<std::array<uint32_t, kSecond>, kFirst> heads_{};
};

}  // namespace opmux
