// SPDX-License-Identifier: Apache-2.0
// tensor_stats: one pass over memory, a block at a time in L1; blocks and parts are joined by the updating
// formulae of Chan, Golub and LeVeque, 1979.
#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/loops.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/state.hpp"
#include "cpu/wide.hpp"
#include "opmux/ops/watch.gen.h"

namespace opmux::cpu {
namespace {

constexpr int64_t kPart = 32 * 1024, kMostParts = 64;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Stats {
  uint64_t nan = 0, infinite = 0, zero = 0, finite = 0;
  double most = 0, least = kInfinity, greatest = -kInfinity, mean = 0, squares = 0;

  void add(const double* v, int64_t n);
  void join(const Stats& later);
};

void Stats::join(const Stats& s) {
  nan += s.nan;
  infinite += s.infinite;
  zero += s.zero;
  most = std::max(most, s.most);
  least = std::min(least, s.least);
  greatest = std::max(greatest, s.greatest);
  if (s.finite == 0) return;
  if (finite == 0) {
    mean = s.mean;
    squares = s.squares;
  } else {
    const auto a = static_cast<double>(finite), b = static_cast<double>(s.finite);
    const double gap = s.mean - mean, share = b / (a + b);
    mean += gap * share;
    squares += s.squares + gap * gap * share * a;
  }
  finite += s.finite;
}

// A block's numbers: the finite ones are put side by side first.
void Stats::add(const double* v, int64_t n) {
  double kept[Wide::kBlock];
  Stats s;
  int64_t m = 0;
  for (int64_t i = 0; i < n; ++i) {
    kept[m] = v[i];
    m += std::fabs(v[i]) < kInfinity;
    s.nan += v[i] != v[i];
    s.zero += v[i] == 0;
  }
  s.finite = static_cast<uint64_t>(m);
  s.infinite = static_cast<uint64_t>(n) - s.nan - s.finite;
  double sum = 0;
  const double scale = m == 0 ? 0 : 1 / static_cast<double>(m);
  for (int64_t i = 0; i < m; ++i) {
    s.most = std::max(s.most, std::fabs(kept[i]));
    s.least = std::min(s.least, kept[i]);
    s.greatest = std::max(s.greatest, kept[i]);
    sum += kept[i] * scale;  // scaled first: the sum of finite numbers need not be finite
  }
  s.mean = sum;
  for (int64_t i = 0; i < m; ++i) s.squares += (kept[i] - s.mean) * (kept[i] - s.mean);
  join(s);
}

struct State {
  explicit State(const opmux_opd& d) : wide(d.in[0].dtype, OPMUX_F64) {
    loops = Loops(d.in[0]);
    loops.add(d.in[0]);
    loops.simplify(0);
    n = loops.elements();
    if (loops.rank) step = loops.stride[0][loops.rank - 1];
    parts = std::clamp<int64_t>(n / kPart, 1, kMostParts);
    counts_step = d.out[0].stride[0];
    y_step = d.out[1].stride[0];
  }
  Stats part(const void* x, int64_t p) const {
    Stats s;
    each_run(loops, 0, n * p / parts, n * (p + 1) / parts, Wide::kBlock,
             [&](int64_t, int64_t offset, int64_t count) {
               double v[Wide::kBlock];
               wide.get(x, offset, step, count, v);
               s.add(v, count);
             });
    return s;
  }

  Wide wide;
  Loops loops;  // 0: x
  int64_t n, parts, step = 0, counts_step, y_step;
};

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap) || !apart(*d, cap)) return;
  const State s(*d);
  yes(cap, info,
      {.flops = 6.0 * static_cast<double>(s.n),
       .bytes = static_cast<double>(s.n * s.wide.bytes()),
       .flops_per_ns = 3,
       .ws = static_cast<uint64_t>(s.parts) * sizeof(Stats)});
}

opmux_status run(const kit_call* call, opmux_err*) {
  const State& s = *static_cast<const State*>(call->state);
  auto* parts = static_cast<Stats*>(call->ws);
  parallel_for(call->host, static_cast<uint64_t>(s.parts), 1, [&](uint64_t begin, uint64_t end) {
    for (uint64_t p = begin; p < end; ++p) parts[p] = s.part(call->arg[0], static_cast<int64_t>(p));
  });
  Stats all;
  for (int64_t p = 0; p < s.parts; ++p) all.join(parts[p]);
  const auto n = static_cast<double>(all.finite);
  const bool none = all.finite == 0;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const uint64_t counts[] = {all.nan, all.infinite, all.zero};
  const double values[] = {all.most, all.least, all.greatest, none ? nan : all.mean,
                           none ? nan : all.squares / n};
  auto* to_counts = static_cast<uint64_t*>(call->arg[1]);
  auto* to_values = static_cast<double*>(call->arg[2]);
  for (int64_t i = 0; i < 3; ++i) to_counts[i * s.counts_step] = counts[i];
  for (int64_t i = 0; i < 5; ++i) to_values[i * s.y_step] = values[i];
  return OPMUX_OK;
}

}  // namespace

const kit_op kTensorStats =
    state_op<State, opmux_op_tensor_stats>(OPMUX_OP_TENSOR_STATS, "parts", query, run);

}  // namespace opmux::cpu
