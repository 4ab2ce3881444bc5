// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>

#include "opmux/abi.h"

namespace opmux::test {

// Two pages, the second of which cannot be touched.
class Edge {
 public:
  Edge() : page_(static_cast<size_t>(sysconf(_SC_PAGESIZE))) {
    void* p = mmap(nullptr, 2 * page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) throw std::bad_alloc();
    base_ = static_cast<std::byte*>(p);
    mprotect(base_ + page_, page_, PROT_NONE);
  }
  ~Edge() { munmap(base_, 2 * page_); }
  Edge(const Edge&) = delete;
  // The first `size` bytes of t, zeros beyond those, ending at the edge. size: a multiple of 8.
  template <class T>
  T* put(const T& t, uint32_t size) {
    std::byte* at = base_ + page_ - size;
    std::memset(at, 0, size);
    std::memcpy(at, &t, std::min<size_t>(size, sizeof(T)));
    auto* head = reinterpret_cast<opmux_hdr*>(at);
    head->size = size;
    return reinterpret_cast<T*>(at);
  }

 private:
  size_t page_;
  std::byte* base_;
};

template <class T, class Use>
void every_size(const T& t, Use&& use) {
  Edge edge;
  for (uint32_t size = sizeof(opmux_hdr); size <= sizeof(T) + 64; size += 8) {
    SCOPED_TRACE(size);
    use(edge.put(t, size), size);
  }
}

}  // namespace opmux::test
