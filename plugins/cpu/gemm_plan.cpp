// SPDX-License-Identifier: Apache-2.0
#include "cpu/gemm_plan.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "cpu/answer.hpp"

namespace opmux::cpu {
namespace {

// Found on a Zen 4 core (32 KiB and 1 MiB caches): a panel of B of 256 to 512 rows streams from the second
// level without loss, and shorter ones spend time on storing and loading partial sums.
constexpr int64_t kDepth = 384;
// A block of B may fill half of a 1 MiB second-level cache.
constexpr int64_t kBlockBytes = 512 << 10;
// A whole packed A above this is packed strip by strip instead, to bound the workspace.
constexpr uint64_t kUpfrontBytes = 64u << 20;
// Rows of A per task; twice as many when B has to be packed by each task again.
constexpr int64_t kTaskRows = 256;

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
uint64_t round64(int64_t bytes) { return (static_cast<uint64_t>(bytes) + 63) & ~uint64_t{63}; }

// Numbers the distinct matrices of an operand in row-major order of the batch; returns how many there are.
int64_t number_matrices(const GemmPlan& p, GemmOperand& o) {
  int64_t n = 1;
  for (uint32_t i = p.grid.n_batch; i-- > 0;) {
    o.packed_bs[i] = o.bs[i] != 0 ? n : 0;
    n *= o.bs[i] != 0 ? p.grid.batch[i] : 1;
  }
  return n;
}

// Blocks per task: as large as the cache allows, but some 32 tasks where the work is enough for them, so that
// threads finish together. B that tasks pack themselves wants many rows to pay for it.
void choose_blocks(GemmPlan& p, int64_t size) {
  constexpr int64_t kTasks = 32;
  const bool repacks = p.b_mode == GemmB::kBlock || p.b_mode == GemmB::kCustom;
  const int64_t rows = repacks ? 2 * kTaskRows : kTaskRows,
                least = ceil_div(repacks ? kTaskRows / 2 : 48, p.mr);
  p.a_block = p.a_mode == GemmA::kStrip
                  ? p.a_panels
                  : std::clamp<int64_t>(ceil_div(rows, p.mr), 1, std::max<int64_t>(p.a_panels, 1));
  p.b_block = std::clamp<int64_t>(kBlockBytes / (p.kc * p.tile.nr * size), 1, 8);
  auto count = [&p] { return p.batches * ceil_div(p.a_panels, p.a_block) * ceil_div(p.b_panels, p.b_block); };
  while (count() < kTasks && p.b_block > 2) p.b_block = ceil_div(p.b_block, 2);
  while (count() < kTasks && p.a_block >= 2 * least && p.a_mode != GemmA::kStrip)
    p.a_block = ceil_div(p.a_block, 2);
  if (count() < kTasks) p.b_block = 1;
  p.a_blocks = std::max<int64_t>(1, ceil_div(p.a_panels, p.a_block));
  p.b_blocks = ceil_div(p.b_panels, p.b_block);
}

}  // namespace

int64_t balanced_rows(int64_t m, int64_t most) {
  const int64_t panels = std::max<int64_t>(1, ceil_div(m, most));
  return std::max<int64_t>(1, ceil_div(m, panels));
}

int64_t scratch_slots() {
  static const int64_t n = std::max(1u, std::thread::hardware_concurrency());
  return n;
}

void transpose(GemmPlan& p) {
  std::swap(p.m, p.n);
  std::swap(p.a, p.b);
  auto flip = [](GridView& v) { std::swap(v.rs, v.cs[0]); };
  flip(p.grid.out);
  for (uint32_t i = 0; i < p.grid.n_extra; ++i) flip(p.grid.extra[i]);
  p.grid.rows = p.m;
  p.grid.col[0] = p.n;
}

void cut(GemmPlan& p, GemmTile tile, uint32_t acc, bool custom_b) {
  const int64_t size = element_bytes(acc);
  p.tile = tile;
  p.slots = scratch_slots();
  p.batches = 1;
  for (uint32_t i = 0; i < p.grid.n_batch; ++i) p.batches *= p.grid.batch[i];
  p.mr = balanced_rows(p.m, tile.mr);
  p.a_panels = ceil_div(p.m, p.mr);
  p.b_panels = ceil_div(p.n, tile.nr);

  const GridView& out = p.grid.out;
  p.direct = out.dtype == acc && !p.aliased && p.grid.n_col == 1 && (out.cs[0] == 1 || p.n == 1) &&
             (out.rs != 0 || p.m == 1);
  p.kc = p.direct ? ceil_div(std::max<int64_t>(p.k, 1), ceil_div(std::max<int64_t>(p.k, 1), kDepth))
                  : std::max<int64_t>(p.k, 1);

  const auto a_bytes = static_cast<uint64_t>(number_matrices(p, p.a) * p.a_panels * p.mr * p.k * size);
  number_matrices(p, p.b);
  p.a_mode = p.a.packed ? GemmA::kPacked : a_bytes <= kUpfrontBytes ? GemmA::kUpfront : GemmA::kStrip;
  p.a_bytes = p.a_mode == GemmA::kUpfront ? round64(static_cast<int64_t>(a_bytes)) : 0;
  if (custom_b) {
    p.b_mode = GemmB::kCustom;
  } else if (p.b.packed) {
    p.b_mode = GemmB::kPacked;
  } else if (p.b.dtype == acc && p.b.rs == 1 && p.a_panels <= 2) {
    p.b_mode = GemmB::kDirect;
  } else {
    p.b_mode = GemmB::kBlock;
  }
  choose_blocks(p, size);

  const int64_t b_columns = p.b_mode == GemmB::kPacked   ? 0
                            : p.b_mode == GemmB::kDirect ? tile.nr
                                                         : p.b_block * tile.nr;
  p.slot_bytes = round64((b_columns * p.kc + (b_columns != 0 ? 64 : 0)) * size);
  if (p.a_mode == GemmA::kStrip) p.slot_bytes += round64(p.mr * p.kc * size);
  if (!p.direct) p.slot_bytes += round64(p.mr * p.b_block * tile.nr * size);
}

}  // namespace opmux::cpu
