// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gpu/ops/ops.hpp"
#include "gpu/ops/product.hpp"
#include "gpu/ops/tile.hpp"

namespace opmux::gpu {
namespace {

void fill(const opmux_devinfo& info, const opmux_opd& d, StepMaker& s) {
  const opmux_tdesc &a = d.in[0], &b = d.in[1], &y = d.out[0];
  const int64_t rows = y.dim[y.rank - 2], cols = y.dim[y.rank - 1];
  s.set("rows", static_cast<uint64_t>(rows));
  s.set("cols", static_cast<uint64_t>(cols));
  s.set("depth", static_cast<uint64_t>(a.dim[a.rank - 1]));
  s.set("a_row", static_cast<uint64_t>(a.stride[a.rank - 2]));
  s.set("a_col", static_cast<uint64_t>(a.stride[a.rank - 1]));
  s.set("b_row", static_cast<uint64_t>(b.stride[b.rank - 2]));
  s.set("b_col", static_cast<uint64_t>(b.stride[b.rank - 1]));
  product_walk(d, {{"as", &a}, {"bs", &b}}, 2, s);
  int64_t count = 1;
  for (uint32_t i = 0; i + 2 < y.rank; ++i) count *= y.dim[i];
  tile_groups(info, rows, cols, count, s);
}

}  // namespace

bool plan_matmul(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const uint32_t sum = reinterpret_cast<const opmux_op_matmul&>(d).acc_dtype;
  const opmux_tdesc& y = d.out[0];
  if (!check_operands(info, d, cap) || !check_apart(d, cap)) return false;
  if (!check_tile_groups(info, d, y.rank - 2, y.dim[y.rank - 2], y.rank - 1, y.dim[y.rank - 1], cap))
    return false;
  StepMaker s("matmul");
  tile_types(s, sum);
  s.bind("a", d, 0);
  s.bind("b", d, 1);
  if (!s.epilogue(info, d, sum, cap)) return false;
  say_yes(info, d, cap);
  if (!plan) return true;
  fill(info, d, s);
  plan->steps.push_back(s.take());
  return true;
}

}  // namespace opmux::gpu
