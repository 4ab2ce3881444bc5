// SPDX-License-Identifier: Apache-2.0
// segment: in 64 bits. An item is a strip of columns and, where there are too few of these, a part of the
// segments; it goes through all rows in order, so its sums have the same bits for any number of threads.
#include <algorithm>
#include <cstring>

#include "cpu/coordinate.hpp"
#include "cpu/kernels/scan.hpp"
#include "cpu/kernels/update.hpp"
#include "cpu/loops.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/state.hpp"
#include "cpu/wide.hpp"
#include "opmux/ops.h"

namespace opmux::cpu {
namespace {

constexpr int64_t kStrip = 256, kMostParts = 8, kLeastForParts = 16384;

// How rows join, and the kind of scan that starts from the same number.
struct Form {
  uint32_t update, start;
};
Form form_of(uint32_t kind) {
  switch (kind) {
    case OPMUX_SEGMENT_MAX:
    case OPMUX_SEGMENT_SOFTMAX:
      return {OPMUX_SCATTER_MAX, OPMUX_SCAN_MAX};
    case OPMUX_SEGMENT_MIN:
      return {OPMUX_SCATTER_MIN, OPMUX_SCAN_MIN};
    case OPMUX_SEGMENT_PROD:
      return {OPMUX_SCATTER_MUL, OPMUX_SCAN_PROD};
    default:
      return {OPMUX_SCATTER_ADD, OPMUX_SCAN_SUM};
  }
}

struct State {
  explicit State(const opmux_opd& d);
  // Accumulators of all items (softmax: greatest and sum), then the number of rows of each segment.
  uint64_t workspace() const {
    const auto per_segment = static_cast<uint64_t>(columns) * (softmax ? 2 : 1) + 1;
    return items ? static_cast<uint64_t>(segments) * per_segment * 8 : 0;
  }
  bool softmax, mean;
  uint32_t dtype;
  Wide wide;
  UpdateFn update, add;
  TileFn sub, exp, div;
  const ScanKernels* scan;
  Coordinate id;
  Loops cells;  // 0: x, 1: y; the columns, row-major
  int64_t rows, segments, columns, x_row, y_row, id_step, parts = 1, strips = 0, items = 0;
  uint64_t grain = 1;
};

State::State(const opmux_opd& d) {
  const auto& a = reinterpret_cast<const opmux_op_segment&>(d);
  const opmux_tdesc &x = d.in[0], &ids = d.in[1], &y = d.out[0];
  const Form form = form_of(a.kind);
  softmax = a.kind == OPMUX_SEGMENT_SOFTMAX;
  mean = a.kind == OPMUX_SEGMENT_MEAN;
  dtype = x.dtype;
  wide = Wide(dtype);
  update = find_update(form.update, wide.dtype());
  add = find_update(OPMUX_SCATTER_ADD, wide.dtype());
  scan = &find_scan(form.start, lane_of(wide.dtype()));
  sub = find_tile(OPMUX_FN_SUB, Lane::kF64, 0);
  exp = find_tile(OPMUX_FN_EXP, Lane::kF64, 0);
  div = find_tile(OPMUX_FN_DIV, Lane::kF64, 0);
  id.wide = ids.dtype == OPMUX_I64;
  id_step = ids.stride[0];
  opmux_tdesc column = x;
  column.dim[0] = 1;
  cells = Loops(column);
  cells.add_strides(x.stride);
  cells.add_strides(y.stride);
  columns = cells.elements();
  rows = x.dim[0];
  segments = a.segments;
  x_row = x.stride[0];
  y_row = y.stride[0];
  if (columns == 0) return;
  strips = (columns + kStrip - 1) / kStrip;
  if (strips < kMostParts && rows >= kLeastForParts && segments >= kMostParts) parts = kMostParts;
  items = strips * parts;
  grain = grain_for(static_cast<uint64_t>(items), static_cast<double>(rows * std::min(columns, kStrip)) * 3);
}

// One strip of columns of the segments [first, last).
class Item {
 public:
  Item(const kit_call* call, const State& s, uint64_t index)
      : s_(s),
        x_(call->arg[0]),
        y_(call->arg[2]),
        ids_(static_cast<const char*>(call->arg[1])),
        begin_(static_cast<int64_t>(index) / s.parts * kStrip),
        n_(std::min(kStrip, s.columns - begin_)) {
    const int64_t part = static_cast<int64_t>(index) % s.parts;
    first_ = s.segments * part / s.parts;
    last_ = s.segments * (part + 1) / s.parts;
    auto* ws = static_cast<uint64_t*>(call->ws);
    acc_ = ws + s.segments * begin_;
    sum_ = ws + s.segments * (s.columns + begin_);
    counts_ = ws + s.segments * s.columns * (s.softmax ? 2 : 1);
  }
  void run() {
    for (int64_t i = first_ * n_; i < last_ * n_; ++i) s_.scan->start(s_.dtype, acc_ + i);
    each_row(
        [&](int64_t, int64_t id, const uint64_t* v) { s_.update(acc_ + id * n_, 1, nullptr, v, 1, n_); });
    if (s_.softmax) return softmax();
    for (int64_t id = first_; id < last_; ++id) {
      if (s_.mean) divide(acc_ + id * n_, counts_[id]);
      put(id, acc_ + id * n_);
    }
  }

 private:
  template <class F>
  void each_row(F&& f) const {
    uint64_t v[kStrip];
    for (int64_t i = 0; i < s_.rows; ++i) {
      const int64_t id = s_.id.number(ids_, i * s_.id_step);
      if (id < first_ || id >= last_) continue;
      each_run(s_.cells, 0, begin_, begin_ + n_, kStrip, [&](int64_t c, int64_t offset, int64_t n) {
        s_.wide.get(x_, i * s_.x_row + offset, step(0), n, v + (c - begin_));
      });
      f(i, id, static_cast<const uint64_t*>(v));
    }
  }
  void put(int64_t row, const uint64_t* v) const {
    each_run(s_.cells, 1, begin_, begin_ + n_, kStrip, [&](int64_t c, int64_t offset, int64_t n) {
      s_.wide.put(y_, row * s_.y_row + offset, step(1), n, v + (c - begin_));
    });
  }
  int64_t step(uint32_t k) const { return s_.cells.stride[k][s_.cells.rank - 1]; }

  void divide(uint64_t* v, uint64_t count) const {
    for (int64_t c = 0; c < n_; ++c) {
      if (s_.wide.dtype() == OPMUX_F64) {
        double sum;
        std::memcpy(&sum, v + c, sizeof sum);
        sum /= static_cast<double>(count);
        std::memcpy(v + c, &sum, sizeof sum);
      } else if (count != 0) {
        const bool is_signed = s_.wide.dtype() == OPMUX_I64;
        v[c] = is_signed ? static_cast<uint64_t>(static_cast<int64_t>(v[c]) / static_cast<int64_t>(count))
                         : v[c] / count;
      }
    }
  }
  // acc_ has the greatest of each column; e^(x - greatest) is computed twice rather than kept.
  void softmax() const {
    const auto n = static_cast<size_t>(n_);
    uint64_t e[kStrip];
    const auto exponential = [&](int64_t id, const uint64_t* v) {
      s_.sub(e, v, acc_ + id * n_, acc_, n);
      s_.exp(e, e, e, e, n);
    };
    std::fill(sum_ + first_ * n_, sum_ + last_ * n_, uint64_t{0});  // bits of 0.0
    each_row([&](int64_t, int64_t id, const uint64_t* v) {
      exponential(id, v);
      s_.add(sum_ + id * n_, 1, nullptr, e, 1, n_);
    });
    each_row([&](int64_t row, int64_t id, const uint64_t* v) {
      exponential(id, v);
      s_.div(e, e, sum_ + id * n_, e, n);
      put(row, e);
    });
  }

  const State& s_;
  const void* x_;
  void* y_;
  const char* ids_;
  int64_t begin_, n_, first_, last_;
  uint64_t *acc_, *sum_, *counts_;
};

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap) || !apart(*d, cap)) return;
  const State s(*d);
  if (!fits(static_cast<double>(s.workspace()), 0x1p36, cap)) return;
  const auto count = static_cast<double>(s.rows * s.columns);
  yes(cap, info,
      {.flops = (s.softmax ? 40 : 4) * count,
       .bytes = (s.softmax ? 4 : 2) * count * static_cast<double>(s.wide.bytes()),
       .flops_per_ns = 2,
       .ws = s.workspace()});
}

opmux_status run(const kit_call* call, opmux_err* err) {
  const State& s = *static_cast<const State*>(call->state);
  const auto* ids = static_cast<const char*>(call->arg[1]);
  uint64_t* counts = nullptr;
  if (s.items) {
    counts = static_cast<uint64_t*>(call->ws) + s.segments * s.columns * (s.softmax ? 2 : 1);
    std::fill(counts, counts + s.segments, uint64_t{0});
  }
  for (int64_t i = 0; i < s.rows; ++i) {
    const int64_t id = s.id.number(ids, i * s.id_step);
    if (id < 0 || id >= s.segments)
      return kit_fail(err, OPMUX_E_FAULT, 1, "segment: id %lld at position %lld is outside [0, %lld]",
                      static_cast<long long>(id), static_cast<long long>(i),
                      static_cast<long long>(s.segments - 1));
    if (counts) ++counts[id];
  }
  parallel_for(call->host, static_cast<uint64_t>(s.items), s.grain, [&](uint64_t begin, uint64_t end) {
    for (uint64_t i = begin; i < end; ++i) Item(call, s, i).run();
  });
  return OPMUX_OK;
}

}  // namespace

const kit_op kSegment = state_op<State, opmux_op_segment>(OPMUX_OP_SEGMENT, "strips", query, run);

}  // namespace opmux::cpu
