// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/tile.hpp"

#include <algorithm>

namespace opmux::gpu {
namespace {

int64_t tiles(int64_t extent, int64_t tile) { return (extent + tile - 1) / tile; }

}  // namespace

void tile_types(StepMaker& s, uint32_t sum) {
  const Kind k = kind_of(sum);
  s.type("sum", sum);
  s.define("GK_MAD(a, b, c)", k == Kind::kFloat || k == Kind::kDouble
                                  ? "gk_mad(a, b, c)"
                                  : "TO_sum(GK_U32(a) * GK_U32(b) + GK_U32(c))");
}

bool check_tile_groups(const opmux_devinfo& info, const opmux_opd& d, uint32_t row_axis, int64_t rows,
                       uint32_t col_axis, int64_t cols, opmux_cap& cap) {
  const auto most_x = static_cast<int64_t>(info.max_groups[0]),
             most_y = static_cast<int64_t>(info.max_groups[1]);
  if (tiles(cols, GK_BN) > most_x) return kit_no(&cap, OPMUX_WHY_DIM, d.n_in, col_axis, cols, most_x * GK_BN);
  if (tiles(rows, GK_BM) > most_y) return kit_no(&cap, OPMUX_WHY_DIM, d.n_in, row_axis, rows, most_y * GK_BM);
  return true;
}

void tile_groups(const opmux_devinfo& info, int64_t rows, int64_t cols, int64_t batch, StepMaker& s) {
  if (rows == 0 || cols == 0) return;
  const auto most = static_cast<int64_t>(std::max<uint64_t>(info.max_groups[2], 1));
  for (int64_t first = 0; first < batch; first += most) {
    Dispatch g;
    g.groups[0] = static_cast<uint32_t>(tiles(cols, GK_BN));
    g.groups[1] = static_cast<uint32_t>(tiles(rows, GK_BM));
    g.groups[2] = static_cast<uint32_t>(std::min(most, batch - first));
    g.first = static_cast<uint32_t>(first);
    s.dispatch(g);
  }
}

}  // namespace opmux::gpu
