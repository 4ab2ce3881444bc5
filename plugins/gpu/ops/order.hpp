// SPDX-License-Identifier: Apache-2.0
// Rows of items sorted by their keys, see kernels/body/order.h: in tiles of shared memory, then by merges.
// Where few items of a row are wanted, the first ones of each tile are sorted again instead.
#pragma once

#include "gpu/ops/step.hpp"

namespace opmux::gpu {

class Order {
 public:
  // Takes room in the workspace from `at` on. words: of a key.
  Order(int64_t rows, int64_t n, int64_t words, uint64_t at);
  uint64_t end() const { return end_; }
  // Bytes of the largest region.
  uint64_t largest() const;

  // Binds the items as they are by now, or the keys.
  void items(StepMaker& m, const std::string& name) const;
  void keys(StepMaker& m, const std::string& name) const;
  int64_t words() const { return words_; }

  // Keys from elements of operand 0: an item for each position along `axis`. slices: of all elements there,
  // in row-major order, else a row for each of these.
  void keys_of(const opmux_devinfo& info, const opmux_opd& d, uint32_t axis, bool slices, bool descending,
               KernelPlan& plan);
  // Each row becomes its first k items (k > 0), sorted by their keys or their positions.
  void sort(const opmux_devinfo& info, int64_t k, bool by_position, KernelPlan& plan);

 private:
  void tiles(const opmux_devinfo& info, int64_t span, int64_t keep, bool by_position, KernelPlan& plan);
  void merge(const opmux_devinfo& info, int64_t run, int64_t keep, bool by_position, KernelPlan& plan);
  void next(StepMaker& m, int64_t words) const;
  uint64_t item_bytes() const { return static_cast<uint64_t>(rows_ * row_len_) * 8; }
  uint64_t key_bytes() const { return static_cast<uint64_t>(rows_ * row_len_ * words_) * 4; }

  int64_t rows_, row_len_, n_, words_;  // n_: items of a row by now
  uint64_t items_[2], keys_, end_;
  uint32_t at_ = 0;  // which of items_
};

// Words that an element has in a key.
int64_t key_words(uint32_t dtype);

}  // namespace opmux::gpu
