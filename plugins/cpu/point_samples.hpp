// SPDX-License-Identifier: Apache-2.0
// Weighted sums of scattered elements of a channel, for a block of results and all channels: the common
// engine of operators that sample between pixels.
#ifndef OPMUX_CPU_POINT_SAMPLES_HPP
#define OPMUX_CPU_POINT_SAMPLES_HPP

#include <algorithm>
#include <cstring>
#include <limits>

#include "cpu/answer.hpp"
#include "cpu/number_reader.hpp"
#include "cpu/tiles.hpp"
#include "opmux/ops/pointwise.gen.h"

namespace opmux::cpu {

// How elements of one type become sums. T: float for the types up to f32, double for f64.
struct SampleSteps {
  explicit SampleSteps(uint32_t dtype)
      : bytes(element_bytes(dtype)),
        load(find_load(dtype)),
        store(find_store(dtype)),
        fma(find_tile(OPMUX_FN_FMA, dtype == OPMUX_F64 ? Lane::kF64 : Lane::kF32, 0)) {}
  int64_t bytes;
  LoadFn load;
  StoreFn store;
  TileFn fma;
};

// Where a weight is 0, the element does not count and its offset is 0.
template <class T, int64_t kPoints, int64_t kMostTaps>
class PointSamples {
 public:
  int64_t points = 0, taps = 0;

  void clear(int64_t n, int64_t most) {
    points = n;
    taps = most;
    std::fill(offset_, offset_ + kPoints * most, 0);
    std::fill(weight_, weight_ + kPoints * most, T{0});
    std::fill(without_, without_ + n, false);
  }
  // Tap k of point i: the element at offset, in elements.
  void set(int64_t i, int64_t k, int64_t offset, double weight) {
    offset_[k * kPoints + i] = offset;
    weight_[k * kPoints + i] = static_cast<T>(weight);
  }
  void no_value(int64_t i) { without_[i] = true; }

  // The results of one channel whose element 0 is at x, contiguous until the next call.
  const T* sums(const SampleSteps& s, const char* x) {
    std::fill(sum_, sum_ + points, T{0});
    for (int64_t k = 0; k < taps; ++k) {
      switch (s.bytes) {
        case 2:
          collect<uint16_t>(x, k);
          break;
        case 4:
          collect<uint32_t>(x, k);
          break;
        default:
          collect<uint64_t>(x, k);
      }
      const auto n = static_cast<size_t>(points);
      const void* lanes = raw_;
      if (s.bytes == 2) {
        s.load(wide_, raw_, 1, n);
        lanes = wide_;
      }
      s.fma(sum_, lanes, weight_ + k * kPoints, sum_, n);
    }
    for (int64_t i = 0; i < points; ++i)
      if (without_[i]) sum_[i] = std::numeric_limits<T>::quiet_NaN();
    return sum_;
  }

 private:
  template <class U>
  void collect(const char* x, int64_t k) {
    const int64_t* offset = offset_ + k * kPoints;
    const T* weight = weight_ + k * kPoints;
    auto* to = reinterpret_cast<U*>(raw_);
    for (int64_t i = 0; i < points; ++i) {
      U v;
      std::memcpy(&v, x + offset[i] * static_cast<int64_t>(sizeof v), sizeof v);
      to[i] = weight[i] != 0 ? v : U{0};
    }
  }

  int64_t offset_[kPoints * kMostTaps];
  alignas(64) T weight_[kPoints * kMostTaps];
  alignas(64) T sum_[kPoints], wide_[kPoints];
  alignas(64) uint64_t raw_[kPoints];
  bool without_[kPoints];
};

}  // namespace opmux::cpu
#endif
