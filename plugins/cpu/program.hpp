// SPDX-License-Identifier: Apache-2.0
// Pointwise programs over two-dimensional tiles: epilogues, and the inner loop of `pointwise`.
#ifndef OPMUX_CPU_PROGRAM_HPP
#define OPMUX_CPU_PROGRAM_HPP

#include <cstdint>
#include <vector>

#include "cpu/tile_program.hpp"

namespace opmux::cpu {

// Element (r, c) of a tile lies at data + (r * row_stride + c * col_stride) * size of the type. Strides in
// elements; 0 broadcasts, negative ones are legal.
struct TileView {
  void* data;
  int64_t row_stride, col_stride;
};

// A compiled program. Immutable after compile; run_tile is [mt], allocates nothing and keeps its values on
// the stack (TileProgram::kScratchBytes). Each value rounds to its instruction's type, so fused and unfused
// programs agree to the bit.
class RowProgram {
 public:
  // Is every instruction known for these types? in_dtype holds prog.n_in types (value 0 of an epilogue is the
  // accumulator's). If not, *bad_insn is the first instruction that isn't (prog.n_insn: an input's type).
  // sub_bytes: tensors may have elements of less than a byte; their views then hold element_address().
  static bool supports(const opmux_prog& prog, const uint32_t* in_dtype, uint32_t* bad_insn,
                       bool sub_bytes = false);

  // prog must be supported; it is not referenced afterwards. out_dtype holds prog.n_out types: those of the
  // output tensors, which equal the types of the values they take. Bit i of uniform_mask: input i has
  // col_stride 0 in every tile, which saves repeating it; other inputs may have it too.
  void compile(const opmux_prog& prog, const uint32_t* in_dtype, const uint32_t* out_dtype,
               uint32_t uniform_mask = 0);

  // in: prog.n_in views, out: prog.n_out views. An output may be the very same view as an input; other
  // overlap is not allowed. Cheapest with col_stride 1, with rows of 64 elements or more, or with whole tiles
  // whose rows follow each other (row_stride == cols): those are joined into one row. stream: outputs go past
  // the caches.
  void run_tile(int64_t rows, int64_t cols, const TileView* in, const TileView* out,
                bool stream = false) const;

  const TileProgram& program() const { return program_; }

 private:
  struct Port {
    uint32_t dtype;
    uint32_t bytes;
    bool in_place;  // contiguous memory of this type needs no conversion
    LoadFn load;
    StoreFn store;
  };
  static constexpr int64_t kShortRow = 64;  // shorter rows are gathered, several to a tile
  void chunk(int64_t r, int64_t c, int64_t rows, int64_t cols, const TileView* in, const TileView* out,
             bool stream, void** value, std::byte* scratch) const;

  TileProgram program_;
  std::vector<Port> in_, out_;
};

}  // namespace opmux::cpu
#endif
