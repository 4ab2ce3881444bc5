// SPDX-License-Identifier: Apache-2.0
// What the host sides of linear_attention and selective_scan share: rows of a state that lanes keep in a
// workspace.
#pragma once

#include <algorithm>

#include "gpu/ops/rows.hpp"
#include "gpu/ops/values.hpp"

namespace opmux::gpu {

// An operand with its strides and, where it may be absent, a flag; otherwise elements of `absent`.
inline void bind_part(StepMaker& s, const opmux_opd& d, const char* name, bool there, uint32_t arg,
                      uint32_t absent, const char* strides, const char* flag) {
  if (!there) return s.unused(name, absent);
  bind_real(s, name, d, arg);
  const opmux_tdesc& t = *kit_operand(&d, arg);
  for (uint32_t i = 0; i < t.rank; ++i)
    s.set(strides, t.dim[i] == 1 ? 0 : static_cast<uint64_t>(t.stride[i]), i);
  if (flag) s.set(flag, 1);
}
inline void bind_in(StepMaker& s, const opmux_opd& d, const char* name, uint32_t i, uint32_t absent,
                    const char* strides, const char* flag = nullptr) {
  bind_part(s, d, name, has_in(d, i), i, absent, strides, flag);
}
inline void bind_out(StepMaker& s, const opmux_opd& d, const char* name, uint32_t o, uint32_t absent,
                     const char* strides, const char* flag = nullptr) {
  bind_part(s, d, name, has_out(d, o), d.n_in + o, absent, strides, flag);
}

// The workspace of `rows` rows of `depth` elements. False: no binding holds it.
inline bool check_state(const opmux_devinfo& info, int64_t rows, int64_t depth, bool wide, opmux_cap& cap) {
  const double bytes = static_cast<double>(rows) * static_cast<double>(depth) * (wide ? 8 : 4);
  const auto most = static_cast<double>(info.max_binding_bytes < 256 ? 0 : info.max_binding_bytes - 256);
  return bytes <= most || kit_no(&cap, OPMUX_WHY_MEMORY, OPMUX_NO_ARG, 0,
                                 static_cast<int64_t>(std::min(bytes, 9e18)), static_cast<int64_t>(most));
}
inline uint64_t state_bytes(int64_t rows, int64_t depth, bool wide) {
  return static_cast<uint64_t>(std::max<int64_t>(rows * depth, 1)) * (wide ? 8 : 4);
}

// The words `width`, `count` and `depth`, the workspace `state`, and groups for the rows.
inline void set_states(const opmux_devinfo& info, StepMaker& s, int64_t rows, int64_t depth, bool wide) {
  s.workspace("state", 0, state_bytes(rows, depth, wide), wide ? OPMUX_F64 : OPMUX_F32);
  const uint32_t width = row_width(s.source(), rows, depth);
  s.set("width", width);
  s.set("count", static_cast<uint64_t>(rows));
  s.set("depth", static_cast<uint64_t>(depth));
  s.elements(info, static_cast<uint64_t>(rows) * width);
}

}  // namespace opmux::gpu
