// SPDX-License-Identifier: Apache-2.0
// What a resize does along each of its axes: planned from the descriptor, filled in when scales are known.
#ifndef OPMUX_CPU_RESIZE_PLAN_HPP
#define OPMUX_CPU_RESIZE_PLAN_HPP

#include <cstdint>

#include "kit/op.h"
#include "kit/resample.hpp"
#include "opmux/ops/image.gen.h"

namespace opmux::cpu {

// One axis; the tables lie in the workspace.
struct ResizeTable {
  int64_t axis = 0, in = 0, out = 0;
  int64_t most_taps = 1;                                   // of one output
  uint64_t first = 0, place = 0, weight = 0, outside = 0;  // offsets in the workspace, in bytes
};

// As it is found in one run. Taps of output o: [first[o], first[o + 1]).
struct ResizeTaps {
  const int64_t *first, *place;
  const double* weight;
  const bool* outside;
};

struct ResizePlan {
  explicit ResizePlan(const opmux_opd& d);

  const opmux_op_resize& d;
  const opmux_tdesc &x, &y;
  bool nearest;
  uint32_t n = 0;
  ResizeTable table[OPMUX_MAX_RANK];  // in the order of the passes: what shrinks most comes first
  uint64_t table_bytes = 0;

  ResizeTaps taps(const char* ws, uint32_t i) const {
    const ResizeTable& t = table[i];
    return {reinterpret_cast<const int64_t*>(ws + t.first), reinterpret_cast<const int64_t*>(ws + t.place),
            reinterpret_cast<const double*>(ws + t.weight), reinterpret_cast<const bool*>(ws + t.outside)};
  }
  // Reads scales and regions and fills the tables, whose memory is at ws.
  opmux_status fill(const kit_call& call, char* ws, opmux_err* err) const;

 private:
  opmux_status fill_table(const kit_call& call, char* ws, uint32_t i, opmux_err* err) const;
  uint32_t number(const ResizeTable& t) const;  // of the axis in the descriptor's list
};

}  // namespace opmux::cpu
#endif
