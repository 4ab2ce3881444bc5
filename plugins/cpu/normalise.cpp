// SPDX-License-Identifier: Apache-2.0
#include "cpu/normalise.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/answer.hpp"
#include "cpu/kernels/norm.hpp"
#include "cpu/parallel.hpp"

namespace opmux::cpu {
namespace {

constexpr int64_t kBlock = 1024;  // elements converted at a time, in L1 and on the stack

}  // namespace

void Normalise::plan(uint32_t x_dtype) {
  dtype = x_dtype;
  load_ = find_load(dtype);
  store_ = find_store(dtype);
  direct_ = lanes_are_memory(dtype);
  bytes_ = element_bytes(dtype);
  rows = outer.elements();
  inner.simplify(kX);
  row = inner.elements();
  n_outer_ = inner.rank ? inner.rank - 1 : 0;
  run_ = inner.rank ? inner.dim[n_outer_] : 1;
  runs_ = run_ ? row / run_ : 0;
}

// Passes over the row block by block: f(places of the block's operands in memory, their steps, elements).
template <class T>
void Normalise::run_row(const char* const* at, float* mean_out, float* inverse_out) const {
  alignas(64) T x_lanes[kBlock], y_lanes[kBlock], scale_lanes[kBlock], bias_lanes[kBlock];
  auto blocks = [&](auto&& f) {
    for (int64_t r = 0; r < runs_; ++r) {
      int64_t place[4], step[4];
      for (uint32_t k = 0; k < 4; ++k) {
        place[k] = inner.offset(k, n_outer_, static_cast<uint64_t>(r));
        step[k] = inner.rank ? inner.stride[k][n_outer_] : 1;
      }
      for (int64_t i = 0; i < run_; i += kBlock) {
        const int64_t n = std::min(kBlock, run_ - i);
        int64_t from[4];
        for (uint32_t k = 0; k < 4; ++k) from[k] = (place[k] + i * step[k]) * bytes_;
        f(from, step, n);
      }
    }
  };
  // n elements as lanes; where they lie when they are.
  auto lanes = [&](uint32_t k, const int64_t* from, const int64_t* step, int64_t n, T* scratch) -> const T* {
    const char* p = at[k] + from[k];
    if (direct_ && (step[k] == 1 || n == 1)) return reinterpret_cast<const T*>(p);
    load_(scratch, p, step[k], static_cast<size_t>(n));
    return scratch;
  };

  NormScalars<T> s{0, 0, 1};
  const auto n_row = static_cast<double>(row);
  auto set_mean = [&](double mean) {
    s.mean_high = static_cast<T>(mean);
    s.mean_low = std::isfinite(mean) ? static_cast<T>(mean - static_cast<double>(s.mean_high)) : 0;
  };
  double mean = 0, squares = 0, rest = 0;
  if (!rms) {
    blocks([&](const int64_t* from, const int64_t* step, int64_t n) {
      mean += norm_sum(lanes(kX, from, step, n, x_lanes), n);
    });
    mean /= n_row;
    set_mean(mean);
  }
  blocks([&](const int64_t* from, const int64_t* step, int64_t n) {
    T off = 0;
    squares += norm_squares(lanes(kX, from, step, n, x_lanes), n, s, &off);
    rest += off;
  });
  if (!rms) {  // the first mean was rounded by its own size; the deviations from it are small
    rest /= n_row;
    squares -= n_row * rest * rest;
    if (squares < 0) squares = 0;
    mean = static_cast<double>(s.mean_high) + static_cast<double>(s.mean_low) + rest;
    set_mean(mean);
    if (mean_out) *mean_out = static_cast<float>(mean);
  }
  const double inverse = 1 / std::sqrt(squares / n_row + epsilon);
  s.inverse = static_cast<T>(inverse);
  if (inverse_out) *inverse_out = static_cast<float>(inverse);

  blocks([&](const int64_t* from, const int64_t* step, int64_t n) {
    NormBlock<T> b{
        lanes(kX, from, step, n, x_lanes), y_lanes, n, nullptr, nullptr, step[kScale] == 0, step[kBias] == 0};
    char* y = const_cast<char*>(at[kY]) + from[kY];
    const bool in_place = direct_ && (step[kY] == 1 || n == 1);
    if (in_place) b.y = reinterpret_cast<T*>(y);
    if (has_scale) b.scale = lanes(kScale, from, step, b.scale_uniform ? 1 : n, scale_lanes);
    if (has_bias) b.bias = lanes(kBias, from, step, b.bias_uniform ? 1 : n, bias_lanes);
    norm_write(b, s);
    if (!in_place) store_(y, step[kY], y_lanes, static_cast<size_t>(n));
  });
}

template <class T>
void Normalise::run_rows(const void* const* arg, uint64_t begin, uint64_t end) const {
  for (uint64_t r = begin; r < end; ++r) {
    auto offset = [&](uint32_t k) { return outer.offset(k, outer.rank, r); };
    auto place = [&](uint32_t k, const void* p) { return static_cast<const char*>(p) + offset(k) * bytes_; };
    const char* const at[4] = {place(kX, arg[0]), place(kY, arg[3]),
                               has_scale ? place(kScale, arg[1]) : nullptr,
                               has_bias ? place(kBias, arg[2]) : nullptr};
    auto* mean = static_cast<float*>(const_cast<void*>(arg[4]));
    auto* inverse = static_cast<float*>(const_cast<void*>(arg[5]));
    if (mean) mean += offset(kMean);
    if (inverse) inverse += offset(kInverse);
    if (row == 0) {  // statistics of no elements: 0 / 0
      if (mean) *mean = std::numeric_limits<float>::quiet_NaN();
      if (inverse) *inverse = std::numeric_limits<float>::quiet_NaN();
      continue;
    }
    run_row<T>(at, mean, inverse);
  }
}

void Normalise::run(const opmux_host_api* host, const void* const* arg) const {
  const uint64_t grain = grain_for(static_cast<uint64_t>(rows), 0.4 * static_cast<double>(row) + 20);
  parallel_for(host, static_cast<uint64_t>(rows), grain, [&](uint64_t begin, uint64_t end) {
    if (lane_of(dtype) == Lane::kF64) {
      run_rows<double>(arg, begin, end);
    } else {
      run_rows<float>(arg, begin, end);
    }
  });
}

}  // namespace opmux::cpu
