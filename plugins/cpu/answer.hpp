// SPDX-License-Identifier: Apache-2.0
// Capability answers in one line each.
#ifndef OPMUX_CPU_ANSWER_HPP
#define OPMUX_CPU_ANSWER_HPP

#include <algorithm>
#include <cstdint>

#include "kit/insn.hpp"
#include "kit/schema/schema.hpp"
#include "opmux/plugin.h"

namespace opmux::cpu {

// Refuses: why is OPMUX_WHY_*, arg the operand (inputs, then outputs) unless the reason says otherwise.
inline void no(opmux_cap* cap, uint32_t why, uint32_t arg, int64_t have = 0, int64_t limit = 0,
               uint32_t axis = 0) {
  cap->verdict = OPMUX_NO;
  cap->why = why;
  cap->why_arg = arg;
  cap->why_axis = axis;
  cap->why_have = have;
  cap->why_limit = limit;
}

struct Cost {
  double flops = 0, bytes = 0;  // bytes: to and from memory
  double flops_per_ns = 60;     // of one thread
  uint64_t ws = 0;              // workspace in bytes
  uint32_t accuracy = OPMUX_ACC_STRICT;
};

// What the schema's formulas say.
inline Cost schema_cost(const opmux_opd& d, double flops_per_ns, uint64_t ws) {
  return {.flops = static_cast<double>(schema::flops(d)),
          .bytes = static_cast<double>(schema::bytes(d)),
          .flops_per_ns = flops_per_ns,
          .ws = ws};
}

// Accepts, with the cost by a roofline of 16 GB/s a thread.
inline void yes(opmux_cap* cap, const opmux_devinfo* info, const Cost& c) {
  const uint32_t units = info && info->compute_units ? info->compute_units : 1;
  const double compute = c.flops / (c.flops_per_ns * units),
               memory = c.bytes / (16.0 * (units > 2 ? 2 : units));
  cap->verdict = OPMUX_YES;
  cap->cost_ns = static_cast<uint64_t>(100 + (compute > memory ? compute : memory));
  cap->cost_ns_spread = cap->cost_ns / 2;
  cap->cost_source = OPMUX_COST_MODEL;
  cap->ws_min = cap->ws_best = c.ws;
  cap->accuracy = c.accuracy;
  cap->deterministic = 1;
}

// Is operand i of the operator itself there? Those of epilogues follow its own, so with a trailing one left
// off there may well be an operand i that is not the operator's.
inline bool has_in(const opmux_opd& d, uint32_t i) {
  return i < kit::own_inputs(d) && d.in[i].dtype != OPMUX_NONE;
}
inline bool has_out(const opmux_opd& d, uint32_t o) { return o < d.n_out && d.out[o].dtype != OPMUX_NONE; }

inline int64_t elements(const opmux_tdesc& t) {
  int64_t n = 1;
  for (uint32_t i = 0; i < t.rank; ++i) n *= t.dim[i];
  return n;
}

// Bytes of one element; sub-byte types give 0.
inline int64_t element_bytes(uint32_t dtype) { return OPMUX_DTYPE_BITS(dtype) / 8; }

inline int64_t tensor_bytes(const opmux_tdesc& t) {
  return (elements(t) * OPMUX_DTYPE_BITS(t.dtype) + 7) / 8;
}

// Refuses operands in opaque layouts, and outputs whose elements share memory.
inline bool plain_operands(const opmux_opd& d, opmux_cap* cap) {
  for (uint32_t i = 0; i < d.n_in + d.n_out; ++i) {
    const opmux_tdesc& t = i < d.n_in ? d.in[i] : d.out[i - d.n_in];
    if (t.layout != 0) return no(cap, OPMUX_WHY_LAYOUT, i, t.layout, 0), false;
    for (uint32_t a = 0; i >= d.n_in && a < t.rank; ++a)
      if (t.stride[a] == 0 && t.dim[a] > 1) return no(cap, OPMUX_WHY_STRIDE, i, 0, 1, a), false;
  }
  return true;
}

// Refuses outputs in place of inputs; the answer names the input.
inline bool apart(const opmux_opd& d, opmux_cap* cap) {
  for (uint32_t o = 0; d.alias && o < d.n_out; ++o)
    if (d.alias[o] != 0) return no(cap, OPMUX_WHY_ALIAS, d.alias[o] - 1), false;
  return true;
}

// Refuses work that needs more memory than `most`; bytes is an estimate that may be beyond all integers.
inline bool fits(double bytes, double most, opmux_cap* cap) {
  if (bytes > most)
    return no(cap, OPMUX_WHY_MEMORY, OPMUX_NO_ARG, static_cast<int64_t>(std::min(bytes, 9e18)),
              static_cast<int64_t>(most)),
           false;
  return true;
}

// Refuses elements of less than a byte (limit: 8 bits).
inline bool whole_bytes(const opmux_opd& d, opmux_cap* cap) {
  for (uint32_t i = 0; i < d.n_in + d.n_out; ++i) {
    const uint32_t dtype = i < d.n_in ? d.in[i].dtype : d.out[i - d.n_in].dtype;
    if (OPMUX_DTYPE_BITS(dtype) % 8 != 0) return no(cap, OPMUX_WHY_DTYPE, i, dtype, 8), false;
  }
  return true;
}

}  // namespace opmux::cpu
#endif
