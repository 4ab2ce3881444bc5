// SPDX-License-Identifier: Apache-2.0
// gather_elements: the coordinate along one axis comes from the index at the same position.
#include "cpu/gather_op.hpp"
#include "cpu/ops/ops.hpp"
#include "opmux/ops/index.gen.h"

namespace opmux::cpu {
namespace {

GatherSteps steps(const opmux_opd& d) {
  const opmux_tdesc &x = d.in[0], &index = d.in[1], &y = d.out[0];
  const uint32_t axis = reinterpret_cast<const opmux_op_gather_elements&>(d).axis;
  GatherSteps s{.name = "gather_elements"};
  for (uint32_t i = 0; i < y.rank; ++i) {
    s.index[i] = index.stride[i];
    s.x[i] = i == axis ? 0 : x.stride[i];
  }
  s.coordinate.dim[0] = x.dim[axis];
  s.coordinate.stride[0] = x.stride[axis];
  return s;
}

}  // namespace

const kit_op kGatherElements = gather_op<opmux_op_gather_elements, steps>(OPMUX_OP_GATHER_ELEMENTS);

}  // namespace opmux::cpu
