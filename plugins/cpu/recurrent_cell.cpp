// SPDX-License-Identifier: Apache-2.0
#include "cpu/recurrent_cell.hpp"

#include <algorithm>
#include <type_traits>

#include "opmux/ops/pointwise.gen.h"

namespace opmux::cpu {
namespace {

uint32_t tile_function(uint32_t activation) {
  switch (activation) {
    case OPMUX_ACT_TANH:
    case OPMUX_ACT_SCALED_TANH:
      return OPMUX_FN_TANH;
    case OPMUX_ACT_SIGMOID:
      return OPMUX_FN_SIGMOID;
    case OPMUX_ACT_RELU:
      return OPMUX_FN_RELU;
    case OPMUX_ACT_ELU:
      return OPMUX_FN_EXPM1;
    case OPMUX_ACT_SOFTSIGN:
      return OPMUX_FN_SOFTSIGN;
    case OPMUX_ACT_SOFTPLUS:
      return OPMUX_FN_SOFTPLUS;
    default:
      return 0;
  }
}

template <class T, class F>
void each(T* x, int64_t n, F f) {
  for (int64_t i = 0; i < n; ++i) x[i] = f(x[i]);
}

}  // namespace

template <class T>
RecurrentActivation<T>::RecurrentActivation(uint32_t function, float alpha, float beta, float clip)
    : function_(function), alpha_(alpha), beta_(beta), clip_(clip) {
  constexpr Lane kLane = std::is_same_v<T, float> ? Lane::kF32 : Lane::kF64;
  if (const uint32_t fn = tile_function(function); fn != 0) tile_ = find_tile(fn, kLane, 0);
}

template <class T>
void RecurrentActivation<T>::operator()(T* x, int64_t n) const {
  const T a = alpha_, b = beta_, clip = clip_;
  if (clip > 0) each(x, n, [clip](T v) { return v < -clip ? -clip : v > clip ? clip : v; });
  const auto count = static_cast<size_t>(n);
  switch (function_) {
    case OPMUX_ACT_AFFINE:
      return each(x, n, [a, b](T v) { return a * v + b; });
    case OPMUX_ACT_LEAKY_RELU:
      return each(x, n, [a](T v) { return v < 0 ? a * v : v; });
    case OPMUX_ACT_THRESHOLDED_RELU:
      return each(x, n, [a](T v) { return v <= a ? T(0) : v; });
    case OPMUX_ACT_SCALED_TANH:
      each(x, n, [b](T v) { return b * v; });
      tile_(x, x, nullptr, nullptr, count);
      return each(x, n, [a](T v) { return a * v; });
    case OPMUX_ACT_HARD_SIGMOID:
      return each(x, n, [a, b](T v) {
        const T y = a * v + b;
        return y < 0 ? T(0) : y > 1 ? T(1) : y;
      });
    case OPMUX_ACT_ELU: {
      T e[kRecurrentUnits];
      tile_(e, x, nullptr, nullptr, count);
      for (int64_t i = 0; i < n; ++i) x[i] = x[i] < 0 ? a * e[i] : x[i];
      return;
    }
    default:
      tile_(x, x, nullptr, nullptr, count);
  }
}

template <class T>
void RecurrentCell<T>::rnn(const RecurrentBlock<T>& b) const {
  for (int64_t i = 0; i < b.n; ++i) b.h[i] = b.gate[0][i] + b.bias[0][i];
  f(b.h, b.n);
}

template <class T>
void RecurrentCell<T>::lstm(const RecurrentBlock<T>& b) const {
  T *in = b.gate[0], *out = b.gate[1], *forget = b.gate[2], *cell = b.gate[3];
  for (int gate = 0; gate < 4; ++gate)
    for (int64_t i = 0; i < b.n; ++i) b.gate[gate][i] += b.bias[gate][i];
  if (b.peep[0])
    for (int64_t i = 0; i < b.n; ++i) {
      in[i] += b.peep[0][i] * b.c[i];
      forget[i] += b.peep[2][i] * b.c[i];
    }
  f(in, b.n);
  if (input_forget)
    for (int64_t i = 0; i < b.n; ++i) forget[i] = 1 - in[i];
  else
    f(forget, b.n);
  g(cell, b.n);
  for (int64_t i = 0; i < b.n; ++i) b.c[i] = forget[i] * b.c[i] + in[i] * cell[i];
  if (b.peep[0])
    for (int64_t i = 0; i < b.n; ++i) out[i] += b.peep[1][i] * b.c[i];
  f(out, b.n);
  std::copy(b.c, b.c + b.n, cell);
  h(cell, b.n);
  for (int64_t i = 0; i < b.n; ++i) b.h[i] = out[i] * cell[i];
}

template <class T>
void RecurrentCell<T>::gru_gates(const RecurrentBlock<T>& b, T* reset_h) const {
  for (int gate = 0; gate < 2; ++gate) {
    for (int64_t i = 0; i < b.n; ++i) b.gate[gate][i] += b.bias[gate][i];
    f(b.gate[gate], b.n);
  }
  if (reset_h)
    for (int64_t i = 0; i < b.n; ++i) reset_h[i] = b.gate[1][i] * b.h[i];
}

template <class T>
void RecurrentCell<T>::gru(const RecurrentBlock<T>& b) const {
  T *z = b.gate[0], *reset = b.gate[1], *fresh = b.gate[2];
  for (int64_t i = 0; i < b.n; ++i) fresh[i] += b.bias[2][i];
  if (b.state_gate)
    for (int64_t i = 0; i < b.n; ++i) fresh[i] += reset[i] * (b.state_gate[i] + b.state_bias[i]);
  g(fresh, b.n);
  for (int64_t i = 0; i < b.n; ++i) b.h[i] = (1 - z[i]) * fresh[i] + z[i] * b.h[i];
}

template class RecurrentActivation<float>;
template class RecurrentActivation<double>;
template struct RecurrentCell<float>;
template struct RecurrentCell<double>;

}  // namespace opmux::cpu
