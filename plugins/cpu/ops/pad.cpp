// SPDX-License-Identifier: Apache-2.0
// pad: the coordinate of x behind each coordinate of y is worked out once per axis; rows move in runs.
#include <vector>

#include "cpu/answer.hpp"
#include "cpu/kernels/memory.hpp"
#include "cpu/loops.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/state.hpp"
#include "opmux/ops/image.gen.h"

namespace opmux::cpu {
namespace {

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap) || !whole_bytes(*d, cap) || !apart(*d, cap)) return;
  yes(cap, info, {.bytes = 2.0 * static_cast<double>(elements(d->out[0]) * element_bytes(d->out[0].dtype))});
}

// Coordinate of x behind position i, which may lie outside of [0, n); -1: the constant.
int64_t coordinate(uint32_t mode, int64_t i, int64_t n) {
  if (i >= 0 && i < n) return i;
  switch (mode) {
    case OPMUX_PAD_EDGE:
      return i < 0 ? 0 : n - 1;
    case OPMUX_PAD_REFLECT:
      return i < 0 ? -i : 2 * (n - 1) - i;
    case OPMUX_PAD_WRAP:
      return i < 0 ? i + n : i - n;
    default:
      return -1;
  }
}

// n elements of a row of y from `at` on; x walks by step from `from`, or is the constant when from < 0.
struct Run {
  int64_t at, n, from, step;
};

struct State {
  explicit State(const opmux_opd& d) : x(d.in[0]), y(d.out[0]) {
    const auto& a = reinterpret_cast<const opmux_op_pad&>(d);
    bytes = element_bytes(y.dtype);
    move = find_move(bytes);
    fill = find_fill(bytes);
    source.resize(y.rank);
    for (uint32_t i = 0; i < y.rank; ++i)
      for (int64_t c = 0; c < y.dim[i]; ++c)
        source[i].push_back(coordinate(a.mode, c - d.list[a.pad.first + i], x.dim[i]));
    if (y.rank == 0) return;
    const std::vector<int64_t>& last = source.back();
    for (int64_t c = 0; c < static_cast<int64_t>(last.size()); ++c) {
      const int64_t from = last[static_cast<size_t>(c)];
      Run* r = runs.empty() ? nullptr : &runs.back();
      const bool constant = from < 0;
      if (r && r->n == 1 && !constant && r->from >= 0) r->step = from - r->from;
      const bool joins = r && (constant ? r->from < 0
                                        : r->from >= 0 && from == r->from + r->n * r->step &&
                                              (r->step == 1 || r->step == -1 || r->step == 0));
      if (joins) {
        ++r->n;
      } else {
        runs.push_back({c, 1, from, 1});
      }
    }
  }

  void row(uint64_t index, char* to, const char* from, const void* value) const {
    int64_t yo = 0, xo = 0;
    bool constant = false;
    const uint32_t inner = y.rank - 1;
    for (uint32_t i = inner; i-- > 0;) {
      const auto c = static_cast<size_t>(index % static_cast<uint64_t>(y.dim[i]));
      index /= static_cast<uint64_t>(y.dim[i]);
      yo += static_cast<int64_t>(c) * y.stride[i];
      constant = constant || source[i][c] < 0;
      if (!constant) xo += source[i][c] * x.stride[i];
    }
    const int64_t ys = y.stride[inner], xs = x.stride[inner];
    if (constant) return fill(to + yo * bytes, ys, value, y.dim[inner]);
    for (const Run& r : runs) {
      char* at = to + (yo + r.at * ys) * bytes;
      if (r.from < 0) {
        fill(at, ys, value, r.n);
      } else {
        move(at, ys, from + (xo + r.from * xs) * bytes, xs * r.step, r.n);
      }
    }
  }

  opmux_tdesc x, y;
  int64_t bytes = 1;
  MoveFn move = nullptr;
  FillFn fill = nullptr;
  std::vector<std::vector<int64_t>> source;
  std::vector<Run> runs;
};

opmux_status run(const kit_call* call, opmux_err*) {
  const State& s = *static_cast<const State*>(call->state);
  const uint64_t zero = 0;
  const void* value = has_in(*call->d, 1) ? call->arg[1] : &zero;
  const auto* x = static_cast<const char*>(call->arg[0]);
  auto* y = static_cast<char*>(call->arg[call->d->n_in]);
  const int64_t count = elements(s.y);
  if (count == 0) return OPMUX_OK;
  if (s.y.rank == 0) return s.move(y, 1, x, 1, 1), OPMUX_OK;
  const int64_t inner = s.y.dim[s.y.rank - 1];
  const auto rows = static_cast<uint64_t>(count / inner);
  parallel_for(call->host, rows, grain_for(rows, 10 + 0.2 * static_cast<double>(inner * s.bytes)),
               [&](uint64_t begin, uint64_t end) {
                 for (uint64_t r = begin; r < end; ++r) s.row(r, y, x, value);
               });
  return OPMUX_OK;
}

}  // namespace

const kit_op kPad = state_op<State, opmux_op_pad>(OPMUX_OP_PAD, "rows", query, run);

}  // namespace opmux::cpu
