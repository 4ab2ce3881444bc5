// SPDX-License-Identifier: Apache-2.0
// What happens to finished sums: the commonest programs as steps inside the kernel, the others by RowProgram.
#ifndef OPMUX_CPU_EPILOGUE_HPP
#define OPMUX_CPU_EPILOGUE_HPP

#include <cstdint>

#include "cpu/kernels/gemm.hpp"
#include "cpu/program.hpp"
#include "opmux/plugin.h"

namespace opmux::cpu {

constexpr uint32_t kMaxBatch = 6, kMaxCol = 3, kMaxExtra = OPMUX_MAX_PROG_IN - 1;

// A tensor seen as [batch dims, row, column dims]; strides in elements.
struct GridView {
  uint32_t dtype = 0;
  int64_t bs[kMaxBatch] = {}, rs = 0, cs[kMaxCol] = {};
};

// The output of a product and the extra operands of its epilogue over one index space.
struct OutGrid {
  uint32_t n_batch = 0, n_col = 1, n_extra = 0;
  int64_t batch[kMaxBatch] = {}, rows = 0, col[kMaxCol] = {};
  GridView out, extra[kMaxExtra];

  // Joins column dims that are one dim in every view.
  void collapse_columns();
};

// Reads the view of operand t, whose dims broadcast to those of `out` (numpy rules) into element strides per
// axis of out. False if they don't broadcast.
bool broadcast_strides(const opmux_tdesc& t, const opmux_tdesc& out, int64_t* stride);

class Epilogue {
 public:
  // Is the descriptor's only program an epilogue of output 0 that can be run on accumulators of type acc?
  // own: inputs of the operator itself. If not, writes the reason.
  static bool supports(const opmux_opd& d, uint32_t own, uint32_t acc, opmux_cap* cap);

  // d must be supported and outlive this. in_registers: the kernel applies steps(); else everything is left
  // to finish.
  void compile(const opmux_opd& d, uint32_t own, uint32_t acc, const OutGrid& grid, bool in_registers = true);

  bool is_program() const { return kind_ == Kind::kProgram; }
  uint32_t n_step() const { return n_step_; }

  // Steps for the strip that starts at element (row, col) of the batch whose extra operands start at `extra`.
  void steps(const OutGrid& grid, void* const* extra, int64_t row, int64_t col, GemmStep<float>* out) const;

  // Takes the values of a block from `tile` (type acc, leading dimension ld) to out, through the program or
  // the type conversion where there is one. tile may be out itself. extra, out: element 0 of the batch.
  void finish(const OutGrid& grid, void* const* extra, void* out, int64_t row, int64_t col, int64_t rows,
              int64_t cols, void* tile, int64_t ld) const;

 private:
  enum class Kind : uint32_t { kNone, kSteps, kProgram };
  bool match_steps(const opmux_prog& p, const opmux_opd& d, const OutGrid& grid);
  bool add_step(const opmux_prog& p, const opmux_insn& insn, uint32_t& current, const OutGrid& grid);

  Kind kind_ = Kind::kNone;
  uint32_t acc_ = 0, n_step_ = 0, n_extra_ = 0;
  GemmStep<float> step_[8];
  int32_t operand_[8];  // extra operand of a step, -1: its constant lo
  RowProgram program_;
  opmux_prog cast_;  // kNone with another output type: the conversion as a program
  opmux_insn cast_insn_;
  uint32_t cast_out_;
};

}  // namespace opmux::cpu
#endif
