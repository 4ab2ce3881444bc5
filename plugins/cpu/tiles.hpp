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

// The lane type of an element type; kNone for types that programs cannot hold (complex).
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
// none. A cast to a type for which find_small_round has an answer takes two steps: to f32 by find_odd_cast,
// or to the 8-bit integer of the same kind, and then that.
TileFn find_cast(uint32_t from, uint32_t to, bool saturate);
// Rounds f32 lanes to f16 or bf16 in place or out of place; nullptr for other dtypes.
TileFn find_round(uint32_t dtype);
TileFn find_odd_cast(uint32_t from);
// Rounds f32 lanes to 8- and 4-bit floats, narrows 8-bit integer lanes to 4 or 2 bits, in place or not; flags
// as of the instruction; nullptr for other dtypes.
TileFn find_small_round(uint32_t dtype, uint32_t flags);
// Repeats one element n times.
TileFn find_splat(Lane lane);

// Memory to lanes and back. stride in elements of the memory side, any sign. For types of less than a byte
// `memory` is element_address(), so that the sum of an address and a number of elements is that of an
// element.
using LoadFn = void (*)(void* lanes, const void* memory, int64_t stride, size_t n);
using StoreFn = void (*)(void* memory, int64_t stride, const void* lanes, size_t n);
inline uint32_t elements_per_byte(uint32_t dtype) {
  const uint32_t bits = OPMUX_DTYPE_BITS(dtype);
  return bits != 0 && bits < 8 ? 8 / bits : 1;
}
inline void* element_address(uint32_t dtype, const void* p) {
  return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(p) * elements_per_byte(dtype));
}
// What an element adds to such an address.
inline uint32_t address_step(uint32_t dtype) {
  return elements_per_byte(dtype) > 1 ? 1 : OPMUX_DTYPE_BITS(dtype) / 8;
}
LoadFn find_load(uint32_t dtype);
StoreFn find_store(uint32_t dtype);
LoadFn find_small_load(uint32_t dtype);  // of the types that find_small_round knows, else nullptr
StoreFn find_small_store(uint32_t dtype);
// Is memory of this type the same as its lanes, so that contiguous operands need no load or store?
bool lanes_are_memory(uint32_t dtype);
// Contiguous bytes to memory that will not be read soon, past the caches. stream_fence() after the last one
// of a thread, before another thread may read.
void stream_copy(void* to, const void* from, size_t bytes);
void stream_fence();

}  // namespace opmux::cpu
#endif
