// SPDX-License-Identifier: Apache-2.0
// reduce: an item is a batch of outputs beside each other and a segment of their elements. Segments depend on
// the shape alone and are joined in order, so the result has the same bits for any number of threads.
#include "opmux/ops/reduce.gen.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cpu/answer.hpp"
#include "cpu/kernels/memory.hpp"
#include "cpu/kernels/reduce.hpp"
#include "cpu/loops.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/state.hpp"

namespace opmux::cpu {
namespace {

constexpr int64_t kBlock = 2048;         // lanes folded at a time, in L1
constexpr int64_t kWide = 1024;          // outputs of an item that folds columns
constexpr int64_t kStrip = 16;           // outputs of an item that turns columns into rows
constexpr int64_t kSegment = 64 * 1024;  // least elements of an output that are worth a segment
constexpr int64_t kMaxSegments = 64;

enum class Path : uint8_t { kRows, kColumns, kStrips };

Fold fold_for(uint32_t kind, bool last, bool real) {
  switch (kind) {
    case OPMUX_REDUCE_PROD:
      return Fold::kProduct;
    case OPMUX_REDUCE_MEAN:
      return real ? Fold::kSum : Fold::kExactSum;
    case OPMUX_REDUCE_MAX:
    case OPMUX_REDUCE_ANY:
      return Fold::kMax;
    case OPMUX_REDUCE_MIN:
    case OPMUX_REDUCE_ALL:
      return Fold::kMin;
    case OPMUX_REDUCE_ARGMAX:
      return last ? Fold::kArgMaxLast : Fold::kArgMax;
    case OPMUX_REDUCE_ARGMIN:
      return last ? Fold::kArgMinLast : Fold::kArgMin;
    case OPMUX_REDUCE_L1:
      return Fold::kAbsSum;
    case OPMUX_REDUCE_L2:
    case OPMUX_REDUCE_SUM_SQUARE:
      return Fold::kSquareSum;
    case OPMUX_REDUCE_LOG_SUM_EXP:
      return Fold::kLogSumExp;
    case OPMUX_REDUCE_VARIANCE:
      return Fold::kMoments;
    case OPMUX_REDUCE_ABSMAX:
      return Fold::kAbsMax;
    case OPMUX_REDUCE_FINITE_COUNT:
      return Fold::kFiniteCount;
    default:
      return Fold::kSum;
  }
}

// Kinds whose value is no integer even for integers.
bool needs_real(uint32_t kind) {
  return kind == OPMUX_REDUCE_L2 || kind == OPMUX_REDUCE_LOG_SUM || kind == OPMUX_REDUCE_LOG_SUM_EXP ||
         kind == OPMUX_REDUCE_VARIANCE;
}

struct State {
  explicit State(const opmux_opd& d);
  size_t workspace() const {
    return n_segments > 1 ? static_cast<size_t>(n_items * n_segments * batch) * sizeof(Accumulator) : 0;
  }

  void item(uint64_t index, int64_t segment, const char* x, Accumulator* acc) const;
  void rows(const char* x, int64_t begin, int64_t end, Accumulator* acc) const;
  void columns(const char* x, int64_t n, int64_t begin, int64_t end, Accumulator* acc) const;
  void strips(const char* x, int64_t n, int64_t begin, int64_t end, Accumulator* acc) const;
  void fold_lanes(const void* memory, int64_t stride, int64_t n, int64_t position, Accumulator* acc) const;
  void finish(uint64_t index, const Accumulator* acc, char* y) const;
  uint64_t value(const Accumulator& acc) const;
  // Outputs of item `index`: the first one's place and how many.
  int64_t place(uint64_t index, uint32_t operand, int64_t& n) const {
    const auto per_row = static_cast<uint64_t>(items_per_row);
    const int64_t c = static_cast<int64_t>(index % per_row) * batch;
    n = std::min(batch, kept_inner - c);
    return kept.offset(operand, kept_outer, index / per_row) +
           c * (kept.rank ? kept.stride[operand][kept_outer] : 0);
  }

  uint32_t kind, x_dtype, y_dtype;
  bool is_real;   // value() gives bits of a double, else of an integer
  bool in_place;  // x can be folded where it lies
  Fold fold;
  Lane lane;
  Path path = Path::kRows;
  FoldFn fold_fn;
  ColumnFn column_fn = nullptr;
  LoadFn load;
  TileFn to_f64 = nullptr, to_y;
  StoreFn store;
  MoveFn move;
  Loops kept, reduced;  // kept: 0 y, 1 x; reduced: 0 x
  uint32_t kept_outer = 0, reduced_outer = 0;
  int64_t x_bytes, y_bytes, kept_inner = 1, inner = 1, inner_step = 1, count = 1, batch = 1,
                            items_per_row = 1;
  int64_t n_items = 0, n_segments = 1, segment = 1;
  uint64_t grain = 1;
};

State::State(const opmux_opd& d) {
  const auto& a = reinterpret_cast<const opmux_op_reduce&>(d);
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  kind = a.kind;
  x_dtype = x.dtype;
  y_dtype = y.dtype;
  lane = lane_of(x.dtype);
  const bool integral = lane != Lane::kF32 && lane != Lane::kF64;
  if (integral && needs_real(kind)) {
    to_f64 = find_cast(x.dtype, OPMUX_F64, false);
    lane = Lane::kF64;
  }
  const bool real_lane = lane == Lane::kF32 || lane == Lane::kF64;
  fold = fold_for(kind, a.select_last != 0, real_lane);
  is_real = real_lane && OPMUX_DTYPE_CLASS(y.dtype) == OPMUX_CLASS_FLOAT;
  is_real = is_real || to_f64 != nullptr;
  fold_fn = find_fold(fold, lane);
  load = find_load(x.dtype);
  in_place = lanes_are_memory(x.dtype) && !to_f64;
  store = find_store(y.dtype);
  to_y = find_cast(is_real ? OPMUX_F64 : OPMUX_I64, y.dtype, is_real);
  x_bytes = element_bytes(x.dtype);
  y_bytes = element_bytes(y.dtype);
  move = find_move(x_bytes);
  opmux_tdesc k = y, r = x;
  for (uint32_t i = 0; i < x.rank; ++i) r.dim[i] = 1;
  for (uint32_t i = 0; i < a.axes.count; ++i)
    r.dim[d.list[a.axes.first + i]] = x.dim[d.list[a.axes.first + i]];
  kept = Loops(k);
  kept.add(y);
  kept.add_strides(x.stride);
  kept.simplify(1);
  reduced = Loops(r);
  reduced.add_strides(x.stride);
  reduced.simplify(0);
  count = reduced.elements();
  if (kept.rank) kept_outer = kept.rank - 1, kept_inner = kept.dim[kept_outer];
  if (reduced.rank) {
    reduced_outer = reduced.rank - 1;
    inner = reduced.dim[reduced_outer];
    inner_step = reduced.stride[0][reduced_outer];
  }
  const bool side_by_side = kept.rank && kept.stride[1][kept_outer] == 1 && kept_inner >= 4;
  if (side_by_side && reduced.rank && std::abs(inner_step) > 1) {
    column_fn = to_f64 ? nullptr : find_column(fold, lane);
    path = column_fn ? Path::kColumns : Path::kStrips;
  }
  batch = std::min(kept_inner, path == Path::kColumns ? kWide : kStrip);
  if (kept.elements() == 0) return;
  items_per_row = (kept_inner + batch - 1) / batch;
  n_items = kept.elements() / kept_inner * items_per_row;
  const int64_t most = std::min(kMaxSegments, (kMaxSegments + n_items - 1) / n_items);
  n_segments = std::clamp<int64_t>(count * batch / kSegment, 1, most);
  segment = (count + n_segments - 1) / n_segments;
  grain =
      grain_for(static_cast<uint64_t>(n_items * n_segments), 30 + 0.3 * static_cast<double>(segment * batch));
}

void State::fold_lanes(const void* memory, int64_t stride, int64_t n, int64_t position,
                       Accumulator* acc) const {
  if (in_place && stride == 1) return fold_fn(memory, static_cast<size_t>(n), position, acc);
  alignas(64) std::byte lanes[kBlock * 8];
  load(lanes, memory, stride, static_cast<size_t>(n));
  if (to_f64) {
    alignas(64) std::byte real[kBlock * 8];
    to_f64(real, lanes, lanes, lanes, static_cast<size_t>(n));
    return fold_fn(real, static_cast<size_t>(n), position, acc);
  }
  fold_fn(lanes, static_cast<size_t>(n), position, acc);
}

// Elements [begin, end) of one output. Short rows are moved side by side first.
void State::rows(const char* x, int64_t begin, int64_t end, Accumulator* acc) const {
  alignas(64) std::byte side[kBlock * 8];
  int64_t held = 0, first = begin;
  for (int64_t p = begin; p < end;) {
    const int64_t c = p % inner, n = std::min({inner - c, end - p, kBlock});
    const char* at =
        x + (reduced.offset(0, reduced_outer, static_cast<uint64_t>(p / inner)) + c * inner_step) * x_bytes;
    if (n >= 64 || count == inner) {
      fold_lanes(at, inner_step, n, p, acc);
    } else {
      if (held == 0) first = p;
      move(side + held * x_bytes, 1, at, inner_step, n);
      held += n;
      if (held + 64 > kBlock || p + n == end) {
        fold_lanes(side, 1, held, first, acc);
        held = 0;
      }
    }
    p += n;
  }
  if (held > 0) fold_lanes(side, 1, held, first, acc);
}

void State::columns(const char* x, int64_t n, int64_t begin, int64_t end, Accumulator* acc) const {
  alignas(64) std::byte lanes[kColumnRows * kWide * 8];
  uint64_t wide[kWide];
  const Accumulator empty = empty_accumulator(fold, lane);
  uint64_t start = empty.u;
  if (lane == Lane::kF32 || lane == Lane::kF64) std::memcpy(&start, &empty.a, sizeof start);
  std::fill(wide, wide + n, start);
  const auto width = static_cast<size_t>(n);
  for (int64_t p = begin; p < end;) {
    const void* row[kColumnRows];
    const size_t some = end - p >= static_cast<int64_t>(kColumnRows) ? kColumnRows : 1;
    for (size_t k = 0; k < some; ++k, ++p) {
      row[k] = x + reduced.offset(0, reduced.rank, static_cast<uint64_t>(p)) * x_bytes;
      if (in_place) continue;
      load(lanes + k * kWide * 8, row[k], 1, width);
      row[k] = lanes + k * kWide * 8;
    }
    column_fn(row, some, width, wide);
  }
  for (int64_t i = 0; i < n; ++i) {
    acc[i] = empty;
    acc[i].u = wide[i];
    std::memcpy(&acc[i].a, &wide[i], sizeof acc[i].a);
  }
}

void State::strips(const char* x, int64_t n, int64_t begin, int64_t end, Accumulator* acc) const {
  constexpr int64_t kRows = 128;
  alignas(64) std::byte strip[kStrip * kRows * 8];
  for (int64_t p = begin; p < end; p += kRows) {
    const int64_t m = std::min(kRows, end - p);
    for (int64_t r = 0; r < m; ++r)
      move(strip + r * x_bytes, kRows,
           x + reduced.offset(0, reduced.rank, static_cast<uint64_t>(p + r)) * x_bytes, 1, n);
    for (int64_t i = 0; i < n; ++i) fold_lanes(strip + i * kRows * x_bytes, 1, m, p, acc + i);
  }
}

void State::item(uint64_t index, int64_t s, const char* x, Accumulator* acc) const {
  int64_t n;
  const char* at = x + place(index, 1, n) * x_bytes;
  const int64_t begin = s * segment, end = std::min(count, begin + segment);
  std::fill(acc, acc + n, empty_accumulator(fold, lane));
  if (begin >= end) return;
  if (path == Path::kColumns) return columns(at, n, begin, end, acc);
  if (path == Path::kStrips) return strips(at, n, begin, end, acc);
  const int64_t step = kept.rank ? kept.stride[1][kept_outer] * x_bytes : 0;
  for (int64_t i = 0; i < n; ++i) rows(at + i * step, begin, end, acc + i);
}

uint64_t State::value(const Accumulator& acc) const {
  __extension__ using Wide = __int128;
  const auto n = static_cast<double>(count);
  double v = acc.a;
  switch (kind) {
    case OPMUX_REDUCE_MEAN:
      if (!is_real) {
        if (count == 0) return 0;
        const bool is_signed = OPMUX_DTYPE_CLASS(x_dtype) == OPMUX_CLASS_SIGNED;
        __extension__ using UWide = unsigned __int128;
        const UWide sum = static_cast<UWide>(acc.v) << 64 | acc.u;
        return is_signed ? static_cast<uint64_t>(static_cast<Wide>(sum) / count)
                         : static_cast<uint64_t>(sum / static_cast<UWide>(count));
      }
      v = acc.a / n;
      break;
    case OPMUX_REDUCE_L2:
      v = std::sqrt(acc.a);
      break;
    case OPMUX_REDUCE_LOG_SUM:
      v = std::log(acc.a);
      break;
    case OPMUX_REDUCE_LOG_SUM_EXP:
      v = std::isfinite(acc.a) ? acc.a + std::log(acc.b) : acc.a;
      break;
    case OPMUX_REDUCE_VARIANCE:
      v = acc.b / n;
      break;
    case OPMUX_REDUCE_ARGMAX:
    case OPMUX_REDUCE_ARGMIN:
      return acc.v;
    default:
      break;
  }
  if (!is_real) return acc.u;
  uint64_t bits;
  std::memcpy(&bits, &v, sizeof bits);
  return bits;
}

void State::finish(uint64_t index, const Accumulator* acc, char* y) const {
  uint64_t wide[kWide], lanes[kWide];
  int64_t n;
  char* at = y + place(index, 0, n) * y_bytes;
  for (int64_t i = 0; i < n; ++i) wide[i] = value(acc[i]);
  to_y(lanes, wide, wide, wide, static_cast<size_t>(n));
  store(at, kept.rank ? kept.stride[0][kept_outer] : 1, lanes, static_cast<size_t>(n));
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap)) return;
  if (lane_of(d->in[0].dtype) == Lane::kNone) return no(cap, OPMUX_WHY_DTYPE, 0, d->in[0].dtype);
  if (!apart(*d, cap)) return;
  const State s(*d);
  Cost c;
  c.bytes = static_cast<double>(elements(d->in[0]) * s.x_bytes + elements(d->out[0]) * s.y_bytes);
  c.flops = static_cast<double>(elements(d->in[0]));
  c.flops_per_ns = 8;
  c.ws = s.workspace();
  yes(cap, info, c);
}

opmux_status run(const kit_call* call, opmux_err*) {
  const State& s = *static_cast<const State*>(call->state);
  const auto* x = static_cast<const char*>(call->arg[0]);
  auto* y = static_cast<char*>(call->arg[1]);
  if (s.n_segments == 1) {
    parallel_for(call->host, static_cast<uint64_t>(s.n_items), s.grain, [&](uint64_t begin, uint64_t end) {
      Accumulator acc[kWide];
      for (uint64_t i = begin; i < end; ++i) {
        s.item(i, 0, x, acc);
        s.finish(i, acc, y);
      }
    });
    return OPMUX_OK;
  }
  auto* part = static_cast<Accumulator*>(call->ws);
  const auto segments = static_cast<uint64_t>(s.n_segments);
  parallel_for(call->host, static_cast<uint64_t>(s.n_items) * segments, s.grain,
               [&](uint64_t begin, uint64_t end) {
                 for (uint64_t i = begin; i < end; ++i)
                   s.item(i / segments, static_cast<int64_t>(i % segments), x,
                          part + i * static_cast<uint64_t>(s.batch));
               });
  for (uint64_t i = 0; i < static_cast<uint64_t>(s.n_items); ++i) {
    Accumulator* acc = part + i * segments * static_cast<uint64_t>(s.batch);
    for (uint64_t k = 1; k < segments; ++k)
      for (int64_t b = 0; b < s.batch; ++b)
        join(s.fold, s.lane, acc + b, acc[k * static_cast<uint64_t>(s.batch) + static_cast<uint64_t>(b)]);
    s.finish(i, acc, y);
  }
  return OPMUX_OK;
}

}  // namespace

const kit_op kReduce = state_op<State, opmux_op_reduce>(OPMUX_OP_REDUCE, "folds", query, run);

}  // namespace opmux::cpu
