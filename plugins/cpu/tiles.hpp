// SPDX-License-Identifier: Apache-2.0
// The tile operations: typed loops over contiguous elements, compiled once per CPU target.
#ifndef OPMUX_CPU_TILES_HPP
#define OPMUX_CPU_TILES_HPP

#include <cstddef>
#include <cstdint>

#include "opmux/types.h"

namespace opmux::cpu {

// How a value is held in a tile.
enum class Lane : uint8_t { kNone, kF32, kF64, kI64, kI32, kI16, kI8, kU64, kU32, kU16, kU8, kBool };
inline constexpr int kLanes = 12;

// The lane type of an element type; kNone for types that programs cannot hold (8-bit floats, sub-byte,
// complex).
Lane lane_of(uint32_t dtype);
size_t lane_bytes(Lane lane);

// out[i] = f(a[i], b[i], c[i]) for i < n; out may be any of the operands exactly, no other overlap.
using TileFn = void (*)(void* out, const void* a, const void* b, const void* c, size_t n);

// Which operands are one element instead of n.
inline constexpr unsigned kUniformA = 1, kUniformB = 2, kUniformC = 4;

// The operation for an instruction whose operands have lane type `lane` (SELECT: b and c), or nullptr if
// there is none for that mask of uniform operands; with mask 0 nullptr means that there is none at all.
TileFn find_tile(uint32_t fn, Lane lane, unsigned uniform_mask);
// Casts between element types, from lane to lane (the result of a cast to f16 or bf16 is rounded); nullptr:
// none.
TileFn find_cast(uint32_t from, uint32_t to, bool saturate);
// Rounds f32 lanes to f16 or bf16 in place or out of place; nullptr for other dtypes.
TileFn find_round(uint32_t dtype);
// Repeats one element n times.
TileFn find_splat(Lane lane);

// Memory to lanes and back. stride in elements of the memory side, any sign.
using LoadFn = void (*)(void* lanes, const void* memory, int64_t stride, size_t n);
using StoreFn = void (*)(void* memory, int64_t stride, const void* lanes, size_t n);
LoadFn find_load(uint32_t dtype);
StoreFn find_store(uint32_t dtype);
// Is memory of this type the same as its lanes, so that contiguous operands need no load or store?
bool lanes_are_memory(uint32_t dtype);
// Contiguous bytes to memory that will not be read soon, past the caches. stream_fence() after the last one
// of a thread, before another thread may read.
void stream_copy(void* to, const void* from, size_t bytes);
void stream_fence();

}  // namespace opmux::cpu
#endif
