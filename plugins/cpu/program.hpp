// SPDX-License-Identifier: Apache-2.0
// Pointwise programs over two-dimensional tiles: epilogues, and the inner loop of `pointwise`.
#ifndef OPMUX_CPU_PROGRAM_HPP
#define OPMUX_CPU_PROGRAM_HPP

#include <cstdint>

#include "opmux/plugin.h"

namespace opmux::cpu {

// Element (r, c) of a tile lies at data + (r * row_stride + c * col_stride) * size of the type. Strides in elements;
// 0 broadcasts, negative ones are legal.
struct TileView {
  void* data;
  int64_t row_stride, col_stride;
};

// A compiled program. Immutable after compile; run_tile is [mt], allocates nothing and keeps its values on the stack.
// Each value rounds to its instruction's type, so fused and unfused programs agree to the bit.
class RowProgram {
 public:
  // Is every instruction known for these types? in_dtype holds prog.n_in types (value 0 of an epilogue is the
  // accumulator's). If not, *bad_insn is the first instruction that isn't.
  static bool supports(const opmux_prog& prog, const uint32_t* in_dtype, uint32_t* bad_insn);

  // prog must be supported and stays referenced. out_dtype holds prog.n_out types: those of the output tensors, which
  // equal the types of the values they take.
  void compile(const opmux_prog& prog, const uint32_t* in_dtype, const uint32_t* out_dtype);

  // in: prog.n_in views, out: prog.n_out views. An output may be the very same view as an input; other overlap is not
  // allowed.
  void run_tile(int64_t rows, int64_t cols, const TileView* in, const TileView* out) const;

 private:
  // One step of the compiled form; filled in by program.cpp.
  struct Step {
    uint32_t fn, dtype, a_dtype, flags;
    uint32_t a, b, c;
    uint64_t imm;
  };
  Step step_[OPMUX_MAX_INSN];
  uint32_t in_dtype_[OPMUX_MAX_PROG_IN], out_value_[OPMUX_MAX_PROG_OUT], out_dtype_[OPMUX_MAX_PROG_OUT];
  uint32_t n_in_ = 0, n_step_ = 0, n_out_ = 0;
};

}  // namespace opmux::cpu
#endif
