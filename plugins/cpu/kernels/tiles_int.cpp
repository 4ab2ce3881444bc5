// SPDX-License-Identifier: Apache-2.0
// Tile operations on integer and bool lanes. Arithmetic wraps; signed operands go through the unsigned type
// of their width wherever the bits of the result are the same.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/tiles_int.cpp"
#include <cstdint>
#include <type_traits>

#include "cpu/kernels/tile_tables.hpp"
#include "opmux/ops/pointwise.gen.h"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "cpu/kernels/scalar-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {

namespace {

// Wraps without the undefined overflow of signed types and of short types promoted to int.
template <class T>
using Wide = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
template <class T>
HWY_INLINE Wide<T> wide(T x) {
  return static_cast<Wide<T>>(x);
}

template <class T>
HWY_INLINE T quotient(T x, T y) {
  if (y == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (y == -1) return static_cast<T>(0 - wide(x));  // the least value divided by -1 wraps
  }
  return static_cast<T>(x / y);
}
template <class T>
HWY_INLINE T remainder(T x, T y) {  // sign of x
  if (y == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (y == -1) return 0;
  }
  return static_cast<T>(x % y);
}
template <class T>
HWY_INLINE T python_mod(T x, T y) {
  const T r = remainder(x, y);
  return r != 0 && (r < 0) != (y < 0) ? static_cast<T>(r + y) : r;
}
template <class T>
HWY_INLINE T power(T x, T y) {
  if constexpr (std::is_signed_v<T>) {
    if (y < 0) return x == 1 ? T(1) : x == -1 ? (y & 1 ? T(-1) : T(1)) : T(0);
  }
  Wide<T> r = 1, b = wide(x);
  for (auto e = static_cast<std::make_unsigned_t<T>>(y); e; e = static_cast<decltype(e)>(e >> 1)) {
    if (e & 1) r *= b;
    b *= b;
  }
  return static_cast<T>(r);
}
// Counts at or beyond the width shift everything out.
template <class T>
HWY_INLINE T shift_left(T x, T y) {
  constexpr auto kBits = sizeof(T) * 8;
  const auto n = static_cast<std::make_unsigned_t<T>>(y);
  return n < kBits ? static_cast<T>(wide(x) << n) : T(0);
}
template <class T>
HWY_INLINE T shift_right(T x, T y) {
  constexpr auto kBits = sizeof(T) * 8;
  const auto n = static_cast<std::make_unsigned_t<T>>(y);
  return static_cast<T>(n < kBits ? x >> n : x < 0 ? -1 : 0);
}

#define OPMUX_INT1(Name, expression)     \
  struct Name {                          \
    template <class T>                   \
    static HWY_INLINE T f(T x) {         \
      return static_cast<T>(expression); \
    }                                    \
  };
#define OPMUX_INT2(Name, expression)     \
  struct Name {                          \
    template <class T>                   \
    static HWY_INLINE T f(T x, T y) {    \
      return static_cast<T>(expression); \
    }                                    \
  };
OPMUX_INT1(Neg, 0 - wide(x))
OPMUX_INT1(Abs, x < 0 ? 0 - wide(x) : wide(x))
OPMUX_INT1(Sign, (x > 0) - (x < 0))
OPMUX_INT1(Relu, x < 0 ? T(0) : x)
OPMUX_INT1(BitNot, ~x)
OPMUX_INT2(Add, wide(x) + wide(y))
OPMUX_INT2(Sub, wide(x) - wide(y))
OPMUX_INT2(Mul, wide(x) * wide(y))
OPMUX_INT2(Div, quotient(x, y))
OPMUX_INT2(Mod, python_mod(x, y))
OPMUX_INT2(Fmod, remainder(x, y))
OPMUX_INT2(Pow, power(x, y))
OPMUX_INT2(Min, x < y ? x : y)
OPMUX_INT2(Max, x > y ? x : y)
OPMUX_INT2(BitAnd, x& y)
OPMUX_INT2(BitOr, x | y)
OPMUX_INT2(BitXor, x ^ y)
OPMUX_INT2(ShiftLeft, shift_left(x, y))
OPMUX_INT2(ShiftRight, shift_right(x, y))
struct Fma {
  template <class T>
  static HWY_INLINE T f(T x, T y, T z) {
    return static_cast<T>(wide(x) * wide(y) + wide(z));
  }
};
struct Clamp {
  template <class T>
  static HWY_INLINE T f(T x, T y, T z) {
    const T m = x > y ? x : y;
    return m < z ? m : z;
  }
};

template <class T>
struct IntTable {
  using U = std::make_unsigned_t<T>;
  static const TileEntry kEntry[];
};
template <class T>
const TileEntry IntTable<T>::kEntry[] = {
    {OPMUX_FN_NEG, {map1<U, U, Neg>}},
    {OPMUX_FN_ABS, {map1<T, T, Abs>}},
    {OPMUX_FN_SIGN, {map1<T, T, Sign>}},
    {OPMUX_FN_RELU, {map1<T, T, Relu>}},
    {OPMUX_FN_BIT_NOT, {map1<U, U, BitNot>}},
    {OPMUX_FN_ADD, {map2<U, U, Add>}},
    {OPMUX_FN_SUB, {map2<U, U, Sub>}},
    {OPMUX_FN_MUL, {map2<U, U, Mul>}},
    {OPMUX_FN_DIV, {map2<T, T, Div>}},
    {OPMUX_FN_MOD, {map2<T, T, Mod>}},
    {OPMUX_FN_FMOD, {map2<T, T, Fmod>}},
    {OPMUX_FN_POW, {map2<T, T, Pow>}},
    {OPMUX_FN_MIN, {map2<T, T, Min>}},
    {OPMUX_FN_MAX, {map2<T, T, Max>}},
    {OPMUX_FN_BIT_AND, {map2<U, U, BitAnd>}},
    {OPMUX_FN_BIT_OR, {map2<U, U, BitOr>}},
    {OPMUX_FN_BIT_XOR, {map2<U, U, BitXor>}},
    {OPMUX_FN_SHIFT_LEFT, {map2<U, U, ShiftLeft>}},
    {OPMUX_FN_SHIFT_RIGHT, {map2<T, T, ShiftRight>}},
    {OPMUX_FN_FMA, {map3<U, Fma>}},
    {OPMUX_FN_CLAMP, {map3<T, Clamp>}},
};
template <class T>
TileTable int_table() {
  return {IntTable<T>::kEntry, sizeof IntTable<T>::kEntry / sizeof(TileEntry)};
}

// Operands of bool lanes are 0 or 1: loads and casts see to it.
OPMUX_INT1(Not, x ^ 1)
const TileEntry kBool[] = {
    {OPMUX_FN_NOT, {map1<uint8_t, uint8_t, Not>}},
    {OPMUX_FN_AND, {map2<uint8_t, uint8_t, BitAnd>}},
    {OPMUX_FN_OR, {map2<uint8_t, uint8_t, BitOr>}},
    {OPMUX_FN_XOR, {map2<uint8_t, uint8_t, BitXor>}},
};

}  // namespace

TileTable int_tiles(Lane lane) {
  switch (lane) {
    case Lane::kI64:
      return int_table<int64_t>();
    case Lane::kI32:
      return int_table<int32_t>();
    case Lane::kI16:
      return int_table<int16_t>();
    case Lane::kI8:
      return int_table<int8_t>();
    case Lane::kU64:
      return int_table<uint64_t>();
    case Lane::kU32:
      return int_table<uint32_t>();
    case Lane::kU16:
      return int_table<uint16_t>();
    case Lane::kU8:
      return int_table<uint8_t>();
    default:
      return {kBool, sizeof kBool / sizeof kBool[0]};
  }
}

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
HWY_EXPORT(int_tiles);
TileTable int_tiles(Lane lane) { return HWY_DYNAMIC_DISPATCH(int_tiles)(lane); }
}  // namespace opmux::cpu
#endif
