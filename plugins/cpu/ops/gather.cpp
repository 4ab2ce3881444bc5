// SPDX-License-Identifier: Apache-2.0
// gather: y = x taken along one axis; rows behind the axis are moved whole.
#include "cpu/gather_op.hpp"
#include "cpu/ops/ops.hpp"
#include "opmux/ops/index.gen.h"

namespace opmux::cpu {
namespace {

GatherSteps steps(const opmux_opd& d) {
  const opmux_tdesc &x = d.in[0], &index = d.in[1], &y = d.out[0];
  const uint32_t axis = reinterpret_cast<const opmux_op_gather&>(d).axis;
  GatherSteps s{.name = "gather"};
  for (uint32_t i = 0; i < y.rank; ++i) {
    const bool inside = i >= axis && i < axis + index.rank;
    if (inside) s.index[i] = index.stride[i - axis];
    if (!inside) s.x[i] = x.stride[i < axis ? i : i - index.rank + 1];
  }
  s.coordinate.dim[0] = x.dim[axis];
  s.coordinate.stride[0] = x.stride[axis];
  return s;
}

}  // namespace

const kit_op kGather = gather_op<opmux_op_gather, steps>(OPMUX_OP_GATHER);

}  // namespace opmux::cpu
