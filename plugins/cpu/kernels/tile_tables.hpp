// SPDX-License-Identifier: Apache-2.0
// Where the kernel files list their tile operations; tiles.cpp searches the lists.
#ifndef OPMUX_CPU_KERNELS_TILE_TABLES_HPP
#define OPMUX_CPU_KERNELS_TILE_TABLES_HPP

#include "cpu/tiles.hpp"

namespace opmux::cpu {

struct TileEntry {
  uint32_t fn;
  TileFn by_mask[7];  // index: mask of uniform operands
};
struct TileTable {
  const TileEntry* entry;
  size_t n;
};

TileTable f32_tiles();  // f32 lanes, in vectors
TileTable f32_math_tiles();
TileTable f32_wide_tiles();
TileTable float_tiles(Lane lane);  // f64 lanes; f32 lanes: what those lack
TileTable int_tiles(Lane lane);    // integer and bool lanes
TileTable logic_tiles(Lane lane);  // comparisons, IS_* and SELECT of every lane

}  // namespace opmux::cpu
#endif
