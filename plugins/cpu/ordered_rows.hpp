// SPDX-License-Identifier: Apache-2.0
// Rows along an axis, sorted or the first k of them: the common engine of sort and top_k.
#ifndef OPMUX_CPU_ORDERED_ROWS_HPP
#define OPMUX_CPU_ORDERED_ROWS_HPP

#include "cpu/kernels/order.hpp"
#include "cpu/loops.hpp"
#include "kit/op.h"

namespace opmux::cpu {

class OrderedRows {
 public:
  struct Form {
    uint32_t axis;
    int64_t k;  // of each row
    bool descending, sorted;
  };
  OrderedRows(const opmux_opd& d, const Form& form);
  uint64_t workspace() const;
  // Operands x; y, index.
  void run(const kit_call* call) const;

 private:
  enum class Path : uint8_t {
    kSort,        // a row at a time, whole
    kSelect,      // a row at a time, by its first k
    kLongSort,    // parts of one row, which are merged
    kLongSelect,  // parts of one row, of whose first k the first k are taken
  };
  struct Row {
    const char* x;
    char *y, *index;
  };

  template <class Item>
  void rows(const kit_call* call) const;
  template <class Item>
  void long_sort(const kit_call* call, const Row& row, Item* items) const;
  template <class Item>
  void long_select(const kit_call* call, const Row& row, Item* room) const;
  template <class Item>
  void one(const Row& row, Item* room) const;
  template <class Item>
  size_t select(const Row& row, int64_t begin, int64_t end, Item* room) const;
  template <class Item>
  void load_items(const Row& row, int64_t begin, int64_t end, Item* items) const;
  template <class Item>
  void arrange(Item* items) const;
  template <class Item>
  void put(const Row& row, const Item* items, int64_t begin, int64_t end) const;
  Row row_of(const kit_call* call, uint64_t r) const;
  // f(keys, first, n) for blocks of the row's elements [begin, end).
  template <class Key, class F>
  void each_block(const Row& row, int64_t begin, int64_t end, F&& f) const;
  int64_t part_begin(int64_t part) const { return n_ * part / n_parts_; }

  Path path_;
  bool wide_, in_place_, descending_, sorted_;
  Lane lane_;
  LoadFn load_;
  Loops rows_;  // 0: x, 1: y, 2: index
  int64_t n_, k_, x_step_, y_step_ = 0, index_step_ = 0, bytes_;
  int64_t n_parts_ = 1;
  uint64_t n_rows_, grain_ = 1;
};

}  // namespace opmux::cpu
#endif
