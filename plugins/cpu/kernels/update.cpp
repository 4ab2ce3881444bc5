// SPDX-License-Identifier: Apache-2.0
// Plain loops: what they cost is the memory they jump about in.
#include "cpu/kernels/update.hpp"

#include <type_traits>

#include "cpu/tiles.hpp"
#include "opmux/ops/index.gen.h"

namespace opmux::cpu {
namespace {

struct Set {
  template <class T>
  static T f(T, T u) {
    return u;
  }
};
// Integers wrap; those narrower than int are computed in unsigned, where no product overflows.
template <class T>
using Modular = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
struct Add {
  template <class T>
  static T f(T y, T u) {
    if constexpr (std::is_floating_point_v<T>) return y + u;
    return static_cast<T>(static_cast<Modular<T>>(y) + static_cast<Modular<T>>(u));
  }
};
struct Mul {
  template <class T>
  static T f(T y, T u) {
    if constexpr (std::is_floating_point_v<T>) return y * u;
    return static_cast<T>(static_cast<Modular<T>>(y) * static_cast<Modular<T>>(u));
  }
};
template <class T>
bool is_nan(T v) {
  if constexpr (std::is_floating_point_v<T>) return v != v;
  return false;
}
// A NaN in y stays, one in u is taken.
struct Min {
  template <class T>
  static T f(T y, T u) {
    return u < y || (is_nan(u) && !is_nan(y)) ? u : y;
  }
};
struct Max {
  template <class T>
  static T f(T y, T u) {
    return y < u || (is_nan(u) && !is_nan(y)) ? u : y;
  }
};

template <class T, class F>
void update(void* to, int64_t y_step, const int64_t* at, const void* from, int64_t u_step, int64_t n) {
  T* y = static_cast<T*>(to);
  const T* u = static_cast<const T*>(from);
  if (at) {
    for (int64_t i = 0; i < n; ++i) {
      if (at[i] == kNowhere) continue;
      T& place = y[i * y_step + at[i]];
      place = F::f(place, u[i * u_step]);
    }
  } else if (y_step == 1 && u_step == 1) {
    for (int64_t i = 0; i < n; ++i) y[i] = F::f(y[i], u[i]);
  } else {
    for (int64_t i = 0; i < n; ++i) y[i * y_step] = F::f(y[i * y_step], u[i * u_step]);
  }
}

template <class F>
UpdateFn of_lane(Lane lane) {
  switch (lane) {
    case Lane::kF32:
      return update<float, F>;
    case Lane::kF64:
      return update<double, F>;
    case Lane::kI64:
      return update<int64_t, F>;
    case Lane::kI32:
      return update<int32_t, F>;
    case Lane::kI16:
      return update<int16_t, F>;
    case Lane::kI8:
      return update<int8_t, F>;
    case Lane::kU64:
      return update<uint64_t, F>;
    case Lane::kU32:
      return update<uint32_t, F>;
    case Lane::kU16:
      return update<uint16_t, F>;
    case Lane::kU8:
      return update<uint8_t, F>;
    default:
      return nullptr;
  }
}

UpdateFn set_of(uint32_t bits) {
  switch (bits) {
    case 64:
      return update<uint64_t, Set>;
    case 32:
      return update<uint32_t, Set>;
    case 16:
      return update<uint16_t, Set>;
    default:
      return update<uint8_t, Set>;
  }
}

}  // namespace

UpdateFn find_update(uint32_t reduction, uint32_t dtype) {
  const Lane lane = lane_of(dtype);
  switch (reduction) {
    case OPMUX_SCATTER_SET:
      return set_of(OPMUX_DTYPE_BITS(dtype));
    case OPMUX_SCATTER_ADD:
      return of_lane<Add>(lane);
    case OPMUX_SCATTER_MUL:
      return of_lane<Mul>(lane);
    case OPMUX_SCATTER_MIN:
      return of_lane<Min>(lane);
    default:
      return of_lane<Max>(lane);
  }
}

}  // namespace opmux::cpu
