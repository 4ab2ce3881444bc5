// SPDX-License-Identifier: Apache-2.0
// Folds along an outer axis: one row at a time into accumulators side by side.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/reduce_columns.cpp"
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "cpu/kernels/reduce.hpp"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "cpu/kernels/scalar-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace {

#define OPMUX_COLUMN(Name, expression)  \
  struct Name {                         \
    template <class A>                  \
    static HWY_INLINE A f(A acc, A x) { \
      return expression;                \
    }                                   \
  };
template <class A>
HWY_INLINE A size_of(A x) {
  return x < 0 ? A(0) - x : x;
}
OPMUX_COLUMN(Sum, acc + x)
OPMUX_COLUMN(AbsSum, acc + size_of(x))
OPMUX_COLUMN(SquareSum, acc + x * x)
OPMUX_COLUMN(Product, acc* x)
// A NaN stays, and a new one wins.
OPMUX_COLUMN(Max, x > acc || x != x ? (acc != acc ? acc : x) : acc)
OPMUX_COLUMN(Min, x < acc || x != x ? (acc != acc ? acc : x) : acc)
OPMUX_COLUMN(AbsMax, size_of(x) > acc || x != x ? (acc != acc ? acc : size_of(x)) : acc)

// Integers are widened by their sign; sums and products wrap, so they are done without sign. A magnitude is
// compared without sign, too.
template <class T, class A, class F>
HWY_INLINE A widen(T x) {
  using Wide = std::conditional_t<std::is_floating_point_v<T>, double,
                                  std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>>;
  const Wide w = static_cast<Wide>(x);
  if constexpr (std::is_same_v<Wide, int64_t> && (std::is_same_v<F, AbsSum> || std::is_same_v<F, AbsMax>)) {
    return w < 0 ? 0 - static_cast<uint64_t>(w) : static_cast<uint64_t>(w);
  } else {
    return static_cast<A>(w);
  }
}

// Four rows at a time, so that the accumulators are read and written less often.
template <class T, class A, class F>
void column(const void* const* rows, size_t count, size_t n, void* accumulators) {
  A* acc = static_cast<A*>(accumulators);
  const T* x = static_cast<const T*>(rows[0]);
  const auto w = [](T v) { return widen<T, A, F>(v); };
  if (count == 1) {
    OPMUX_NO_DEPENDENCE
    for (size_t i = 0; i < n; ++i) acc[i] = F::f(acc[i], w(x[i]));
    return;
  }
  const T *x1 = static_cast<const T*>(rows[1]), *x2 = static_cast<const T*>(rows[2]),
          *x3 = static_cast<const T*>(rows[3]);
  OPMUX_NO_DEPENDENCE
  for (size_t i = 0; i < n; ++i)
    acc[i] = F::f(F::f(F::f(F::f(acc[i], w(x[i])), w(x1[i])), w(x2[i])), w(x3[i]));
}

template <class T>
ColumnFn column_for(Fold f) {
  using A = std::conditional_t<std::is_floating_point_v<T>, double, uint64_t>;
  using S = std::conditional_t<std::is_floating_point_v<T>, double,
                               std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>>;
  switch (f) {
    case Fold::kSum:
      return column<T, A, Sum>;
    case Fold::kAbsSum:
      return column<T, A, AbsSum>;
    case Fold::kSquareSum:
      return column<T, A, SquareSum>;
    case Fold::kProduct:
      return column<T, A, Product>;
    case Fold::kMax:
      return column<T, S, Max>;
    case Fold::kMin:
      return column<T, S, Min>;
    case Fold::kAbsMax:
      return column<T, A, AbsMax>;
    default:
      return nullptr;
  }
}

}  // namespace

ColumnFn column_of(Fold f, Lane lane) {
  switch (lane) {
    case Lane::kF32:
      return column_for<float>(f);
    case Lane::kF64:
      return column_for<double>(f);
    case Lane::kI64:
      return column_for<int64_t>(f);
    case Lane::kI32:
      return column_for<int32_t>(f);
    case Lane::kI16:
      return column_for<int16_t>(f);
    case Lane::kI8:
      return column_for<int8_t>(f);
    case Lane::kU64:
      return column_for<uint64_t>(f);
    case Lane::kU32:
      return column_for<uint32_t>(f);
    case Lane::kU16:
      return column_for<uint16_t>(f);
    case Lane::kU8:
    case Lane::kBool:
      return column_for<uint8_t>(f);
    default:
      return nullptr;
  }
}

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
HWY_EXPORT(column_of);
ColumnFn find_column(Fold f, Lane lane) { return HWY_DYNAMIC_DISPATCH(column_of)(f, lane); }
}  // namespace opmux::cpu
#endif
