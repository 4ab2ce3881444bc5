// SPDX-License-Identifier: Apache-2.0
// One step of the layers that carry a state; T is float or double. Rows of states and everything beside them
// have kStateColumns elements.
#ifndef OPMUX_CPU_KERNELS_STATES_HPP
#define OPMUX_CPU_KERNELS_STATES_HPP

#include <cstdint>

namespace opmux::cpu {

constexpr int64_t kStateColumns = 64;

// Linear attention on some columns of a head's state [width, kStateColumns].
template <class T>
struct LinearStep {
  int64_t width;
  T* state;
  const T* k;      // [width]
  const T* decay;  // [width] factors, or nullptr
  const T* v;      // [kStateColumns]
  bool delta;
  T beta;
};
// The selective scan on some channels: state and a are [n_state, kStateColumns].
template <class T>
struct ScanStep {
  int64_t n_state;
  T* state;
  const T *a, *b, *c;  // b, c: [n_state]
  const T *x, *delta, *skip;
  T* y;
};

template <class T>
struct StateKernels {
  void (*linear)(const LinearStep<T>&);
  // y = scale state^T q.
  void (*read)(const T* state, const T* q, T scale, int64_t width, T* y);
  void (*scan)(const ScanStep<T>&);
};
template <class T>
StateKernels<T> state_kernels();

}  // namespace opmux::cpu
#endif
