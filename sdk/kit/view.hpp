// SPDX-License-Identifier: Apache-2.0
// Kit: walking several strided operands of one shape together, in row-major order of that shape.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "opmux/types.h"

namespace opmux::kit {

// Offsets are in elements from element 0 of each operand, so sub-byte types walk like the others.
class Walk {
 public:
  explicit Walk(std::span<const int64_t> dims) : rank_(uint32_t(dims.size())) {
    for (uint32_t i = 0; i < rank_; ++i) dim_[i] = dims[i];
  }
  explicit Walk(const opmux_tdesc& shape) : Walk(std::span(shape.dim, shape.rank)) {}

  // Adds an operand. Its axes align with the last ones of the shape; missing axes and axes of extent 1
  // repeat.
  Walk& add(const opmux_tdesc& t) {
    std::array<int64_t, 8> stride{};
    for (uint32_t i = 0; i < t.rank && i < rank_; ++i) {
      const uint32_t from = t.rank - 1 - i, to = rank_ - 1 - i;
      stride[to] = t.dim[from] == 1 ? 0 : t.stride[from];
    }
    return add_strides(stride);
  }
  Walk& add_strides(const std::array<int64_t, 8>& stride) {
    stride_.push_back(stride);
    return *this;
  }

  // Drops axes of extent 1 and joins neighbours that every operand steps through evenly; the order stays.
  Walk& collapse() {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < rank_; ++i) {
      if (dim_[i] == 1) continue;
      if (kept > 0 && joins(kept - 1, i)) {
        dim_[kept - 1] *= dim_[i];
        for (auto& s : stride_) s[kept - 1] = s[i];
        continue;
      }
      dim_[kept] = dim_[i];
      for (auto& s : stride_) s[kept] = s[i];
      ++kept;
    }
    rank_ = kept;
    return *this;
  }

  // f(const int64_t* offsets, int64_t n, const int64_t* steps) for each innermost row: element j of operand k
  // is at offsets[k] + j * steps[k].
  template <class F>
  void rows(F&& f) const {
    for (uint32_t i = 0; i < rank_; ++i)
      if (dim_[i] == 0) return;
    const size_t n = stride_.size();
    std::vector<int64_t> offset(n), step(n);
    std::array<int64_t, 8> index{};
    const uint32_t outer = rank_ > 0 ? rank_ - 1 : 0;
    const int64_t length = rank_ > 0 ? dim_[outer] : 1;
    for (size_t k = 0; k < n && rank_ > 0; ++k) step[k] = stride_[k][outer];
    for (;;) {
      f(static_cast<const int64_t*>(offset.data()), length, static_cast<const int64_t*>(step.data()));
      uint32_t axis = outer;
      while (axis > 0) {
        --axis;
        const bool more = ++index[axis] < dim_[axis];
        for (size_t k = 0; k < n; ++k)
          offset[k] += more ? stride_[k][axis] : -(dim_[axis] - 1) * stride_[k][axis];
        if (more) break;
        index[axis] = 0;
        if (axis == 0) return;
      }
      if (outer == 0) return;
    }
  }

  // f(const int64_t* offsets) for each element.
  template <class F>
  void each(F&& f) const {
    std::vector<int64_t> at(stride_.size());
    rows([&](const int64_t* offset, int64_t n, const int64_t* step) {
      for (size_t k = 0; k < at.size(); ++k) at[k] = offset[k];
      for (int64_t j = 0; j < n; ++j) {
        f(static_cast<const int64_t*>(at.data()));
        for (size_t k = 0; k < at.size(); ++k) at[k] += step[k];
      }
    });
  }

  uint32_t rank() const { return rank_; }
  int64_t dim(uint32_t axis) const { return dim_[axis]; }
  int64_t stride(size_t operand, uint32_t axis) const { return stride_[operand][axis]; }

 private:
  bool joins(uint32_t outer, uint32_t inner) const {
    for (const auto& s : stride_)
      if (s[outer] != s[inner] * dim_[inner]) return false;
    return true;
  }

  uint32_t rank_;
  std::array<int64_t, 8> dim_{};
  std::vector<std::array<int64_t, 8>> stride_;
};

}  // namespace opmux::kit
