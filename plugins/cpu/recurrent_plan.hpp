// SPDX-License-Identifier: Apache-2.0
// Sizes, packed weights and scratch of a recurrent layer on the CPU.
//
// Hidden units are cut into blocks of `units`; the gates of a block lie side by side, so that one task makes
// a block's sums and then its new state. A row of gates (one entry at one step) is [block][gate][unit].
#ifndef OPMUX_CPU_RECURRENT_PLAN_HPP
#define OPMUX_CPU_RECURRENT_PLAN_HPP

#include <cstdint>

#include "cpu/kernels/gemm.hpp"
#include "kit/operands/recurrent.gen.hpp"
#include "opmux/ops/recurrent.gen.h"
#include "opmux/plugin.h"

namespace opmux::cpu {

struct RecurrentPlan {
  using enum operands::recurrent::Input;

  RecurrentPlan() = default;
  explicit RecurrentPlan(const opmux_opd& d);

  uint32_t kind = 0, acc = 0;  // acc: type of all scratch, f32 or f64
  int64_t steps = 0, batch = 0, width = 0, hidden = 0, directions = 0, gates = 0;
  bool bidirectional = false, reverse = false, linear_before_reset = false;
  bool packed[2] = {};  // w, r come in panels

  GemmTile tile{};
  int64_t units = 0, blocks = 0;   // units: a multiple of tile.nr
  int64_t row = 0;                 // elements of a row of gates
  int64_t chunk = 0;               // steps whose inputs are multiplied at once
  int64_t x_rows = 0, h_rows = 0;  // rows of a panel of inputs and of states
  int64_t x_group = 0;             // panels of inputs that a task packs together
  int64_t state_panels = 0;

  // Scratch, in elements from the start.
  int64_t w = 0, r = 0, bias = 0, state_bias = 0, peep = 0, gate = 0, state_gate = 0;
  int64_t h = 0, c = 0;                 // [batch, blocks * units]
  int64_t h_panels[2] = {};             // the state as a left operand, before and after a step
  int64_t reset_panels = 0;             // GRU: r h
  int64_t slot = 0, slot_elements = 0;  // of a task: rows of x, and their panels
  int64_t total = 0;
  double size_estimate = 0;  // bytes; where the integers above could overflow they are not filled in

  int64_t panel_columns() const { return blocks * units; }
  int64_t packed_elements(uint32_t operand) const {  // of w (1) or r (2), all directions
    return directions * row * (operand == kW ? width : hidden);
  }
  uint32_t layout() const {
    return 0x0d000000u | static_cast<uint32_t>(tile.nr) << 16 | static_cast<uint32_t>(units);
  }
};

// More scratch than this is refused.
constexpr double kMostRecurrentBytes = 1ull << 40;

// Panels of w or r, directions [from, to).
template <class T>
void pack_recurrent(const opmux_host_api* host, const RecurrentPlan& p, const opmux_tdesc& t, const void* src,
                    int64_t from, int64_t to, T* dst);

}  // namespace opmux::cpu
#endif
