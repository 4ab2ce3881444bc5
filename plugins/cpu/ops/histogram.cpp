// SPDX-License-Identifier: Apache-2.0
// histogram: each part of x counts for itself, then the counts are added up.
#include <algorithm>
#include <cmath>

#include "cpu/loops.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/state.hpp"
#include "cpu/wide.hpp"
#include "opmux/ops/reduce.gen.h"

namespace opmux::cpu {
namespace {

constexpr int64_t kPart = 32 * 1024, kMostParts = 32;

struct State {
  explicit State(const opmux_opd& d);
  void count(const void* x, int64_t part, double low, double high, uint64_t* y) const;

  Wide wide;
  Loops loops;  // 0: x
  int64_t bins, n, parts, step = 0, y_step;
};

State::State(const opmux_opd& d) : wide(d.in[0].dtype, OPMUX_F64) {
  loops = Loops(d.in[0]);
  loops.add(d.in[0]);
  loops.simplify(0);
  n = loops.elements();
  if (loops.rank) step = loops.stride[0][loops.rank - 1];
  bins = reinterpret_cast<const opmux_op_histogram&>(d).bins;
  y_step = d.out[0].stride[0];
  // Parts pay while they have more elements than bins.
  parts = std::clamp<int64_t>(n / std::max(kPart, bins), 1, kMostParts);
}

void State::count(const void* x, int64_t part, double low, double high, uint64_t* y) const {
  std::fill(y, y + bins, uint64_t{0});
  const auto most = static_cast<double>(bins);
  const double range = high - low;
  each_run(loops, 0, n * part / parts, n * (part + 1) / parts, Wide::kBlock,
           [&](int64_t, int64_t offset, int64_t count) {
             double v[Wide::kBlock];
             wide.get(x, offset, step, count, v);
             for (int64_t i = 0; i < count; ++i) {
               if (!(v[i] >= low && v[i] <= high)) continue;
               const double bin = std::floor((v[i] - low) * most / range);
               ++y[static_cast<int64_t>(bin < most ? bin : most - 1)];
             }
           });
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap) || !apart(*d, cap)) return;
  const State s(*d);
  yes(cap, info,
      {.flops = 4.0 * static_cast<double>(s.n),
       .bytes = static_cast<double>(s.n * s.wide.bytes()),
       .flops_per_ns = 2,
       .ws = static_cast<uint64_t>(s.bins * s.parts) * sizeof(uint64_t)});
}

opmux_status run(const kit_call* call, opmux_err* err) {
  const State& s = *static_cast<const State*>(call->state);
  double low, high;
  s.wide.get(call->arg[1], 0, 1, 1, &low);
  s.wide.get(call->arg[2], 0, 1, 1, &high);
  if (!std::isfinite(low) || !std::isfinite(high) || !(low < high))
    return kit_fail(err, OPMUX_E_FAULT, 1, "histogram: low %g and high %g must be finite and rise", low,
                    high);
  auto* counts = static_cast<uint64_t*>(call->ws);
  const auto bins = static_cast<uint64_t>(s.bins);
  parallel_for(call->host, static_cast<uint64_t>(s.parts), 1, [&](uint64_t begin, uint64_t end) {
    for (uint64_t p = begin; p < end; ++p)
      s.count(call->arg[0], static_cast<int64_t>(p), low, high, counts + p * bins);
  });
  auto* y = static_cast<int64_t*>(call->arg[3]);
  for (int64_t b = 0; b < s.bins; ++b) {
    uint64_t sum = 0;
    for (int64_t p = 0; p < s.parts; ++p) sum += counts[p * s.bins + b];
    y[b * s.y_step] = static_cast<int64_t>(sum);
  }
  return OPMUX_OK;
}

}  // namespace

const kit_op kHistogram = state_op<State, opmux_op_histogram>(OPMUX_OP_HISTOGRAM, "parts", query, run);

}  // namespace opmux::cpu
