// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gpu/ops/ops.hpp"
#include "gpu/ops/product.hpp"
#include "gpu/ops/tile.hpp"
#include "gpu/ops/values.hpp"
#include "kit/insn.hpp"
#include "kit/operands/matmul.gen.hpp"

namespace opmux::gpu {
namespace {

using enum operands::grouped_matmul::Input;

// Tiles of rows that the parts can have at most.
int64_t most_tiles(const opmux_opd& d) {
  const int64_t rows = d.in[kA].dim[0];
  return rows == 0 ? 0 : rows / GK_BM + std::min(d.in[kOffsets].dim[0] + 1, rows);
}

void fill(const opmux_devinfo& info, const opmux_opd& d, StepMaker& s) {
  const opmux_tdesc &a = d.in[kA], &y = d.out[0];
  s.set("all_rows", static_cast<uint64_t>(a.dim[0]));
  s.set("cols", static_cast<uint64_t>(y.dim[1]));
  s.set("all_depth", static_cast<uint64_t>(a.dim[1]));
  s.set("parts", static_cast<uint64_t>(d.in[kOffsets].dim[0] + 1));
  s.set("step", static_cast<uint64_t>(d.in[kOffsets].stride[0]));
  set_strides(s, "as", a, 2);
  set_strides(s, "bs", d.in[kB], 3);
  product_walk(d, {}, kit::own_inputs(d), s);
  // The second axis counts tiles over all parts.
  const int64_t tiles = most_tiles(d), most = std::max<int64_t>(static_cast<int64_t>(info.max_groups[1]), 1);
  const auto columns = static_cast<uint32_t>((y.dim[1] + GK_BN - 1) / GK_BN);
  for (int64_t first = 0; columns > 0 && first < tiles; first += most) {
    Dispatch g;
    g.groups[0] = columns;
    g.groups[1] = static_cast<uint32_t>(std::min(most, tiles - first));
    g.first = static_cast<uint32_t>(first);
    s.dispatch(g);
  }
}

}  // namespace

bool plan_grouped_matmul(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const uint32_t sum = reinterpret_cast<const opmux_op_grouped_matmul&>(d).acc_dtype;
  const opmux_tdesc& y = d.out[0];
  if (!check_operands(info, d, cap) || !check_apart(d, cap)) return false;
  if (!check_tile_groups(info, d, 0, 0, 1, y.dim[1], cap)) return false;
  StepMaker s("grouped_matmul");
  real_types(s, d.in[kA].dtype, sum == OPMUX_F64);
  tile_types(s, sum);
  bind_real(s, "a", d, kA);
  bind_real(s, "b", d, kB);
  s.bind("offsets", d, kOffsets);
  if (!s.epilogue(info, d, sum, cap)) return false;
  say_yes(info, d, cap);
  if (!plan) return true;
  plan->steps.push_back(check_step(info, d, kOffsets, 0, d.in[kA].dim[0], true));
  plan->faulty_arg = kOffsets;
  fill(info, d, s);
  plan->steps.push_back(s.take());
  return true;
}

}  // namespace opmux::gpu
