// SPDX-License-Identifier: Apache-2.0
#include "cpu/loops.hpp"

#include <cstdlib>
#include <utility>

namespace opmux::cpu {

Loops::Loops(const opmux_tdesc& shape) : rank(shape.rank) {
  for (uint32_t i = 0; i < rank; ++i) dim[i] = shape.dim[i];
}

void Loops::add(const opmux_tdesc& t) {
  const uint32_t lead = rank - t.rank;
  for (uint32_t i = 0; i < rank; ++i)
    stride[n][i] = i < lead || t.dim[i - lead] == 1 ? 0 : t.stride[i - lead];
  ++n;
}

void Loops::add_strides(const int64_t* s) {
  for (uint32_t i = 0; i < rank; ++i) stride[n][i] = s[i];
  ++n;
}

void Loops::simplify(uint32_t key) {
  uint32_t kept = 0;
  const auto move = [this](uint32_t from, uint32_t to) {
    dim[to] = dim[from];
    for (uint32_t k = 0; k < n; ++k) stride[k][to] = stride[k][from];
  };
  for (uint32_t i = 0; i < rank; ++i)
    if (dim[i] != 1) move(i, kept++);
  rank = kept;
  const auto outside = [&](uint32_t a, uint32_t b) {  // does a belong outside of b?
    for (uint32_t j = 0; j < n; ++j) {
      const uint32_t k = (key + j) % n;
      const int64_t p = std::llabs(stride[k][a]), q = std::llabs(stride[k][b]);
      if (p != q) return p > q;
    }
    return false;
  };
  for (uint32_t i = 1; i < rank; ++i)
    for (uint32_t j = i; j > 0 && outside(j, j - 1); --j) {
      std::swap(dim[j], dim[j - 1]);
      for (uint32_t k = 0; k < n; ++k) std::swap(stride[k][j], stride[k][j - 1]);
    }
  if (rank == 0) return;
  kept = 0;
  for (uint32_t i = 1; i < rank; ++i) {
    bool joins = true;
    for (uint32_t k = 0; k < n; ++k) joins = joins && stride[k][kept] == stride[k][i] * dim[i];
    if (joins) {
      const int64_t d = dim[kept];
      move(i, kept);
      dim[kept] *= d;
    } else {
      move(i, ++kept);
    }
  }
  rank = kept + 1;
}

int64_t Loops::elements() const {
  int64_t e = 1;
  for (uint32_t i = 0; i < rank; ++i) e *= dim[i];
  return e;
}

int64_t Loops::offset(uint32_t k, uint32_t n_outer, uint64_t index) const {
  int64_t o = 0;
  for (uint32_t i = n_outer; i-- > 0 && index != 0;) {
    const auto d = static_cast<uint64_t>(dim[i]);
    o += static_cast<int64_t>(index % d) * stride[k][i];
    index /= d;
  }
  return o;
}

bool contiguous(const opmux_tdesc& t) {
  int64_t step = 1;
  for (uint32_t i = t.rank; i-- > 0;) {
    if (t.dim[i] != 1 && t.stride[i] != step) return false;
    step *= t.dim[i];
  }
  return true;
}

bool same_view(const opmux_tdesc& a, const opmux_tdesc& b) {
  if (OPMUX_DTYPE_BITS(a.dtype) != OPMUX_DTYPE_BITS(b.dtype) || a.rank != b.rank) return false;
  for (uint32_t i = 0; i < a.rank; ++i)
    if (a.dim[i] != b.dim[i] || (a.dim[i] != 1 && a.stride[i] != b.stride[i])) return false;
  return true;
}

}  // namespace opmux::cpu
