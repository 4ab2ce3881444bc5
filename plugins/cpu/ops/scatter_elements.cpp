// SPDX-License-Identifier: Apache-2.0
// scatter_elements: updates along the axis are in order, those beside each other never meet.
#include "cpu/ops/ops.hpp"
#include "cpu/scatter_op.hpp"
#include "opmux/ops/index.gen.h"

namespace opmux::cpu {
namespace {

ScatterSteps steps(const opmux_opd& d) {
  const auto& a = reinterpret_cast<const opmux_op_scatter_elements&>(d);
  const opmux_tdesc &index = d.in[1], &updates = d.in[2], &y = d.out[0];
  ScatterSteps s{.name = "scatter_elements", .reduction = a.reduction, .order = {}, .lines = {}};
  s.order.rank = 1;
  s.order.dim[0] = index.dim[a.axis];
  s.order.stride[0] = index.stride[a.axis];
  s.order_updates[0] = updates.stride[a.axis];
  for (uint32_t i = 0; i < index.rank; ++i) {
    if (i == a.axis) continue;
    const uint32_t line = s.lines.rank++;
    s.lines.dim[line] = index.dim[i];
    s.lines.stride[line] = index.stride[i];
    s.lines_y[line] = y.stride[i];
    s.lines_updates[line] = updates.stride[i];
    s.line_axis[line] = i;
  }
  s.coordinate.dim[0] = y.dim[a.axis];
  s.coordinate.stride[0] = y.stride[a.axis];
  s.axis[0] = a.axis;
  return s;
}

}  // namespace

const kit_op kScatterElements = scatter_op<opmux_op_scatter_elements, steps>(OPMUX_OP_SCATTER_ELEMENTS);

}  // namespace opmux::cpu
