// SPDX-License-Identifier: Apache-2.0
#include "cpu/matmul_shape.hpp"

#include <algorithm>

namespace opmux::cpu {

GemmOperand matrix_operand(const opmux_tdesc& t, const opmux_tdesc& out, uint32_t row_axis, uint32_t k_axis) {
  GemmOperand o;
  o.dtype = t.dtype;
  o.packed = t.layout != 0;
  o.rs = t.stride[t.rank - row_axis];
  o.ks = t.stride[t.rank - k_axis];
  for (uint32_t i = 0; i + 2 < t.rank; ++i) {
    o.bs[i + out.rank - t.rank] = t.dim[i] == 1 ? 0 : t.stride[i];
  }
  return o;
}

GridView grid_view(const opmux_tdesc& t, const opmux_tdesc& out) {
  GridView v;
  int64_t s[OPMUX_MAX_RANK] = {};
  broadcast_strides(t, out, s);
  v.dtype = t.dtype;
  std::copy(s, s + out.rank - 2, v.bs);
  v.rs = s[out.rank - 2];
  v.cs[0] = s[out.rank - 1];
  return v;
}

// The inner batch dim becomes rows where the right operand does not depend on it and everything else
// continues.
void fold_batch(GemmPlan& p) {
  OutGrid& g = p.grid;
  while (g.n_batch > 0) {
    const uint32_t i = g.n_batch - 1;
    auto continues = [&](int64_t bs, int64_t rs) { return g.batch[i] == 1 || bs == rs * p.m; };
    bool all = (p.b.bs[i] == 0 || g.batch[i] == 1) && continues(p.a.bs[i], p.a.rs) &&
               continues(g.out.bs[i], g.out.rs);
    for (uint32_t e = 0; e < g.n_extra; ++e) all = all && continues(g.extra[e].bs[i], g.extra[e].rs);
    if (!all || (p.m == 1 && g.batch[i] > 1 && g.n_extra > 16)) return;
    p.m *= g.batch[i];
    p.a.bs[i] = p.b.bs[i] = g.out.bs[i] = 0;
    for (uint32_t e = 0; e < g.n_extra; ++e) g.extra[e].bs[i] = 0;
    g.batch[i] = 0;
    --g.n_batch;
    g.rows = p.m;
  }
}

// Rows of length 1 have any stride; the one that lets a batch dim continue them is the batch's.
void free_stride(GemmPlan& p) {
  if (p.m != 1 || p.grid.n_batch == 0) return;
  const uint32_t i = p.grid.n_batch - 1;
  p.a.rs = p.a.bs[i];
  p.grid.out.rs = p.grid.out.bs[i];
  for (uint32_t e = 0; e < p.grid.n_extra; ++e) p.grid.extra[e].rs = p.grid.extra[e].bs[i];
}

int64_t matrix_offset(const GemmPlan& p, const GemmOperand& o, int64_t number) {
  int64_t offset = 0;
  for (uint32_t i = p.grid.n_batch; i-- > 0;) {
    if (o.bs[i] == 0) continue;
    offset += number % p.grid.batch[i] * o.bs[i];
    number /= p.grid.batch[i];
  }
  return offset;
}

int64_t matrix_count(const GemmPlan& p, const GemmOperand& o) {
  int64_t n = 1;
  for (uint32_t i = 0; i < p.grid.n_batch; ++i) n *= o.bs[i] != 0 ? p.grid.batch[i] : 1;
  return n;
}

int64_t matrix_of_batch(const GemmPlan& p, const GemmOperand& o, int64_t batch) {
  int64_t number = 0;
  for (uint32_t i = p.grid.n_batch; i-- > 0;) {
    number += batch % p.grid.batch[i] * o.packed_bs[i];
    batch /= p.grid.batch[i];
  }
  return number;
}

}  // namespace opmux::cpu
