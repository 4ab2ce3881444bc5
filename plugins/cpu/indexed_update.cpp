// SPDX-License-Identifier: Apache-2.0
#include "cpu/indexed_update.hpp"

#include <algorithm>

#include "cpu/answer.hpp"
#include "cpu/parallel.hpp"
#include "opmux/ops/index.gen.h"

namespace opmux::cpu {
namespace {

constexpr uint64_t kParts = 8;             // of the places, where there are too few lines to share
constexpr int64_t kLeastForParts = 16384;  // updates of a line; each part reads the whole index

}  // namespace

IndexedUpdate::IndexedUpdate(const opmux_opd& d, ScatterSteps s)
    : name_(s.name), in_place_(d.alias && d.alias[0] == 1), coordinate_(s.coordinate) {
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  wide_ = s.reduction != OPMUX_SCATTER_SET && (y.dtype == OPMUX_F16 || y.dtype == OPMUX_BF16);
  count_ = cpu::elements(y);
  u_bytes_ = element_bytes(y.dtype);
  y_bytes_ = wide_ ? int64_t{sizeof(float)} : u_bytes_;
  update_ = find_update(s.reduction, y.dtype);
  coordinate_.wide = d.in[1].dtype == OPMUX_I64;
  if (wide_) {
    opmux_tdesc dense = y;
    int64_t step = 1;
    for (uint32_t i = y.rank; i-- > 0; step *= y.dim[i]) dense.stride[i] = step;
    for (uint32_t k = 0; k < coordinate_.count; ++k) coordinate_.stride[k] = dense.stride[s.axis[k]];
    for (uint32_t i = 0; i < s.lines.rank; ++i) s.lines_y[i] = dense.stride[s.line_axis[i]];
    all_ = Loops(y);
    for (const opmux_tdesc& t : {dense, x, y}) all_.add(t);
    all_.simplify(0);
    load_ = find_load(y.dtype);
    store_ = find_store(y.dtype);
  } else if (!in_place_) {
    copy_.plan(y, x);
  }
  order_ = Loops(s.order);  // keeps its dims as they are: their order is that of the updates
  order_.add_strides(s.order.stride);
  order_.add_strides(s.order_updates);
  lines_ = Loops(s.lines);
  lines_.add_strides(s.lines_y);
  lines_.add_strides(s.lines.stride);
  lines_.add_strides(s.lines_updates);
  lines_.simplify(0);
  order_count_ = order_.elements();
  const int64_t lines = lines_.elements();
  if (lines == 0 || order_count_ == 0) return;
  if (lines_.rank) outer_ = lines_.rank - 1, n_ = lines_.dim[outer_];
  if (order_.rank) order_outer_ = order_.rank - 1, n_order_ = order_.dim[order_outer_];
  pieces_ = static_cast<uint64_t>((n_ + kPiece - 1) / kPiece);
  items_ = static_cast<uint64_t>(lines / n_) * pieces_;
  if (items_ < kParts && order_count_ >= kLeastForParts && coordinate_.dim[0] >= static_cast<int64_t>(kParts))
    parts_ = kParts;
  items_ *= parts_;
  const double row = static_cast<double>(std::min(n_, kPiece));
  grain_ = grain_for(items_, static_cast<double>(order_count_) * (10 + row));
}

// Is the coordinate there and in this part? Parts divide the extent of its first number.
bool IndexedUpdate::locate(const Data& data, int64_t at, uint64_t part, int64_t& offset,
                           uint64_t position) const {
  if (!coordinate_.locate(data.index, at, offset)) {
    data.bad->note(position);
    return false;
  }
  if (parts_ == 1) return true;
  int64_t v = coordinate_.number(data.index, at);
  const int64_t dim = coordinate_.dim[0], width = (dim + int64_t{kParts} - 1) / int64_t{kParts};
  if (v < 0) v += dim;
  return static_cast<uint64_t>(v / width) == part;
}

void IndexedUpdate::piece(const Data& data, uint64_t row, int64_t first, int64_t n, uint64_t part) const {
  const auto step = [&](uint32_t k) { return lines_.rank ? lines_.stride[k][outer_] : 0; };
  const int64_t ys = step(0), is = step(1), us = step(2);
  char* y = data.y + (lines_.offset(0, outer_, row) + first * ys) * y_bytes_;
  const int64_t io = lines_.offset(1, outer_, row) + first * is,
                uo = lines_.offset(2, outer_, row) + first * us;
  int64_t at[kPiece];
  alignas(64) float loaded[kPiece];
  const auto lines = static_cast<uint64_t>(lines_.elements());
  const uint64_t line = row * static_cast<uint64_t>(n_) + static_cast<uint64_t>(first);
  for (int64_t q = 0; q < order_count_; q += n_order_) {
    const auto r = static_cast<uint64_t>(q / n_order_);
    int64_t iq = io + order_.offset(0, order_outer_, r), uq = uo + order_.offset(1, order_outer_, r);
    for (int64_t j = 0; j < n_order_; ++j) {
      const uint64_t position = static_cast<uint64_t>(q + j) * lines + line;
      const void* u = data.updates + uq * u_bytes_;
      int64_t u_step = us, offset = 0;
      bool any = true;
      if (is == 0)
        any = locate(data, iq, part, offset, position);
      else
        for (int64_t i = 0; i < n; ++i)
          if (!locate(data, iq + i * is, part, at[i], position + static_cast<uint64_t>(i))) at[i] = kNowhere;
      if (any && wide_) {
        load_(loaded, u, us, static_cast<size_t>(n));
        u = loaded;
        u_step = 1;
      }
      if (any) update_(y + offset * y_bytes_, ys, is == 0 ? nullptr : at, u, u_step, n);
      if (order_.rank) iq += order_.stride[0][order_outer_], uq += order_.stride[1][order_outer_];
    }
  }
}

void IndexedUpdate::item(const Data& data, uint64_t i) const {
  const uint64_t part = i % parts_, piece_index = i / parts_ % pieces_, row = i / parts_ / pieces_;
  const int64_t first = static_cast<int64_t>(piece_index) * kPiece;
  piece(data, row, first, std::min(kPiece, n_ - first), part);
}

// x into y, or widened into the workspace.
void IndexedUpdate::start(const kit_call* call) const {
  if (!wide_) {
    if (!in_place_) copy_.run(call->host, call->arg[3], call->arg[0]);
    return;
  }
  const auto* x = static_cast<const char*>(call->arg[0]);
  auto* wide = static_cast<float*>(call->ws);
  const uint32_t outer = all_.rank ? all_.rank - 1 : 0;
  const int64_t n = all_.rank ? all_.dim[outer] : 1, xs = all_.rank ? all_.stride[1][outer] : 1;
  const auto rows = static_cast<uint64_t>(count_ / n);
  parallel_for(call->host, rows, grain_for(rows, 5 + static_cast<double>(n)), [&](uint64_t b, uint64_t e) {
    for (uint64_t r = b; r < e; ++r)
      load_(wide + all_.offset(0, outer, r), x + all_.offset(1, outer, r) * u_bytes_, xs,
            static_cast<size_t>(n));
  });
}

void IndexedUpdate::finish(const kit_call* call) const {
  if (!wide_) return;
  auto* y = static_cast<char*>(call->arg[3]);
  const auto* wide = static_cast<const float*>(call->ws);
  const uint32_t outer = all_.rank ? all_.rank - 1 : 0;
  const int64_t n = all_.rank ? all_.dim[outer] : 1, ys = all_.rank ? all_.stride[2][outer] : 1;
  const auto rows = static_cast<uint64_t>(count_ / n);
  parallel_for(call->host, rows, grain_for(rows, 5 + static_cast<double>(n)), [&](uint64_t b, uint64_t e) {
    for (uint64_t r = b; r < e; ++r)
      store_(y + all_.offset(2, outer, r) * u_bytes_, ys, wide + all_.offset(0, outer, r),
             static_cast<size_t>(n));
  });
}

opmux_status IndexedUpdate::run(const kit_call* call, opmux_err* err) const {
  if (count_ != 0) start(call);
  FirstFault bad;
  const Data data{wide_ ? static_cast<char*>(call->ws) : static_cast<char*>(call->arg[3]),
                  static_cast<const char*>(call->arg[1]), static_cast<const char*>(call->arg[2]), &bad};
  parallel_for(call->host, items_, grain_, [&](uint64_t begin, uint64_t end) {
    for (uint64_t i = begin; i < end; ++i) item(data, i);
  });
  if (bad.any()) {
    const auto lines = static_cast<uint64_t>(lines_.elements());
    const int64_t at = order_.offset(0, order_.rank, bad.position() / lines) +
                       lines_.offset(1, lines_.rank, bad.position() % lines);
    return coordinate_.fault(name_, data.index, at, err);
  }
  if (count_ != 0) finish(call);
  return OPMUX_OK;
}

}  // namespace opmux::cpu
