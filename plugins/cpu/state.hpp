// SPDX-License-Identifier: Apache-2.0
// Life of what a kernel keeps between prepare and release.
#ifndef OPMUX_CPU_STATE_HPP
#define OPMUX_CPU_STATE_HPP

#include <new>
#include <utility>

#include "kit/guard.hpp"
#include "kit/op.h"

namespace opmux::cpu {

template <class State, class... Args>
opmux_status make_state(const opmux_host_api* host, void** out, opmux_err* err, Args&&... args) {
  void* p = host->alloc(host->self, sizeof(State), alignof(State));
  if (!p)
    return kit_fail(err, OPMUX_E_OUT_OF_MEMORY, OPMUX_NO_ARG, "no memory for a kernel's %zu bytes",
                    sizeof(State));
  const opmux_status status = kit::guard(err, [&] { *out = new (p) State(std::forward<Args>(args)...); });
  if (status != OPMUX_OK) host->free_(host->self, p, sizeof(State), alignof(State));
  return status;
}

// The prepare of an implementation whose state comes from the descriptor alone.
template <class State>
opmux_status prepare_state(const opmux_host_api* host, const opmux_opd* d, void** state, opmux_err* err) {
  return make_state<State>(host, state, err, *d);
}

template <class State>
void free_state(const opmux_host_api* host, void* p) {
  if (!p) return;
  static_cast<State*>(p)->~State();
  host->free_(host->self, p, sizeof(State), alignof(State));
}

// An implementation with such a state, of the operator that Desc describes.
template <class State, class Desc>
constexpr kit_op state_op(uint32_t op, const char* variant, decltype(kit_op::query) query,
                          decltype(kit_op::run) run, decltype(kit_op::packed_size) packed_size = nullptr,
                          decltype(kit_op::pack) pack = nullptr) {
  return {op,  variant,     query, prepare_state<State>, free_state<State>,
          run, packed_size, pack,  sizeof(Desc),         1};
}

}  // namespace opmux::cpu
#endif
