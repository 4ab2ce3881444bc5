// SPDX-License-Identifier: Apache-2.0
// gather_nd: the last dim of index holds coordinates into the dims of x after the batch dims.
#include "cpu/gather_op.hpp"
#include "cpu/ops/ops.hpp"
#include "opmux/ops/index.gen.h"

namespace opmux::cpu {
namespace {

GatherSteps steps(const opmux_opd& d) {
  const opmux_tdesc &x = d.in[0], &index = d.in[1], &y = d.out[0];
  const uint32_t batch = reinterpret_cast<const opmux_op_gather_nd&>(d).batch_dims, lead = index.rank - 1;
  GatherSteps s{.name = "gather_nd"};
  Coordinate& c = s.coordinate;
  c.count = static_cast<uint32_t>(index.dim[lead]);
  c.step = index.stride[lead];
  for (uint32_t k = 0; k < c.count; ++k) {
    c.dim[k] = x.dim[batch + k];
    c.stride[k] = x.stride[batch + k];
  }
  for (uint32_t i = 0; i < y.rank; ++i) {
    if (i < lead) s.index[i] = index.stride[i];
    if (i < batch) s.x[i] = x.stride[i];
    if (i >= lead) s.x[i] = x.stride[batch + c.count + i - lead];
  }
  return s;
}

}  // namespace

const kit_op kGatherNd = gather_op<opmux_op_gather_nd, steps>(OPMUX_OP_GATHER_ND);

}  // namespace opmux::cpu
