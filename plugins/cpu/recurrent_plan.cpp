// SPDX-License-Identifier: Apache-2.0
#include "cpu/recurrent_plan.hpp"

#include <algorithm>

#include "cpu/answer.hpp"
#include "cpu/gemm_op.hpp"
#include "cpu/parallel.hpp"
#include "cpu/recurrent_cell.hpp"

namespace opmux::cpu {
namespace {

// Gates of the inputs that are made ahead of the steps: some megabytes, which the last cache level holds.
constexpr int64_t kChunkElements = int64_t{1} << 20;
// Rows of inputs that share one pass over the weights.
constexpr int64_t kGroupRows = 192;

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

RecurrentPlan::RecurrentPlan(const opmux_opd& d) {
  const auto& a = reinterpret_cast<const opmux_op_recurrent&>(d);
  kind = a.kind;
  acc = d.in[kX].dtype == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32;
  steps = d.in[kX].dim[0];
  batch = d.in[kX].dim[1];
  width = d.in[kX].dim[2];
  hidden = d.in[kR].dim[2];
  directions = d.in[kR].dim[0];
  gates = kind == OPMUX_RECURRENT_LSTM ? 4 : kind == OPMUX_RECURRENT_GRU ? 3 : 1;
  bidirectional = a.direction == OPMUX_DIRECTION_BOTH;
  reverse = a.direction == OPMUX_DIRECTION_REVERSE;
  linear_before_reset = a.linear_before_reset != 0;
  packed[0] = d.in[kW].layout != 0;
  packed[1] = d.in[kR].layout != 0;
  tile = acc == OPMUX_F64 ? gemm_kernels<double>().tile : gemm_kernels<float>().tile;
  units = std::min(kRecurrentUnits / tile.nr * tile.nr,
                   std::max<int64_t>(1, ceil_div(hidden, tile.nr)) * tile.nr);
  blocks = ceil_div(hidden, units);
  row = blocks * units * gates;

  const auto wide = [](int64_t n) { return static_cast<double>(n); };
  const double state = wide(batch + 16) * wide(blocks * units) * 8;
  size_estimate = (state + wide(row) * (wide(width) + wide(hidden) + 8) +
                   std::max(wide(kChunkElements), wide(batch) * wide(row)) +
                   wide(scratch_slots()) * 4 * wide(kGroupRows) * wide(width)) *
                  wide(element_bytes(acc));
  if (size_estimate > kMostRecurrentBytes) return;

  chunk =
      std::clamp<int64_t>(kChunkElements / std::max<int64_t>(batch * row, 1), 1, std::max<int64_t>(steps, 1));
  x_rows = balanced_rows(batch * chunk, tile.mr);
  h_rows = balanced_rows(batch, tile.mr);
  x_group = std::max<int64_t>(1, kGroupRows / x_rows);
  state_panels = ceil_div(batch, h_rows);
  const auto take = [this](int64_t n) {
    const int64_t from = total;
    total += (n + 15) / 16 * 16;
    return from;
  };
  const bool gru = kind == OPMUX_RECURRENT_GRU, lstm = kind == OPMUX_RECURRENT_LSTM;
  w = take(packed[0] ? 0 : row * width);
  r = take(packed[1] ? 0 : row * hidden);
  bias = take(row);
  state_bias = take(gru ? panel_columns() : 0);
  peep = take(lstm ? 3 * panel_columns() : 0);
  gate = take(chunk * batch * row);
  state_gate = take(gru ? batch * panel_columns() : 0);
  h = take(batch * panel_columns());
  c = take(lstm ? batch * panel_columns() : 0);
  for (int64_t& panels : h_panels) panels = take(state_panels * h_rows * hidden);
  reset_panels = take(gru ? state_panels * h_rows * hidden : 0);
  slot_elements = (x_rows * width + 15) / 16 * 16 + (x_group * x_rows * width + 15) / 16 * 16;
  slot = take(slot_elements * scratch_slots());
}

template <class T>
void pack_recurrent(const opmux_host_api* host, const RecurrentPlan& p, const opmux_tdesc& t, const void* src,
                    int64_t from, int64_t to, T* dst) {
  const int64_t nr = p.tile.nr, k = t.dim[2], per_gate = p.units / nr, per_direction = p.row / nr;
  const auto panels = static_cast<uint64_t>((to - from) * per_direction);
  if (k == 0) return;
  parallel_for(host, panels, grain_for(panels, static_cast<double>(nr * k) * 0.5),
               [&](uint64_t begin, uint64_t end) {
                 for (auto i = static_cast<int64_t>(begin); i < static_cast<int64_t>(end); ++i) {
                   const int64_t at = i % per_direction;
                   const int64_t gate = at / per_gate % p.gates, block = at / per_gate / p.gates;
                   const int64_t unit = block * p.units + at % per_gate * nr;
                   const int64_t there = std::clamp<int64_t>(p.hidden - unit, 0, nr);
                   const int64_t offset = (from + i / per_direction) * t.stride[0] +
                                          (there > 0 ? gate * p.hidden + unit : 0) * t.stride[1];
                   const char* first = static_cast<const char*>(src) + offset * element_bytes(t.dtype);
                   gemm_pack<T>(t.dtype, {first, t.stride[1], t.stride[2]}, there, k, nr, dst + i * nr * k);
                 }
               });
}

template void pack_recurrent(const opmux_host_api*, const RecurrentPlan&, const opmux_tdesc&, const void*,
                             int64_t, int64_t, float*);
template void pack_recurrent(const opmux_host_api*, const RecurrentPlan&, const opmux_tdesc&, const void*,
                             int64_t, int64_t, double*);

}  // namespace opmux::cpu
