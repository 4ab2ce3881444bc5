// SPDX-License-Identifier: Apache-2.0
// How a matrix product is cut into blocks: for matmul and conv. Everything here follows from shapes, strides
// and the instruction set, never from the number of threads, so results don't depend on it either.
#ifndef OPMUX_CPU_GEMM_PLAN_HPP
#define OPMUX_CPU_GEMM_PLAN_HPP

#include <cstdint>

#include "cpu/epilogue.hpp"
#include "cpu/kernels/gemm.hpp"

namespace opmux::cpu {

// One side of the product; strides in elements.
struct GemmOperand {
  uint32_t dtype = 0;
  int64_t bs[kMaxBatch] = {};         // of the batch dims
  int64_t rs = 0, ks = 0;             // A: row; B: column. ks along k
  bool packed = false;                // in panels already
  int64_t packed_bs[kMaxBatch] = {};  // batch strides of the panels, in matrices
};

enum class GemmA : uint32_t {
  kPacked,   // constant, packed ahead
  kUpfront,  // packed whole into the workspace, then used by all tasks
  kStrip,    // too big for that: each task packs the strips that it uses
};
enum class GemmB : uint32_t {
  kPacked,
  kBlock,   // each task packs its own block
  kDirect,  // unit column stride and few rows: used where it lies
  kCustom,  // each task has its block packed by the operator (patches of an image)
};

struct GemmPlan {
  // The problem: out[batch, r, c] = epilogue(sum_i a[batch, r, i] b[batch, i, c]).
  int64_t m = 0, n = 0, k = 0, batches = 1;
  GemmOperand a, b;
  OutGrid grid;  // batch and column dims, out and extra operands
  Epilogue epilogue;
  bool aliased = false;  // an extra operand may lie where out does

  // The cut.
  GemmTile tile{};
  int64_t mr = 0;  // rows of a panel of A, balanced: at most tile.mr
  int64_t kc = 0;  // depth of a block
  int64_t a_panels = 0, b_panels = 0;
  int64_t a_block = 0, b_block = 0;  // panels per task
  int64_t a_blocks = 0, b_blocks = 0;
  GemmA a_mode = GemmA::kUpfront;
  GemmB b_mode = GemmB::kBlock;
  bool direct = false;  // sums grow in place in out; else in a tile, all of k at once
  uint64_t a_bytes = 0, slot_bytes = 0;
  int64_t slots = 1;

  int64_t tasks() const { return batches * a_blocks * b_blocks; }
  uint64_t workspace() const { return a_bytes + slot_bytes * static_cast<uint64_t>(slots) + 64; }
};

// Swaps rows and columns of the whole problem: C^T = B^T A^T.
void transpose(GemmPlan& p);

// Chooses the cut for the problem in p. acc: the accumulator's type; custom_b: B comes from a custom packer.
void cut(GemmPlan& p, GemmTile tile, uint32_t acc, bool custom_b);

// Panels of rows that share the work of m rows evenly, at most `most` each.
int64_t balanced_rows(int64_t m, int64_t most);

// Threads that may run tasks at once, hence blocks of scratch in a workspace.
int64_t scratch_slots();

}  // namespace opmux::cpu
#endif
