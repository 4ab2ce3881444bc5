// SPDX-License-Identifier: Apache-2.0
// Tile operations whose result or condition is bool: comparisons, classification, selection.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/tiles_logic.cpp"
#include <cmath>
#include <cstdint>
#include <limits>

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

#define OPMUX_L2(Name, op)                  \
  struct Name {                             \
    template <class T>                      \
    static HWY_INLINE uint8_t f(T x, T y) { \
      return x op y;                        \
    }                                       \
  };
OPMUX_L2(Eq, ==)
OPMUX_L2(Ne, !=)
OPMUX_L2(Lt, <)
OPMUX_L2(Le, <=)
OPMUX_L2(Gt, >)
OPMUX_L2(Ge, >=)
struct IsNan {
  template <class T>
  static HWY_INLINE uint8_t f(T x) {
    return x != x;
  }
};
struct IsInf {
  template <class T>
  static HWY_INLINE uint8_t f(T x) {
    return std::fabs(x) == std::numeric_limits<T>::infinity();
  }
};
struct IsFinite {
  template <class T>
  static HWY_INLINE uint8_t f(T x) {
    return std::fabs(x) < std::numeric_limits<T>::infinity();
  }
};

// The condition is one byte an element; b and c may each be one element.
template <class T, unsigned kMask>
void select(void* out, const void* a, const void* b, const void* c, size_t n) {
  const auto* x = static_cast<const uint8_t*>(a);
  const T *z = static_cast<const T*>(b), *w = static_cast<const T*>(c);
  T* y = static_cast<T*>(out);
  const T z0 = *z, w0 = *w;
  OPMUX_NO_DEPENDENCE
  for (size_t i = 0; i < n; ++i) {
    const T s = kMask & kUniformB ? z0 : z[i], t = kMask & kUniformC ? w0 : w[i];
    y[i] = x[i] ? s : t;
  }
}

#define OPMUX_SELECT(T)                                                                                    \
  {                                                                                                        \
    OPMUX_FN_SELECT, { select<T, 0>, nullptr, select<T, 2>, nullptr, select<T, 4>, nullptr, select<T, 6> } \
  }
#define OPMUX_EQUAL(T)                     \
  {OPMUX_FN_EQ, {map2<T, uint8_t, Eq>}}, { \
    OPMUX_FN_NE, { map2<T, uint8_t, Ne> }  \
  }
#define OPMUX_ORDER(T)                                                          \
  {OPMUX_FN_LT, {map2<T, uint8_t, Lt>}}, {OPMUX_FN_LE, {map2<T, uint8_t, Le>}}, \
      {OPMUX_FN_GT, {map2<T, uint8_t, Gt>}}, {                                  \
    OPMUX_FN_GE, { map2<T, uint8_t, Ge> }                                       \
  }
#define OPMUX_CLASSIFY(T)                                                                       \
  {OPMUX_FN_IS_NAN, {map1<T, uint8_t, IsNan>}}, {OPMUX_FN_IS_INF, {map1<T, uint8_t, IsInf>}}, { \
    OPMUX_FN_IS_FINITE, { map1<T, uint8_t, IsFinite> }                                          \
  }

// Selection and equality of integers depend on the width alone.
const TileEntry kF32[] = {OPMUX_SELECT(uint32_t), OPMUX_EQUAL(float), OPMUX_ORDER(float),
                          OPMUX_CLASSIFY(float)};
const TileEntry kF64[] = {OPMUX_SELECT(uint64_t), OPMUX_EQUAL(double), OPMUX_ORDER(double),
                          OPMUX_CLASSIFY(double)};
template <class T, class U>
struct LogicTable {
  static const TileEntry kEntry[7];
};
template <class T, class U>
const TileEntry LogicTable<T, U>::kEntry[7] = {OPMUX_SELECT(U), OPMUX_EQUAL(U), OPMUX_ORDER(T)};

}  // namespace

TileTable logic_tiles(Lane lane) {
  switch (lane) {
    case Lane::kF32:
      return {kF32, sizeof kF32 / sizeof kF32[0]};
    case Lane::kF64:
      return {kF64, sizeof kF64 / sizeof kF64[0]};
    case Lane::kI64:
      return {LogicTable<int64_t, uint64_t>::kEntry, 7};
    case Lane::kI32:
      return {LogicTable<int32_t, uint32_t>::kEntry, 7};
    case Lane::kI16:
      return {LogicTable<int16_t, uint16_t>::kEntry, 7};
    case Lane::kI8:
      return {LogicTable<int8_t, uint8_t>::kEntry, 7};
    case Lane::kU64:
      return {LogicTable<uint64_t, uint64_t>::kEntry, 7};
    case Lane::kU32:
      return {LogicTable<uint32_t, uint32_t>::kEntry, 7};
    case Lane::kU16:
      return {LogicTable<uint16_t, uint16_t>::kEntry, 7};
    default:
      return {LogicTable<uint8_t, uint8_t>::kEntry, 7};
  }
}

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
HWY_EXPORT(logic_tiles);
TileTable logic_tiles(Lane lane) { return HWY_DYNAMIC_DISPATCH(logic_tiles)(lane); }
}  // namespace opmux::cpu
#endif
