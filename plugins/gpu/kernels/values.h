// SPDX-License-Identifier: Apache-2.0
// Indices of 32 or 64 bits from a buffer of words: `words` of them each, the low one first.
#define GK_LOW(load, base, at, words) load(((base) + (at)) * (words))
#define GK_HIGH(load, base, at, words) \
  ((words) == 2u ? load(((base) + (at)) * 2u + 1u) : GK_U32(GK_I32(load((base) + (at))) >> 31))
// A number of real_types (ops/values.cpp), three words of the code: as f32, and the halves of an f64.
#define GK_REAL32(w) gk_float(GK_CODE(w))
#define GK_REAL64(w) gk_double((GK_U64(GK_CODE((w) + 2)) << 32u) | GK_U64(GK_CODE((w) + 1)))
// An f64 by its bits.
#define GK_D(high, low) gk_double((GK_U64(high) << 32u) | GK_U64(low))
