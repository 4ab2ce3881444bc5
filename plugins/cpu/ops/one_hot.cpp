// SPDX-License-Identifier: Apache-2.0
// one_hot: y is filled with `off`, then one element for each index in range becomes `on`.
#include <cmath>
#include <cstring>

#include "cpu/answer.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/state.hpp"
#include "cpu/strided_copy.hpp"
#include "cpu/tiles.hpp"
#include "opmux/ops/index.gen.h"

namespace opmux::cpu {
namespace {

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap) || !whole_bytes(*d, cap)) return;
  if (lane_of(d->in[0].dtype) == Lane::kNone) return no(cap, OPMUX_WHY_DTYPE, 0, d->in[0].dtype);
  if (!apart(*d, cap)) return;
  yes(cap, info, {.bytes = static_cast<double>(elements(d->out[0]) * element_bytes(d->out[0].dtype))});
}

struct State {
  explicit State(const opmux_opd& d) {
    const opmux_tdesc &index = d.in[0], &values = d.in[1], &y = d.out[0];
    const uint32_t axis = reinterpret_cast<const opmux_op_one_hot&>(d).axis;
    opmux_tdesc off = values;
    off.rank = 0;
    fill.plan(y, off);
    bytes = element_bytes(y.dtype);
    index_bytes = element_bytes(index.dtype);
    on = values.stride[0] * bytes;
    depth = y.dim[axis];
    axis_step = y.stride[axis];
    is_float = OPMUX_DTYPE_CLASS(index.dtype) == OPMUX_CLASS_FLOAT;
    is_u64 = index.dtype == OPMUX_U64;
    load = find_load(index.dtype);
    to_wide = find_cast(index.dtype, is_float ? OPMUX_F64 : OPMUX_I64, false);
    int64_t of_y[OPMUX_MAX_RANK] = {};
    for (uint32_t i = 0; i < index.rank; ++i) of_y[i] = y.stride[i < axis ? i : i + 1];
    loops = Loops(index);
    loops.add(index);
    loops.add_strides(of_y);
    loops.simplify(0);
  }

  // Position along the axis, -1 if it matches nowhere. A float is truncated.
  int64_t position(const void* at) const {
    uint64_t lane = 0;
    int64_t i = 0;
    load(&lane, at, 1, 1);
    if (is_float) {
      double v;
      to_wide(&v, &lane, &lane, &lane, 1);
      if (!(std::fabs(v) < 0x1p62)) return -1;
      i = static_cast<int64_t>(v);
    } else {
      to_wide(&i, &lane, &lane, &lane, 1);
      if (is_u64 && i < 0) return -1;
    }
    if (i < 0) i += depth;
    return i >= 0 && i < depth ? i : -1;
  }

  StridedCopy fill;
  Loops loops;  // 0: index, 1: y without its axis
  int64_t bytes = 1, index_bytes = 1, on = 0, depth = 0, axis_step = 0;
  bool is_float = false, is_u64 = false;
  LoadFn load = nullptr;
  TileFn to_wide = nullptr;
};

opmux_status run(const kit_call* call, opmux_err*) {
  const State& s = *static_cast<const State*>(call->state);
  const auto* index = static_cast<const char*>(call->arg[0]);
  const auto* values = static_cast<const char*>(call->arg[1]);
  auto* y = static_cast<char*>(call->arg[2]);
  if (s.depth == 0) return OPMUX_OK;
  s.fill.run(call->host, y, values);
  const auto n = static_cast<uint64_t>(s.loops.elements());
  parallel_for(call->host, n, grain_for(n, 10), [&](uint64_t begin, uint64_t end) {
    for (uint64_t k = begin; k < end; ++k) {
      const int64_t at = s.position(index + s.loops.offset(0, s.loops.rank, k) * s.index_bytes);
      if (at < 0) continue;
      std::memcpy(y + (s.loops.offset(1, s.loops.rank, k) + at * s.axis_step) * s.bytes, values + s.on,
                  static_cast<size_t>(s.bytes));
    }
  });
  return OPMUX_OK;
}

}  // namespace

const kit_op kOneHot = state_op<State, opmux_op_one_hot>(OPMUX_OP_ONE_HOT, "fill", query, run);

}  // namespace opmux::cpu
