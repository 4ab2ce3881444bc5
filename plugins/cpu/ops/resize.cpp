// SPDX-License-Identifier: Apache-2.0
// resize: nearest moves rows; linear and cubic go axis by axis, the axis that shrinks most first, over
// contiguous rows in the working type.
#include <algorithm>

#include "cpu/answer.hpp"
#include "cpu/kernels/memory.hpp"
#include "cpu/kernels/scaled_row.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/resize_plan.hpp"
#include "cpu/state.hpp"
#include "cpu/tiles.hpp"
#include "kit/scalar.hpp"

namespace opmux::cpu {
namespace {

constexpr int64_t kBlock = 1024;  // elements of a row at a time; in L1 with their sums

uint32_t working_type(const opmux_opd& d) { return d.in[0].dtype == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32; }

// Rows are used where they lie.
bool is_direct(const opmux_tdesc& t) {
  return lanes_are_memory(t.dtype) && (t.rank == 0 || t.stride[t.rank - 1] == 1 || t.dim[t.rank - 1] == 1);
}

// Elements of the results between two passes, of the greatest one; a first pass may only convert.
int64_t between(const ResizePlan& p) {
  opmux_tdesc t = p.x;
  int64_t most = is_direct(t) ? 0 : elements(t);
  for (uint32_t i = 0; i + 1 < p.n; ++i) {
    t.dim[p.table[i].axis] = p.table[i].out;
    most = std::max(most, elements(t));
  }
  return most;
}
uint64_t buffer_bytes(const opmux_opd& d, const ResizePlan& p) {
  if (p.nearest) return 0;
  return (static_cast<uint64_t>(between(p) * element_bytes(working_type(d))) + 63) & ~uint64_t{63};
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap) || !whole_bytes(*d, cap) || !apart(*d, cap)) return;
  const ResizePlan p(*d);
  const auto y = static_cast<double>(elements(d->out[0])), x = static_cast<double>(elements(d->in[0]));
  Cost c{.bytes = (x + y) * static_cast<double>(element_bytes(d->in[0].dtype)), .flops_per_ns = 4};
  for (uint32_t i = 0; i < p.n; ++i) c.flops += 2 * y * static_cast<double>(p.table[i].most_taps);
  c.ws = p.table_bytes + 2 * buffer_bytes(*d, p) + 64;
  yes(cap, info, c);
}

struct State {
  explicit State(const opmux_opd& d)
      : plan(d),
        buffer(buffer_bytes(d, plan)),
        bytes(element_bytes(d.in[0].dtype)),
        move(find_move(bytes)),
        fill(find_fill(bytes)),
        load(find_load(d.in[0].dtype)),
        store(find_store(d.in[0].dtype)) {
    const auto value = kit::of_float(static_cast<double>(plan.d.extrapolation));
    kit::store(d.in[0].dtype, &extrapolation, 0, kit::cast_to(OPMUX_F32, d.in[0].dtype, value, true));
    crops = plan.d.coordinates == OPMUX_RESIZE_TF_CROP_AND_RESIZE;
  }
  ResizePlan plan;
  uint64_t buffer;
  int64_t bytes;
  MoveFn move;
  FillFn fill;
  LoadFn load;
  StoreFn store;
  uint64_t extrapolation = 0;  // bits in the type of y
  bool crops = false;
};

int64_t rows_of(const opmux_tdesc& t) {
  int64_t n = 1;
  for (uint32_t i = 0; i + 1 < t.rank; ++i) n *= t.dim[i];
  return n;
}

// Position of row r of t in all dims but the last.
void row_index(const opmux_tdesc& t, int64_t r, int64_t* index) {
  for (uint32_t i = t.rank - 1; i-- > 0;) {
    index[i] = r % t.dim[i];
    r /= t.dim[i];
  }
}
int64_t row_offset(const opmux_tdesc& t, const int64_t* index) {
  int64_t offset = 0;
  for (uint32_t i = 0; i + 1 < t.rank; ++i) offset += index[i] * t.stride[i];
  return offset;
}

// Rows of y by the tables of all axes: nearest, and what takes the extrapolation value.
class Rows {
 public:
  Rows(const State& s, const kit_call& call, const char* ws)
      : s_(s), x_(static_cast<const char*>(call.arg[0])), y_(static_cast<char*>(call.arg[call.d->n_in])) {
    for (uint32_t i = 0; i < s.plan.n; ++i) {
      taps_[s.plan.table[i].axis] = s.plan.taps(ws, i);
      resized_[s.plan.table[i].axis] = true;
    }
  }

  void run(int64_t r, bool extrapolate_only) const {
    const opmux_tdesc &x = s_.plan.x, &y = s_.plan.y;
    int64_t index[OPMUX_MAX_RANK], from = 0;
    row_index(y, r, index);
    char* to = y_ + row_offset(y, index) * s_.bytes;
    const uint32_t last = y.rank - 1;
    const int64_t n = y.dim[last], step = y.stride[last];
    bool outside = false;
    for (uint32_t i = 0; i < last; ++i) {
      if (resized_[i]) {
        outside = outside || (s_.crops && taps_[i].outside[index[i]]);
        if (s_.plan.nearest) index[i] = taps_[i].place[index[i]];
      }
      from += index[i] * x.stride[i];
    }
    if (outside) return s_.fill(to, step, &s_.extrapolation, n);
    if (!extrapolate_only) move_row(to, x_ + from * s_.bytes);
    for (int64_t o = 0; s_.crops && resized_[last] && o < n; ++o)
      if (taps_[last].outside[o]) s_.fill(to + o * step * s_.bytes, 1, &s_.extrapolation, 1);
  }

 private:
  void move_row(char* to, const char* from) const {
    const opmux_tdesc &x = s_.plan.x, &y = s_.plan.y;
    const uint32_t last = y.rank - 1;
    if (!resized_[last]) return s_.move(to, y.stride[last], from, x.stride[last], y.dim[last]);
    switch (s_.bytes) {
      case 1:
        return pick<uint8_t>(to, from);
      case 2:
        return pick<uint16_t>(to, from);
      case 4:
        return pick<uint32_t>(to, from);
      default:
        return pick<uint64_t>(to, from);
    }
  }
  template <class U>
  void pick(char* to, const char* from) const {
    const uint32_t last = s_.plan.y.rank - 1;
    const int64_t n = s_.plan.y.dim[last], y_step = s_.plan.y.stride[last], x_step = s_.plan.x.stride[last];
    const int64_t* place = taps_[last].place;
    auto* y = reinterpret_cast<U*>(to);
    const auto* x = reinterpret_cast<const U*>(from);
    for (int64_t o = 0; o < n; ++o) y[o * y_step] = x[place[o] * x_step];
  }

  const State& s_;
  const char* x_;
  char* y_;
  ResizeTaps taps_[OPMUX_MAX_RANK] = {};
  bool resized_[OPMUX_MAX_RANK] = {};
};

// One pass from contiguous rows at `from` (strides of its outer dims as in x) to `to`.
template <class T>
struct Pass {
  const State& s;
  opmux_tdesc x, y;  // of the pass; y has the type of the operator's only where it is the last one
  const T* from;
  void* to;
  bool convert;  // y is not in the working type, or its rows have a stride
  ResizeTaps taps;
  uint32_t axis;

  void run(int64_t r) const {
    int64_t index[OPMUX_MAX_RANK];
    row_index(y, r, index);
    char* row = static_cast<char*>(to) + row_offset(y, index) * element_bytes(y.dtype);
    const uint32_t last = y.rank - 1;
    const int64_t n = y.dim[last];
    alignas(64) T block[kBlock];
    for (int64_t at = 0; at < n; at += kBlock) {
      const int64_t count = std::min(kBlock, n - at);
      char* out = row + at * y.stride[last] * element_bytes(y.dtype);
      T* sum = convert ? block : reinterpret_cast<T*>(out);
      axis == last ? along(index, at, count, sum) : across(index, at, count, sum);
      if (convert) s.store(out, y.stride[last], sum, static_cast<size_t>(count));
    }
  }

 private:
  // The axis is the last one: each result has places of its own in one row.
  void along(const int64_t* index, int64_t at, int64_t n, T* sum) const {
    const T* row = from + row_offset(x, index);
    for (int64_t o = 0; o < n; ++o) {
      T v = 0;
      for (int64_t k = taps.first[at + o]; k < taps.first[at + o + 1]; ++k)
        v += static_cast<T>(taps.weight[k]) * row[taps.place[k]];
      sum[o] = v;
    }
  }
  // Another one: a row of results is a sum of rows.
  void across(int64_t* index, int64_t at, int64_t n, T* sum) const {
    const int64_t o = index[axis], begin = taps.first[o], end = taps.first[o + 1];
    if (begin == end) std::fill(sum, sum + n, T{0});
    for (int64_t k = begin; k < end; ++k) {
      index[axis] = taps.place[k];
      const T* row = from + row_offset(x, index) + at;
      const T w = static_cast<T>(taps.weight[k]);
      k == begin ? scale_row(row, w, n, sum) : add_scaled_row(row, w, n, sum);
    }
    index[axis] = o;
  }
};

opmux_tdesc contiguous_of(opmux_tdesc t, uint32_t dtype) {
  t.dtype = dtype;
  int64_t step = 1;
  for (uint32_t i = t.rank; i-- > 0;) {
    t.stride[i] = step;
    step *= std::max<int64_t>(t.dim[i], 1);
  }
  return t;
}

template <class F>
void each_row(const kit_call* call, const opmux_tdesc& t, double taps, const F& f) {
  const auto rows = static_cast<uint64_t>(rows_of(t));
  const double ns = 20 + 0.4 * taps * static_cast<double>(t.dim[t.rank - 1]);
  parallel_for(call->host, rows, grain_for(rows, ns), [&](uint64_t begin, uint64_t end) {
    for (uint64_t r = begin; r < end; ++r) f(static_cast<int64_t>(r));
  });
}

template <class T>
void interpolate(const kit_call* call, const State& s, const char* tables, char* buffers) {
  const uint32_t type = working_type(*call->d);
  opmux_tdesc x = s.plan.x;
  const T* from = static_cast<const T*>(call->arg[0]);
  uint32_t used = 0;
  if (!is_direct(x)) {
    const opmux_tdesc to = contiguous_of(x, type);
    T* y = reinterpret_cast<T*>(buffers);
    each_row(call, x, 1, [&](int64_t r) {
      int64_t index[OPMUX_MAX_RANK];
      row_index(x, r, index);
      s.load(y + row_offset(to, index),
             static_cast<const char*>(call->arg[0]) + row_offset(x, index) * s.bytes, x.stride[x.rank - 1],
             static_cast<size_t>(x.dim[x.rank - 1]));
    });
    from = y;
    x = to;
    used = 1;
  }
  for (uint32_t i = 0; i < s.plan.n; ++i, ++used) {
    const ResizeTable& t = s.plan.table[i];
    const bool last = i + 1 == s.plan.n;
    opmux_tdesc y = x;
    y.dim[t.axis] = t.out;
    y = last ? s.plan.y : contiguous_of(y, type);
    void* to = last ? call->arg[call->d->n_in] : buffers + (used % 2) * s.buffer;
    const Pass<T> pass{
        s, x, y, from, to, !is_direct(y), s.plan.taps(tables, i), static_cast<uint32_t>(t.axis)};
    each_row(call, y, static_cast<double>(t.most_taps), [&](int64_t r) { pass.run(r); });
    from = static_cast<const T*>(to);
    x = y;
  }
}

opmux_status run(const kit_call* call, opmux_err* err) {
  const State& s = *static_cast<const State*>(call->state);
  char* ws = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(call->ws) + 63) & ~uintptr_t{63});
  if (const opmux_status status = s.plan.fill(*call, ws, err); status != OPMUX_OK) return status;
  if (elements(call->d->out[0]) == 0) return OPMUX_OK;
  if (!s.plan.nearest) {
    char* buffers = ws + s.plan.table_bytes;
    working_type(*call->d) == OPMUX_F64 ? interpolate<double>(call, s, ws, buffers)
                                        : interpolate<float>(call, s, ws, buffers);
    if (!s.crops) return OPMUX_OK;
  }
  const Rows rows(s, *call, ws);
  each_row(call, s.plan.y, 1, [&](int64_t r) { rows.run(r, !s.plan.nearest); });
  return OPMUX_OK;
}

}  // namespace

const kit_op kResize = state_op<State, opmux_op_resize>(OPMUX_OP_RESIZE, "separable", query, run);

}  // namespace opmux::cpu
