// SPDX-License-Identifier: Apache-2.0
// softmax along one axis, in rows of lanes that stay in L1 (longer rows: a pass for maximum and sum, one for
// values), or, when the elements beside each other belong to different rows, in tiles of such neighbours.
#include <algorithm>

#include "cpu/answer.hpp"
#include "cpu/kernels/reduce.hpp"
#include "cpu/kernels/softmax.hpp"
#include "cpu/loops.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/program.hpp"
#include "cpu/state.hpp"
#include "opmux/ops/normalise.gen.h"
#include "opmux/ops/pointwise.gen.h"

namespace opmux::cpu {
namespace {

constexpr int64_t kRow = 2048;  // longest row that is kept whole
constexpr int64_t kBand = 256;  // rows beside each other that are worked on together
constexpr uint32_t kMaxExtra = OPMUX_MAX_PROG_IN - 1;

uint32_t compute_dtype(uint32_t dtype) { return dtype == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32; }

bool check(const opmux_opd& d, opmux_cap* cap) {
  if (!plain_operands(d, cap)) return false;
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  if (lane_of(x.dtype) != Lane::kF32 && lane_of(x.dtype) != Lane::kF64)
    return no(cap, OPMUX_WHY_DTYPE, 0, x.dtype), false;
  uint32_t dtype[OPMUX_MAX_PROG_IN] = {compute_dtype(x.dtype)}, bad = 0;
  for (uint32_t i = 1; i < d.n_in && i < OPMUX_MAX_PROG_IN; ++i) dtype[i] = d.in[i].dtype;
  if (d.n_prog == 0 && y.dtype != x.dtype) return no(cap, OPMUX_WHY_DTYPE, d.n_in, y.dtype, x.dtype), false;
  if (d.n_prog != 0 && !RowProgram::supports(d.prog[0], dtype, &bad))
    return no(cap, OPMUX_WHY_PROGRAM, 0, bad), false;
  // A row is read whole before it is written, but its neighbours are not.
  const uint32_t from = d.alias ? d.alias[0] : 0;
  if (from != 0 && (from != 1 || !same_view(x, y))) return no(cap, OPMUX_WHY_ALIAS, from - 1), false;
  return true;
}

struct State {
  explicit State(const opmux_opd& d);
  void row(uint64_t index, void* const* arg) const;
  void band(uint64_t index, void* const* arg) const;
  void write(const void* lanes, int64_t rows, int64_t cols, const int64_t* at, bool along_axis,
             void* const* arg) const;
  const void* lanes(const char* memory, int64_t step, int64_t n, void* buffer) const {
    if (in_place && step == 1) return memory;
    load(buffer, memory, step, static_cast<size_t>(n));
    return buffer;
  }

  Loops kept;  // 0: y, 1: x, then extra operands
  int64_t axis_step[2 + kMaxExtra], bytes[2 + kMaxExtra];
  uint32_t n_extra, outer = 0;
  int64_t n, inner = 1, bands = 1;
  uint64_t items = 0, grain = 1;
  bool is_log, by_bands = false, has_program, in_place;
  Lane lane;
  LoadFn load;
  StoreFn store;
  SoftmaxFn whole;
  SoftmaxPartFn part;
  FoldFn fold;
  TileFn maximum, subtract, exponential, multiply, reciprocal, logarithm, to_lanes;
  ColumnFn accumulate;  // sums in f64
  RowProgram program;
};

State::State(const opmux_opd& d) : n_extra(d.n_in - 1) {
  const auto& a = reinterpret_cast<const opmux_op_softmax&>(d);
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  is_log = a.kind == OPMUX_SOFTMAX_LOG;
  lane = lane_of(x.dtype);
  n = x.dim[a.axis];
  load = find_load(x.dtype);
  store = find_store(y.dtype);
  in_place = lanes_are_memory(x.dtype);
  whole = find_softmax(lane, is_log);
  part = find_softmax_part(lane, is_log);
  fold = find_fold(Fold::kLogSumExp, lane);
  maximum = find_tile(OPMUX_FN_MAX, lane, 0);
  subtract = find_tile(OPMUX_FN_SUB, lane, 0);
  exponential = find_tile(OPMUX_FN_EXP, lane, 0);
  accumulate = find_column(Fold::kSum, lane);
  to_lanes = find_cast(OPMUX_F64, compute_dtype(x.dtype), false);
  multiply = find_tile(OPMUX_FN_MUL, lane, 0);
  reciprocal = find_tile(OPMUX_FN_RECIPROCAL, lane, 0);
  logarithm = find_tile(OPMUX_FN_LOG, lane, 0);
  has_program = d.n_prog != 0;
  if (has_program) {
    uint32_t dtype[OPMUX_MAX_PROG_IN] = {compute_dtype(x.dtype)};
    for (uint32_t i = 1; i < d.n_in; ++i) dtype[i] = d.in[i].dtype;
    program.compile(d.prog[0], dtype, &y.dtype);
  }
  kept = Loops(y);
  kept.add(y);
  kept.add(x);
  for (uint32_t i = 1; i < d.n_in; ++i) kept.add(d.in[i]);
  for (uint32_t k = 0; k < kept.n; ++k) {
    axis_step[k] = kept.stride[k][a.axis];
    bytes[k] = element_bytes(k == 0 ? y.dtype : d.in[k - 1].dtype);
  }
  kept.dim[a.axis] = 1;
  kept.simplify(1);
  if (kept.elements() == 0 || n == 0) return;
  outer = kept.rank;
  by_bands = kept.rank > 0 && kept.stride[1][kept.rank - 1] == 1 && axis_step[1] != 1 &&
             kept.dim[kept.rank - 1] >= 4;
  items = static_cast<uint64_t>(kept.elements());
  if (by_bands) {
    outer = kept.rank - 1;
    inner = kept.dim[outer];
    bands = (inner + kBand - 1) / kBand;
    items = items / static_cast<uint64_t>(inner) * static_cast<uint64_t>(bands);
  }
  const double wide = by_bands ? static_cast<double>(std::min(inner, kBand)) : 1;
  grain = grain_for(items, 20 + 1.5 * wide * static_cast<double>(n));
}

// rows x cols lanes, one after the other, to the places whose first elements are at[]. Columns run along the
// axis, or along the band (one row then).
void State::write(const void* lanes, int64_t rows, int64_t cols, const int64_t* at, bool along_axis,
                  void* const* arg) const {
  const auto col_step = [&](uint32_t k) { return along_axis ? axis_step[k] : kept.stride[k][outer]; };
  char* y = static_cast<char*>(arg[1 + n_extra]) + at[0] * bytes[0];
  if (!has_program) return store(y, col_step(0), lanes, static_cast<size_t>(cols));
  TileView in[OPMUX_MAX_PROG_IN], out{y, 0, col_step(0)};
  in[0] = {const_cast<void*>(lanes), 0, 1};
  for (uint32_t i = 0; i < n_extra; ++i) {
    const uint32_t k = 2 + i;
    in[1 + i] = {static_cast<char*>(arg[1 + i]) + at[k] * bytes[k], 0, col_step(k)};
  }
  program.run_tile(rows, cols, in, &out);
}

void State::row(uint64_t index, void* const* arg) const {
  alignas(64) std::byte in[kRow * 8], out[kRow * 8];
  int64_t at[2 + kMaxExtra];
  for (uint32_t k = 0; k < kept.n; ++k) at[k] = kept.offset(k, outer, index);
  const char* x = static_cast<const char*>(arg[0]) + at[1] * bytes[1];
  char* y = static_cast<char*>(arg[1 + n_extra]) + at[0] * bytes[0];
  if (n <= kRow) {
    const void* from = lanes(x, axis_step[1], n, in);
    const bool direct = in_place && axis_step[0] == 1 && !has_program;
    whole(direct ? static_cast<void*>(y) : out, from, static_cast<size_t>(n));
    if (!direct) write(out, 1, n, at, true, arg);
    return;
  }
  Accumulator acc = empty_accumulator(Fold::kLogSumExp, lane);
  const auto block = [&](int64_t c) {
    return lanes(x + c * axis_step[1] * bytes[1], axis_step[1], std::min(kRow, n - c), in);
  };
  for (int64_t c = 0; c < n; c += kRow) fold(block(c), static_cast<size_t>(std::min(kRow, n - c)), c, &acc);
  for (int64_t c = 0; c < n; c += kRow) {
    const int64_t m = std::min(kRow, n - c);
    part(out, block(c), static_cast<size_t>(m), acc.a, acc.b);
    int64_t here[2 + kMaxExtra];
    for (uint32_t k = 0; k < kept.n; ++k) here[k] = at[k] + c * axis_step[k];
    write(out, 1, m, here, true, arg);
  }
}

void State::band(uint64_t index, void* const* arg) const {
  alignas(64) std::byte in[kBand * 8], top[kBand * 8], sum[kBand * 8], t[kBand * 8];
  double wide[kBand] = {};
  const int64_t c = static_cast<int64_t>(index % static_cast<uint64_t>(bands)) * kBand;
  const int64_t cols = std::min(kBand, inner - c);
  const auto m = static_cast<size_t>(cols);
  int64_t at[2 + kMaxExtra];
  for (uint32_t k = 0; k < kept.n; ++k)
    at[k] = kept.offset(k, outer, index / static_cast<uint64_t>(bands)) + c * kept.stride[k][outer];
  const char* x = static_cast<const char*>(arg[0]) + at[1] * bytes[1];
  const auto position = [&](int64_t p) { return lanes(x + p * axis_step[1] * bytes[1], 1, cols, in); };
  load(top, x, 1, m);
  for (int64_t p = 1; p < n; ++p) maximum(top, top, position(p), top, m);
  for (int64_t p = 0; p < n; ++p) {
    subtract(t, position(p), top, top, m);
    exponential(t, t, t, t, m);
    const void* terms = t;
    accumulate(&terms, 1, m, wide);
  }
  to_lanes(sum, wide, wide, wide, m);
  (is_log ? logarithm : reciprocal)(sum, sum, sum, sum, m);
  for (int64_t p = 0; p < n; ++p) {
    subtract(t, position(p), top, top, m);
    if (is_log) {
      subtract(t, t, sum, sum, m);
    } else {
      exponential(t, t, t, t, m);
      multiply(t, t, sum, sum, m);
    }
    int64_t here[2 + kMaxExtra];
    for (uint32_t k = 0; k < kept.n; ++k) here[k] = at[k] + p * axis_step[k];
    write(t, 1, cols, here, false, arg);
  }
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!check(*d, cap)) return;
  Cost c;
  c.bytes = static_cast<double>(elements(d->in[0]) * element_bytes(d->in[0].dtype)) * 2;
  c.flops = 5 * static_cast<double>(elements(d->in[0]));
  c.flops_per_ns = 8;
  yes(cap, info, c);
  if (same_view(d->in[0], d->out[0])) cap->inplace_mask = 1;
}

opmux_status run(const kit_call* call, opmux_err*) {
  const State& s = *static_cast<const State*>(call->state);
  parallel_for(call->host, s.items, s.grain, [&](uint64_t begin, uint64_t end) {
    for (uint64_t i = begin; i < end; ++i) s.by_bands ? s.band(i, call->arg) : s.row(i, call->arg);
  });
  return OPMUX_OK;
}

}  // namespace

const kit_op kSoftmax = state_op<State, opmux_op_softmax>(OPMUX_OP_SOFTMAX, "rows", query, run);

}  // namespace opmux::cpu
