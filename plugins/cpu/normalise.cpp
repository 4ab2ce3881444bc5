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

void query_normalise(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap)) return;
  const Lane lane = lane_of(d->in[0].dtype);
  if (lane != Lane::kF32 && lane != Lane::kF64) return no(cap, OPMUX_WHY_DTYPE, 0, d->in[0].dtype);
  for (uint32_t o = 0; d->alias && o < d->n_out; ++o) {
    const bool ok = d->alias[o] == 0 || (o == 0 && d->alias[o] == 1 && same_view(d->in[0], d->out[0]));
    if (!ok) return no(cap, OPMUX_WHY_ALIAS, d->alias[o] - 1);
  }
  const auto n = static_cast<double>(elements(d->in[0]));
  yes(cap, info,
      {.flops = 8 * n,
       .bytes = 2 * n * static_cast<double>(element_bytes(d->in[0].dtype)),
       .flops_per_ns = 20});
  cap->inplace_mask = same_view(d->in[0], d->out[0]) ? 1 : 0;
}

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

// One row, block by block: where the operands of each block lie, and their elements as lanes.
template <class T>
class Normalise::Row {
 public:
  struct Block {
    int64_t from[4], step[4], n;  // bytes, elements, elements
  };

  Row(const Normalise& norm, const char* const* at) : norm_(norm), at_(at) {}

  template <class F>
  void each(F&& f) const {
    const Loops& inner = norm_.inner;
    for (int64_t r = 0; r < norm_.runs_; ++r) {
      Block b;
      int64_t place[4];
      for (uint32_t k = 0; k < 4; ++k) {
        place[k] = inner.offset(k, norm_.n_outer_, static_cast<uint64_t>(r));
        b.step[k] = inner.rank ? inner.stride[k][norm_.n_outer_] : 1;
      }
      for (int64_t i = 0; i < norm_.run_; i += kBlock) {
        b.n = std::min(kBlock, norm_.run_ - i);
        for (uint32_t k = 0; k < 4; ++k) b.from[k] = (place[k] + i * b.step[k]) * norm_.bytes_;
        f(b);
      }
    }
  }
  // n elements of operand k as lanes; where they lie when they are, else in scratch.
  const T* lanes(uint32_t k, const Block& b, int64_t n, T* scratch) const {
    const char* p = at_[k] + b.from[k];
    if (in_memory(k, b, n)) return reinterpret_cast<const T*>(p);
    norm_.load_(scratch, p, b.step[k], static_cast<size_t>(n));
    return scratch;
  }
  bool in_memory(uint32_t k, const Block& b, int64_t n) const {
    return norm_.direct_ && (b.step[k] == 1 || n == 1);
  }
  char* output(const Block& b) const { return const_cast<char*>(at_[kY]) + b.from[kY]; }

 private:
  const Normalise& norm_;
  const char* const* at_;
};

template <class T>
void Normalise::run_row(const char* const* at, float* mean_out, float* inverse_out) const {
  alignas(64) T x_lanes[kBlock], y_lanes[kBlock], scale_lanes[kBlock], bias_lanes[kBlock];
  const Row<T> r(*this, at);
  using Block = typename Row<T>::Block;
  NormScalars<T> s{0, 0, 1};
  const auto n_row = static_cast<double>(row);
  auto set_mean = [&](double mean) {
    s.mean_high = static_cast<T>(mean);
    s.mean_low = std::isfinite(mean) ? static_cast<T>(mean - static_cast<double>(s.mean_high)) : 0;
  };
  double mean = 0, squares = 0, rest = 0;
  if (!rms) {
    r.each([&](const Block& b) { mean += norm_sum(r.lanes(kX, b, b.n, x_lanes), b.n); });
    mean /= n_row;
    set_mean(mean);
  }
  r.each([&](const Block& b) {
    T off = 0;
    squares += norm_squares(r.lanes(kX, b, b.n, x_lanes), b.n, s, &off);
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

  r.each([&](const Block& b) {
    const bool scale_one = b.step[kScale] == 0, bias_one = b.step[kBias] == 0;
    NormBlock<T> out{r.lanes(kX, b, b.n, x_lanes), y_lanes, b.n, nullptr, nullptr, scale_one, bias_one};
    const bool in_place = r.in_memory(kY, b, b.n);
    if (in_place) out.y = reinterpret_cast<T*>(r.output(b));
    if (has_scale) out.scale = r.lanes(kScale, b, scale_one ? 1 : b.n, scale_lanes);
    if (has_bias) out.bias = r.lanes(kBias, b, bias_one ? 1 : b.n, bias_lanes);
    norm_write(out, s);
    if (!in_place) store_(r.output(b), b.step[kY], y_lanes, static_cast<size_t>(b.n));
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
