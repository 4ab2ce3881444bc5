// SPDX-License-Identifier: Apache-2.0
// scatter_nd: the tuples are in order, the elements of a slice never meet.
#include "cpu/ops/ops.hpp"
#include "cpu/scatter_op.hpp"
#include "opmux/ops/index.gen.h"

namespace opmux::cpu {
namespace {

ScatterSteps steps(const opmux_opd& d) {
  const opmux_tdesc &index = d.in[1], &updates = d.in[2], &y = d.out[0];
  const uint32_t lead = index.rank - 1, n = static_cast<uint32_t>(index.dim[lead]);
  ScatterSteps s{.name = "scatter_nd",
                 .reduction = reinterpret_cast<const opmux_op_scatter_nd&>(d).reduction,
                 .order = index,
                 .lines = {}};
  s.order.rank = lead;
  for (uint32_t i = 0; i < lead; ++i) s.order_updates[i] = updates.stride[i];
  s.coordinate.count = n;
  s.coordinate.step = index.stride[lead];
  for (uint32_t k = 0; k < n; ++k) {
    s.coordinate.dim[k] = y.dim[k];
    s.coordinate.stride[k] = y.stride[k];
    s.axis[k] = k;
  }
  for (uint32_t i = n; i < y.rank; ++i) {
    const uint32_t line = s.lines.rank++;
    s.lines.dim[line] = y.dim[i];
    s.lines_y[line] = y.stride[i];
    s.lines_updates[line] = updates.stride[lead + line];
    s.line_axis[line] = i;
  }
  return s;
}

}  // namespace

const kit_op kScatterNd = scatter_op<opmux_op_scatter_nd, steps>(OPMUX_OP_SCATTER_ND);

}  // namespace opmux::cpu
