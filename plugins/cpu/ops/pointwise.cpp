// SPDX-License-Identifier: Apache-2.0
// pointwise: the program runs over rows of the simplified index space, in items of a few thousand elements.
#include "opmux/ops/pointwise.gen.h"

#include <algorithm>

#include "cpu/answer.hpp"
#include "cpu/loops.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/program.hpp"
#include "cpu/state.hpp"
#include "cpu/strided_copy.hpp"

namespace opmux::cpu {
namespace {

constexpr int64_t kItem = 16384;   // elements of one item: the unit of work of a thread
constexpr int64_t kShortRow = 64;  // rows that RowProgram gathers, several to a tile
constexpr int64_t kStreamBytes =
    48 * 1024 * 1024;  // operands beyond any last-level cache: outputs go past it

int64_t total_bytes(const opmux_opd& d) {
  int64_t b = 0;
  for (uint32_t i = 0; i < d.n_in; ++i) b += tensor_bytes(d.in[i]);
  for (uint32_t o = 0; o < d.n_out; ++o) b += tensor_bytes(d.out[o]);
  return b;
}

bool check(const opmux_opd& d, opmux_cap* cap) {
  uint32_t dtype[OPMUX_MAX_PROG_IN] = {}, bad = 0;
  for (uint32_t i = 0; i < d.n_in; ++i) {
    dtype[i] = d.in[i].dtype;
    if (d.in[i].layout != 0) return no(cap, OPMUX_WHY_LAYOUT, i, d.in[i].layout, 0), false;
    if (lane_of(dtype[i]) == Lane::kNone) return no(cap, OPMUX_WHY_DTYPE, i, dtype[i]), false;
  }
  if (!RowProgram::supports(d.prog[0], dtype, &bad, true)) return no(cap, OPMUX_WHY_PROGRAM, 0, bad), false;
  for (uint32_t o = 0; o < d.n_out; ++o) {
    const opmux_tdesc& t = d.out[o];
    if (t.layout != 0) return no(cap, OPMUX_WHY_LAYOUT, d.n_in + o, t.layout, 0), false;
    for (uint32_t i = 0; i < t.rank; ++i)
      if (t.stride[i] == 0 && t.dim[i] > 1) return no(cap, OPMUX_WHY_STRIDE, d.n_in + o, 0, 1, i), false;
    const uint32_t from = d.alias ? d.alias[o] : 0;
    if (from != 0 && !same_view(d.in[from - 1], t)) return no(cap, OPMUX_WHY_ALIAS, from - 1), false;
  }
  return true;
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!check(*d, cap)) return;
  Cost c;
  c.bytes = static_cast<double>(total_bytes(*d));
  c.flops = static_cast<double>(elements(d->out[0])) * d->prog[0].n_insn;
  c.flops_per_ns = 8;
  yes(cap, info, c);
  for (uint32_t i = 0; i < d->n_in; ++i)
    if (same_view(d->in[i], d->out[0])) cap->inplace_mask |= 1u << i;
}

struct State {
  explicit State(const opmux_opd& d) : loops(d.out[0]), n_in(d.n_in), n_out(d.n_out) {
    uint32_t in_dtype[OPMUX_MAX_PROG_IN], out_dtype[OPMUX_MAX_PROG_OUT];
    for (uint32_t o = 0; o < n_out; ++o) loops.add(d.out[o]);
    for (uint32_t i = 0; i < n_in; ++i) loops.add(d.in[i]);
    loops.simplify(0);
    while (loops.rank < 2) grow();
    outer = loops.rank - 2;
    rows = loops.dim[outer];
    cols = loops.dim[outer + 1];
    uint32_t uniform = 0;
    for (uint32_t k = 0; k < n_in + n_out; ++k) {
      const opmux_tdesc& t = k < n_out ? d.out[k] : d.in[k - n_out];
      bytes[k] = address_step(t.dtype);
      per_byte[k] = elements_per_byte(t.dtype);
      (k < n_out ? out_dtype[k] : in_dtype[k - n_out]) = t.dtype;
      const int64_t* s = loops.stride[k];
      if (k >= n_out && s[outer + 1] == 0 && (cols >= kShortRow || s[outer] == 0))
        uniform |= 1u << (k - n_out);
    }
    program.compile(d.prog[0], in_dtype, out_dtype, uniform);
    for (uint32_t i = 0; i < outer; ++i) n_outer *= loops.dim[i];
    col_step = std::min(cols, kItem);
    row_step = std::max<int64_t>(1, std::min(rows, kItem / std::max<int64_t>(col_step, 1)));
    row_items = rows == 0 || cols == 0 ? 0 : (rows + row_step - 1) / row_step;
    col_items = cols == 0 ? 0 : (cols + col_step - 1) / col_step;
    stream = total_bytes(d) > kStreamBytes && !(d.alias && d.alias[0]);
    const double ns = 0.3 * static_cast<double>(row_step * col_step) * (1.0 + d.prog[0].n_insn);
    grain = grain_for(static_cast<uint64_t>(n_outer * row_items * col_items), ns);
    if (!rows_at_bytes()) grain = UINT64_MAX;
  }

  // Do items of different threads write different bytes? Outputs of less than a byte an element must have
  // rows that run along memory and start at whole bytes; the columns of an item are a multiple of any such
  // number of elements.
  bool rows_at_bytes() const {
    for (uint32_t k = 0; k < n_out; ++k) {
      const int64_t per = per_byte[k];
      if (per == 1) continue;
      bool good = loops.stride[k][loops.rank - 1] == 1;
      for (uint32_t i = 0; i + 1 < loops.rank; ++i)
        good = good && (loops.dim[i] == 1 || loops.stride[k][i] % per == 0);
      if (!good) return false;
    }
    return true;
  }

  void grow() {  // a dim of 1 in front
    for (uint32_t i = loops.rank; i > 0; --i) {
      loops.dim[i] = loops.dim[i - 1];
      for (uint32_t k = 0; k < loops.n; ++k) loops.stride[k][i] = loops.stride[k][i - 1];
    }
    loops.dim[0] = 1;
    for (uint32_t k = 0; k < loops.n; ++k) loops.stride[k][0] = 0;
    ++loops.rank;
  }

  void item(uint64_t index, void* const* arg) const {
    const auto c = static_cast<int64_t>(index % static_cast<uint64_t>(col_items)) * col_step;
    index /= static_cast<uint64_t>(col_items);
    const auto r = static_cast<int64_t>(index % static_cast<uint64_t>(row_items)) * row_step;
    index /= static_cast<uint64_t>(row_items);
    TileView view[Loops::kMaxOperands];
    for (uint32_t k = 0; k < loops.n; ++k) {
      const int64_t* s = loops.stride[k];
      const int64_t at = loops.offset(k, outer, index) + r * s[outer] + c * s[outer + 1];
      void* base = arg[k < n_out ? n_in + k : k - n_out];
      if (per_byte[k] > 1) base = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(base) * per_byte[k]);
      view[k] = {static_cast<char*>(base) + at * bytes[k], s[outer], s[outer + 1]};
    }
    program.run_tile(std::min(row_step, rows - r), std::min(col_step, cols - c), view + n_out, view, stream);
  }

  Loops loops;
  RowProgram program;
  uint32_t n_in, n_out, outer = 0;
  int64_t rows = 1, cols = 1, n_outer = 1, row_step = 1, col_step = 1, row_items = 1, col_items = 1;
  int64_t bytes[Loops::kMaxOperands] = {};
  uint32_t per_byte[Loops::kMaxOperands] = {};
  uint64_t grain = 1;
  bool stream = false;
};

opmux_status run(const kit_call* call, opmux_err*) {
  const State& s = *static_cast<const State*>(call->state);
  const auto n = static_cast<uint64_t>(s.n_outer * s.row_items * s.col_items);
  parallel_for(call->host, n, s.grain, [&](uint64_t begin, uint64_t end) {
    for (uint64_t i = begin; i < end; ++i) s.item(i, call->arg);
  });
  return OPMUX_OK;
}

}  // namespace

const kit_op kPointwise = state_op<State, opmux_op_pointwise>(OPMUX_OP_POINTWISE, "tiles", query, run);

}  // namespace opmux::cpu
