// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gpu/ops/code.hpp"
#include "kit/schema/schema.hpp"

namespace opmux::gpu {
namespace {

int64_t tiles(int64_t extent, int64_t tile) { return (extent + tile - 1) / tile; }

// One epilogue at most; no program in front of an operand.
bool check_programs(const opmux_opd& d, opmux_cap& cap, ProgramCode& code) {
  if (d.n_prog == 0) return true;
  if (d.n_prog > 1 || d.prog[0].slot != OPMUX_SLOT_EPILOGUE(0)) {
    return kit_no(&cap, OPMUX_WHY_PROGRAM, d.n_prog - 1, 0, 0, 0);
  }
  const ProgramRefusal r = translate(d.prog[0], 1, d.in + 2, code);
  return !r.refused || kit_no(&cap, OPMUX_WHY_PROGRAM, 0, 0, r.insn, 0);
}

bool check_groups(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, int64_t& batch) {
  const opmux_tdesc& c = d.out[0];
  const int64_t groups_x = tiles(c.dim[c.rank - 1], GK_BN), groups_y = tiles(c.dim[c.rank - 2], GK_BM);
  const auto most_x = static_cast<int64_t>(info.max_groups[0]),
             most_y = static_cast<int64_t>(info.max_groups[1]);
  if (groups_x > most_x) {
    return kit_no(&cap, OPMUX_WHY_DIM, d.n_in, c.rank - 1, c.dim[c.rank - 1], most_x * GK_BN);
  }
  if (groups_y > most_y) {
    return kit_no(&cap, OPMUX_WHY_DIM, d.n_in, c.rank - 2, c.dim[c.rank - 2], most_y * GK_BM);
  }
  batch = 1;
  for (uint32_t i = 0; i + 2 < c.rank; ++i) {
    batch *= c.dim[i];
    if (batch >= kMaxExtent) return kit_no(&cap, OPMUX_WHY_DIM, d.n_in, i, batch, kMaxExtent - 1);
  }
  return true;
}

void fill(const opmux_devinfo& info, const opmux_opd& d, const ProgramCode& code, int64_t batch,
          KernelPlan& plan) {
  const opmux_tdesc& c = d.out[0];
  const int64_t m = c.dim[c.rank - 2], n = c.dim[c.rank - 1], k = d.in[0].dim[d.in[0].rank - 1];
  plan = {};
  plan.kernel = KernelId::kMatmul;
  if (m == 0 || n == 0 || batch == 0) return;
  CodeWords w;
  w.dims(c);
  w.strides(GK_AT_OUT, c, c);
  w.strides(GK_AT_A, d.in[0], c);
  w.strides(GK_AT_B, d.in[1], c);
  w.set(GK_AT_K, static_cast<uint32_t>(k));
  for (uint32_t i = 2; i < d.n_in; ++i) w.strides(GK_AT_STRIDES + 8 * (i - 2), d.in[i], c);
  w.program(code);
  plan.code = std::move(w.words());
  plan.uses.push_back({d.n_in, GK_BIND_OUT, reach_of(c)});
  if (k != 0) {
    plan.uses.push_back({0, GK_BIND_A, reach_of(d.in[0])});
    plan.uses.push_back({1, GK_BIND_B, reach_of(d.in[1])});
  }
  for (uint32_t i = 2; i < d.n_in; ++i) {
    plan.uses.push_back({i, GK_BIND_OPERANDS + i - 2, reach_of(d.in[i])});
  }
  const auto most_z = static_cast<int64_t>(std::max<uint64_t>(info.max_groups[2], 1));
  for (int64_t first = 0; first < batch; first += most_z) {
    Dispatch g;
    g.groups[0] = static_cast<uint32_t>(tiles(n, GK_BN));
    g.groups[1] = static_cast<uint32_t>(tiles(m, GK_BM));
    g.groups[2] = static_cast<uint32_t>(std::min(most_z, batch - first));
    g.first = static_cast<uint32_t>(first);
    plan.dispatches.push_back(g);
  }
}

}  // namespace

bool plan_matmul(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  ProgramCode code;
  int64_t batch = 1;
  for (uint32_t i = 0; i <= d.n_in; ++i) {
    if (!check_operand(info, d, i, cap)) return false;
  }
  if (d.alias && d.alias[0] != 0) return kit_no(&cap, OPMUX_WHY_ALIAS, d.n_in, 0, d.alias[0], 0);
  if (!check_programs(d, cap, code) || !check_groups(info, d, cap, batch)) return false;
  kit_yes(&cap, OPMUX_ACC_STRICT,
          cost_ns(info, static_cast<double>(schema::flops(d)), static_cast<double>(schema::bytes(d))));
  if (plan) fill(info, d, code, batch, *plan);
  return true;
}

}  // namespace opmux::gpu
