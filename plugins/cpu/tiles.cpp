// SPDX-License-Identifier: Apache-2.0
#include "cpu/tiles.hpp"

#include <initializer_list>

#include "cpu/kernels/tile_tables.hpp"

namespace opmux::cpu {
namespace {

struct LaneOf {
  uint32_t dtype;
  Lane lane;
};
constexpr LaneOf kLaneOf[] = {
    {OPMUX_F64, Lane::kF64},      {OPMUX_F32, Lane::kF32},      {OPMUX_F16, Lane::kF32},
    {OPMUX_BF16, Lane::kF32},     {OPMUX_I64, Lane::kI64},      {OPMUX_I32, Lane::kI32},
    {OPMUX_I16, Lane::kI16},      {OPMUX_I8, Lane::kI8},        {OPMUX_U64, Lane::kU64},
    {OPMUX_U32, Lane::kU32},      {OPMUX_U16, Lane::kU16},      {OPMUX_U8, Lane::kU8},
    {OPMUX_BOOL, Lane::kBool},    {OPMUX_E4M3FN, Lane::kF32},   {OPMUX_E5M2, Lane::kF32},
    {OPMUX_E4M3FNUZ, Lane::kF32}, {OPMUX_E5M2FNUZ, Lane::kF32}, {OPMUX_E8M0, Lane::kF32},
    {OPMUX_E2M1, Lane::kF32},     {OPMUX_I4, Lane::kI8},        {OPMUX_I2, Lane::kI8},
    {OPMUX_U4, Lane::kU8},        {OPMUX_U2, Lane::kU8},
};

TileFn search(const TileTable& t, uint32_t fn, unsigned mask, bool& known) {
  for (size_t i = 0; i < t.n; ++i)
    if (t.entry[i].fn == fn) {
      known = true;
      return t.entry[i].by_mask[mask];
    }
  return nullptr;
}

}  // namespace

Lane lane_of(uint32_t dtype) {
  for (const LaneOf& l : kLaneOf)
    if (l.dtype == dtype) return l.lane;
  return Lane::kNone;
}

size_t lane_bytes(Lane lane) {
  constexpr size_t kBytes[kLanes] = {0, 4, 8, 8, 4, 2, 1, 8, 4, 2, 1, 1};
  return kBytes[static_cast<int>(lane)];
}

bool lanes_are_memory(uint32_t dtype) {
  return dtype != OPMUX_BOOL && lane_of(dtype) != Lane::kNone &&
         lane_bytes(lane_of(dtype)) * 8 == OPMUX_DTYPE_BITS(dtype);
}

TileFn find_tile(uint32_t fn, Lane lane, unsigned uniform_mask) {
  if (lane == Lane::kNone || uniform_mask > 6) return nullptr;
  bool known = false;
  TileFn f = search(logic_tiles(lane), fn, uniform_mask, known);
  if (lane == Lane::kF32)
    for (const auto table : {f32_tiles, f32_math_tiles, f32_wide_tiles})
      if (!known) f = search(table(), fn, uniform_mask, known);
  if (known) return f;
  const bool real = lane == Lane::kF32 || lane == Lane::kF64;
  return search(real ? float_tiles(lane) : int_tiles(lane), fn, uniform_mask, known);
}

}  // namespace opmux::cpu
