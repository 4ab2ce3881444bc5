// SPDX-License-Identifier: Apache-2.0
// scan: in 64 bits, a row at a time or many beside each other. The pieces of a long row are first folded,
// then each starts from the join of those before it; pieces depend on the shape alone.
#include <algorithm>
#include <cstring>
#include <utility>

#include "cpu/answer.hpp"
#include "cpu/kernels/scan.hpp"
#include "cpu/loops.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/state.hpp"
#include "cpu/wide.hpp"
#include "opmux/ops/reduce.gen.h"

namespace opmux::cpu {
namespace {

constexpr int64_t kBlock = Wide::kBlock, kBeside = 256, kPieces = 16, kLong = 64 * 1024;

struct State {
  explicit State(const opmux_opd& d);
  uint64_t workspace() const { return pieces > 1 ? static_cast<uint64_t>(items * pieces) * 8 : 0; }
  void row(const char* x, char* y, int64_t begin, int64_t end, void* carry) const;
  void fold(const char* x, int64_t begin, int64_t end, void* carry) const;
  void strip(const char* x, char* y, int64_t count) const;
  void item(const char* x, char* y, uint64_t i) const;
  int64_t piece_begin(int64_t p) const { return n * p / pieces; }

  const ScanKernels* kernels;
  uint32_t dtype;
  bool exclusive, beside;
  Wide wide;
  Loops rows;  // 0: x, 1: y; but for the axis
  uint32_t outer = 0;
  int64_t bytes, n, x_step, y_step, x_start = 0, y_start = 0;
  int64_t side = 1, strips = 1, items = 0, pieces = 1;
  uint64_t grain = 1;
};

State::State(const opmux_opd& d) {
  const auto& a = reinterpret_cast<const opmux_op_scan&>(d);
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  dtype = x.dtype;
  wide = Wide(dtype);
  kernels = &find_scan(a.kind, lane_of(wide.dtype()));
  exclusive = a.exclusive != 0;
  bytes = element_bytes(dtype);
  n = x.dim[a.axis];
  x_step = x.stride[a.axis];
  y_step = y.stride[a.axis];
  if (a.reverse && n > 0) {
    x_start = (n - 1) * std::exchange(x_step, -x_step);
    y_start = (n - 1) * std::exchange(y_step, -y_step);
  }
  opmux_tdesc others = x;
  others.dim[a.axis] = 1;
  rows = Loops(others);
  rows.add_strides(x.stride);
  rows.add_strides(y.stride);
  rows.simplify(0);
  const int64_t all = rows.elements();
  if (all == 0 || n == 0) return;
  if (rows.rank) outer = rows.rank - 1, side = rows.dim[outer];
  beside = side >= 8 && std::abs(rows.stride[0][outer]) < std::abs(x_step);
  strips = beside ? (side + kBeside - 1) / kBeside : side;
  items = all / side * strips;
  if (!beside && items < 4 && n >= kLong) pieces = kPieces;
  grain = grain_for(static_cast<uint64_t>(items * pieces),
                    20 + 2 * static_cast<double>(beside ? n * std::min(side, kBeside) : n / pieces));
}

void State::row(const char* x, char* y, int64_t begin, int64_t end, void* carry) const {
  alignas(64) std::byte v[kBlock * 8];
  for (int64_t i = begin; i < end; i += kBlock) {
    const int64_t some = std::min(kBlock, end - i);
    wide.get(x, i * x_step, x_step, some, v);
    kernels->along(v, static_cast<size_t>(some), carry, exclusive);
    wide.put(y, i * y_step, y_step, some, v);
  }
}

void State::fold(const char* x, int64_t begin, int64_t end, void* carry) const {
  alignas(64) std::byte v[kBlock * 8];
  for (int64_t i = begin; i < end; i += kBlock) {
    const int64_t some = std::min(kBlock, end - i);
    wide.get(x, i * x_step, x_step, some, v);
    kernels->fold(v, static_cast<size_t>(some), carry);
  }
}

void State::strip(const char* x, char* y, int64_t count) const {
  alignas(64) std::byte v[kBeside * 8];
  alignas(64) std::byte carries[kBeside * 8];
  for (int64_t c = 0; c < count; ++c) kernels->start(dtype, carries + c * 8);
  for (int64_t i = 0; i < n; ++i) {
    wide.get(x, i * x_step, rows.stride[0][outer], count, v);
    kernels->beside(v, static_cast<size_t>(count), carries, exclusive);
    wide.put(y, i * y_step, rows.stride[1][outer], count, v);
  }
}

void State::item(const char* x, char* y, uint64_t i) const {
  const uint64_t r = i / static_cast<uint64_t>(strips);
  const int64_t c = static_cast<int64_t>(i % static_cast<uint64_t>(strips)) * (beside ? kBeside : 1);
  const auto step = [&](uint32_t k) { return rows.rank ? rows.stride[k][outer] : 0; };
  x += (x_start + rows.offset(0, outer, r) + c * step(0)) * bytes;
  y += (y_start + rows.offset(1, outer, r) + c * step(1)) * bytes;
  if (beside) return strip(x, y, std::min(kBeside, side - c));
  uint64_t carry;
  kernels->start(dtype, &carry);
  row(x, y, 0, n, &carry);
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap)) return;
  const bool same = same_view(d->in[0], d->out[0]);
  if (d->alias && d->alias[0] != 0 && !same) return no(cap, OPMUX_WHY_ALIAS, d->alias[0] - 1);
  const auto count = static_cast<double>(elements(d->in[0]));
  yes(cap, info,
      {.flops = count,
       .bytes = 2 * count * static_cast<double>(element_bytes(d->in[0].dtype)),
       .flops_per_ns = 0.5,
       .ws = State(*d).workspace()});
  if (same) cap->inplace_mask = 1;
}

opmux_status run(const kit_call* call, opmux_err*) {
  const State& s = *static_cast<const State*>(call->state);
  const auto* x = static_cast<const char*>(call->arg[0]);
  auto* y = static_cast<char*>(call->arg[1]);
  if (s.pieces == 1) {
    parallel_for(call->host, static_cast<uint64_t>(s.items), s.grain, [&](uint64_t begin, uint64_t end) {
      for (uint64_t i = begin; i < end; ++i) s.item(x, y, i);
    });
    return OPMUX_OK;
  }
  auto* carry = static_cast<uint64_t*>(call->ws);
  const auto pieces = static_cast<uint64_t>(s.pieces), all = static_cast<uint64_t>(s.items) * pieces;
  const auto each = [&](auto&& f) {
    parallel_for(call->host, all, 1, [&](uint64_t begin, uint64_t end) {
      for (uint64_t i = begin; i < end; ++i) {
        const auto p = static_cast<int64_t>(i % pieces);
        const char* from = x + (s.x_start + s.rows.offset(0, s.rows.rank, i / pieces)) * s.bytes;
        char* to = y + (s.y_start + s.rows.offset(1, s.rows.rank, i / pieces)) * s.bytes;
        f(from, to, s.piece_begin(p), s.piece_begin(p + 1), carry + i);
      }
    });
  };
  each([&](const char* from, char*, int64_t b, int64_t e, uint64_t* sum) {
    s.kernels->start(s.dtype, sum);
    s.fold(from, b, e, sum);
  });
  for (uint64_t i = 0; i < all; i += pieces) {
    uint64_t before;
    s.kernels->start(s.dtype, &before);
    for (uint64_t p = 0; p < pieces; ++p) {
      const uint64_t own = carry[i + p];
      carry[i + p] = before;
      s.kernels->fold(&own, 1, &before);
    }
  }
  each([&](const char* from, char* to, int64_t b, int64_t e, uint64_t* sum) { s.row(from, to, b, e, sum); });
  return OPMUX_OK;
}

}  // namespace

const kit_op kScan = state_op<State, opmux_op_scan>(OPMUX_OP_SCAN, "rows", query, run);

}  // namespace opmux::cpu
