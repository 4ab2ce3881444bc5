// SPDX-License-Identifier: Apache-2.0
// The epilogue of an operator: a pointwise program applied to accumulators on their way to the output.
#ifndef OPMUX_PLUGINS_CPU_EPILOGUE_HPP
#define OPMUX_PLUGINS_CPU_EPILOGUE_HPP

#include "cpu/program.hpp"

namespace opmux::cpu {

// A block of accumulators: rows x cols elements in the lane type of acc_dtype, row r at acc + r * row_step
// elements, contiguous along columns. origin: coordinates in the output of element (0, 0). Rows run along
// output axis row_axis, columns along col_axis; cols may span the axes before col_axis that merges(first,
// col_axis) allows. acc may be the output's own memory when the output is contiguous there and has the
// accumulator's type.
struct EpilogueBlock {
  const void* acc;
  int64_t row_step;
  int64_t rows, cols;
  uint32_t row_axis, col_axis;
  const int64_t* origin;
};

class Epilogue {
 public:
  // Can the program at slot EPILOGUE(output) of d be done (true also without one, when acc_dtype converts to
  // the output's type)? On false *cap holds the verdict and the reason. Pure; allocates nothing. cap may be
  // NULL.
  static bool supports(const opmux_opd& d, uint32_t acc_dtype, uint32_t output, opmux_cap* cap);

  // n_own: how many inputs the operator itself has; the extra operands follow. col_axis: the axis that
  // columns will run along in every apply() (extras that do not change along it are held as one element).
  void compile(const opmux_opd& d, uint32_t acc_dtype, uint32_t output, uint32_t n_own, uint32_t col_axis);

  // Nothing to do but to store the accumulators as they are: the operator may write the output itself.
  bool plain() const { return plain_; }
  // Do axes first .. last of the output and of every extra operand merge into one axis with the stride of
  // `last`?
  bool merges(uint32_t first, uint32_t last) const;

  // arg: kit_call::arg. Thread-safe, allocates nothing, uses Program::kScratchBytes of stack.
  void apply(const EpilogueBlock& block, void* const* arg) const;

 private:
  struct Operand {
    uint32_t arg;
    uint32_t dtype;
    bool broadcast;  // same element everywhere along columns
    bool in_place;   // contiguous along columns and no conversion
    size_t bytes;    // of an element
    int64_t stride[OPMUX_MAX_RANK];
    LoadFn load;
    StoreFn store;
  };
  void row(const char* acc, const char* const* in, char* out, int64_t cols, void** value,
           std::byte* scratch) const;

  Program program_;
  std::vector<Operand> in_;
  Operand out_{};
  uint32_t rank_ = 0, col_axis_ = 0;
  int64_t dim_[OPMUX_MAX_RANK] = {};
  size_t acc_bytes_ = 4;
  bool plain_ = false;
};

}  // namespace opmux::cpu
#endif
