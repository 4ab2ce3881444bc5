// SPDX-License-Identifier: Apache-2.0
// Folding a run of lanes into an accumulator.
#ifndef OPMUX_CPU_KERNELS_REDUCE_HPP
#define OPMUX_CPU_KERNELS_REDUCE_HPP

#include <cstddef>
#include <cstdint>

#include "cpu/tiles.hpp"

namespace opmux::cpu {

enum class Fold : uint8_t {
  kSum,        // floats: a; integers: u, wrapping
  kExactSum,   // integers: 128 bits in u (low) and v
  kAbsSum,     // as kSum
  kSquareSum,  // as kSum
  kProduct,    // floats: a; integers: u, wrapping
  kMax,        // floats: a, NaN wins; integers: u, sign-extended
  kMin,
  kAbsMax,
  kArgMax,  // value as kMax, position in v; the first among equals
  kArgMin,
  kArgMaxLast,  // the last among equals
  kArgMinLast,
  kFiniteCount,  // u
  kLogSumExp,    // floats: a the greatest, b the sum of e^(x - a)
  kMoments,      // floats: a the mean, b the sum of squares around it, u the count
};

// Sums of floats up to f32 are in f64.
struct Accumulator {
  double a, b;
  uint64_t u, v;
};

// Folds n >= 1 lanes, the first at `position` of its reduction, into *acc.
using FoldFn = void (*)(const void* lanes, size_t n, int64_t position, Accumulator* acc);
FoldFn find_fold(Fold fold, Lane lane);

// Folds kColumnRows rows (or one, when count is 1) of n lanes into n accumulators side by side: double for
// floats, 64-bit integers for integers (bool: 0 or 1), which start as the a or u of empty_accumulator().
// nullptr for folds that have no such form.
using ColumnFn = void (*)(const void* const* rows, size_t count, size_t n, void* acc);
constexpr size_t kColumnRows = 4;
ColumnFn find_column(Fold fold, Lane lane);

// The accumulator of no elements, and the fold of two runs, `later` after *acc.
Accumulator empty_accumulator(Fold fold, Lane lane);
void join(Fold fold, Lane lane, Accumulator* acc, const Accumulator& later);

}  // namespace opmux::cpu
#endif
