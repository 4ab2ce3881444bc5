// SPDX-License-Identifier: Apache-2.0
// What a recurrent layer does with the sums of its gates: activations over blocks of hidden units.
#ifndef OPMUX_CPU_RECURRENT_CELL_HPP
#define OPMUX_CPU_RECURRENT_CELL_HPP

#include <cstddef>
#include <cstdint>

#include "cpu/tiles.hpp"
#include "opmux/ops/recurrent.gen.h"

namespace opmux::cpu {

// Units of a block at most: its gates stay in the first-level cache, and a call on a block costs little.
constexpr int64_t kRecurrentUnits = 64;

// One activation of a direction; T is float or double.
template <class T>
class RecurrentActivation {
 public:
  RecurrentActivation() = default;
  // clip: bound of the argument, 0: none.
  RecurrentActivation(uint32_t function, float alpha, float beta, float clip);
  void operator()(T* x, int64_t n) const;

 private:
  uint32_t function_ = OPMUX_ACT_NONE;
  T alpha_ = 0, beta_ = 0, clip_ = 0;
  TileFn tile_ = nullptr;
};

// Gates of one entry of the batch and one block of n units; all pointers are to the block's first unit.
template <class T>
struct RecurrentBlock {
  int64_t n;
  T* gate[4];        // sums, overwritten; in the order of the operator's doc
  const T* bias[4];  // of w and r together; GRU with linear_before_reset: gate 2 has that of w
  T* state_gate;     // GRU with linear_before_reset: r's product for gate 2
  const T* state_bias;
  const T* peep[3];  // i o f, or nullptr
  T *h, *c;          // the state, updated
};

template <class T>
struct RecurrentCell {
  RecurrentActivation<T> f, g, h;
  bool input_forget = false;

  void rnn(const RecurrentBlock<T>& b) const;
  void lstm(const RecurrentBlock<T>& b) const;
  // Gates 0 and 1 of a GRU: activated; then the rest. reset_h: gets r h where it is not nullptr.
  void gru_gates(const RecurrentBlock<T>& b, T* reset_h) const;
  void gru(const RecurrentBlock<T>& b) const;
};

}  // namespace opmux::cpu
#endif
