// SPDX-License-Identifier: Apache-2.0
// non_zero: pieces of x are counted, then each writes its columns from the sum of the counts before it.
#include <algorithm>
#include <cstring>
#include <utility>

#include "cpu/answer.hpp"
#include "cpu/kernels/memory.hpp"
#include "cpu/loops.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/state.hpp"
#include "cpu/tiles.hpp"
#include "opmux/ops/sort.gen.h"

namespace opmux::cpu {
namespace {

constexpr int64_t kPiece = 16 * 1024, kMostPieces = 256, kBlock = 512;

struct State {
  explicit State(const opmux_opd& d);
  uint64_t pieces() const { return static_cast<uint64_t>((count + piece - 1) / piece); }
  // f(row, first coordinate along the last dim, whether each of n elements is not zero) for a piece.
  template <class F>
  void each_block(const char* x, uint64_t p, F&& f) const;
  uint64_t counted(const char* x, uint64_t p) const;
  void write(const char* x, uint64_t p, char* y, uint64_t column) const;

  Loops loops;  // as x is: the order of the elements is that of the columns
  uint32_t outer = 0;
  int64_t bytes, inner = 1, inner_step = 1, count, piece, y_row, y_column;
  LoadFn load;
  TileFn to_bool;
};

State::State(const opmux_opd& d) {
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  loops = Loops(x);
  loops.add(x);
  outer = x.rank - 1;
  inner = x.dim[outer];
  inner_step = loops.stride[0][outer];
  bytes = element_bytes(x.dtype);
  count = elements(x);
  piece = std::max(kPiece, (count + kMostPieces - 1) / kMostPieces);
  y_row = y.stride[0];
  y_column = y.stride[1];
  load = find_load(x.dtype);
  to_bool = find_cast(x.dtype, OPMUX_BOOL, false);
}

template <class F>
void State::each_block(const char* x, uint64_t p, F&& f) const {
  alignas(64) std::byte lanes[kBlock * 8];
  alignas(64) uint8_t is[kBlock];
  const int64_t begin = static_cast<int64_t>(p) * piece, end = std::min(count, begin + piece);
  each_run(loops, 0, begin, end, kBlock, [&](int64_t position, int64_t offset, int64_t n) {
    load(lanes, x + offset * bytes, inner_step, static_cast<size_t>(n));
    to_bool(is, lanes, lanes, lanes, static_cast<size_t>(n));
    f(static_cast<uint64_t>(position / inner), position % inner, static_cast<const uint8_t*>(is), n);
  });
}

uint64_t State::counted(const char* x, uint64_t p) const {
  uint64_t sum = 0;
  each_block(x, p, [&](uint64_t, int64_t, const uint8_t* is, int64_t n) {
    for (int64_t i = 0; i < n; ++i) sum += is[i];
  });
  return sum;
}

void State::write(const char* x, uint64_t p, char* y, uint64_t column) const {
  auto* to = reinterpret_cast<int64_t*>(y) + static_cast<int64_t>(column) * y_column;
  each_block(x, p, [&](uint64_t row, int64_t first, const uint8_t* is, int64_t n) {
    int64_t place[OPMUX_MAX_RANK];
    for (uint32_t a = outer; a-- > 0; row /= static_cast<uint64_t>(loops.dim[a]))
      place[a] = static_cast<int64_t>(row % static_cast<uint64_t>(loops.dim[a]));
    for (int64_t i = 0; i < n; ++i) {
      if (!is[i]) continue;
      for (uint32_t a = 0; a < outer; ++a) to[a * y_row] = place[a];
      to[outer * y_row] = first + i;
      to += y_column;
    }
  });
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap) || !apart(*d, cap)) return;
  yes(cap, info, schema_cost(*d, 1, State(*d).pieces() * sizeof(uint64_t)));
}

opmux_status run(const kit_call* call, opmux_err*) {
  const State& s = *static_cast<const State*>(call->state);
  const auto* x = static_cast<const char*>(call->arg[0]);
  auto* y = static_cast<char*>(call->arg[1]);
  auto* column = static_cast<uint64_t*>(call->ws);
  const uint64_t pieces = s.pieces();
  parallel_for(call->host, pieces, 1, [&](uint64_t begin, uint64_t end) {
    for (uint64_t p = begin; p < end; ++p) column[p] = s.counted(x, p);
  });
  uint64_t total = 0;
  for (uint64_t p = 0; p < pieces; ++p) total += std::exchange(column[p], total);
  parallel_for(call->host, pieces, 1, [&](uint64_t begin, uint64_t end) {
    for (uint64_t p = begin; p < end; ++p) s.write(x, p, y, column[p]);
  });
  const auto found = static_cast<int64_t>(total), zero = int64_t{0};
  const FillFn fill = find_fill(8);
  for (uint32_t a = 0; a < s.loops.rank && found < s.count; ++a)
    fill(y + (a * s.y_row + found * s.y_column) * 8, s.y_column, &zero, s.count - found);
  std::memcpy(call->arg[2], &found, sizeof found);
  return OPMUX_OK;
}

}  // namespace

const kit_op kNonZero = state_op<State, opmux_op_non_zero>(OPMUX_OP_NON_ZERO, "pieces", query, run);

}  // namespace opmux::cpu
