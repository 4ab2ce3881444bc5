// SPDX-License-Identifier: Apache-2.0
// What layer_norm and group_norm share: statistics over an inner index space for each place of an outer one.
#ifndef OPMUX_CPU_NORMALISE_HPP
#define OPMUX_CPU_NORMALISE_HPP

#include <cstdint>

#include "cpu/loops.hpp"
#include "cpu/tiles.hpp"
#include "kit/op.h"

namespace opmux::cpu {

// Asks nothing of the statistics and parameters but to be plain; y may stand in place of x.
void query_normalise(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap);

struct Normalise {
  // Operands of both index spaces.
  enum : uint32_t { kX, kY, kScale, kBias, kMean, kInverse };

  uint32_t dtype = 0;
  bool rms = false, has_scale = false, has_bias = false;
  double epsilon = 0;
  Loops outer, inner;  // inner: x, y, scale, bias only; in the order of x's memory
  int64_t rows = 0, row = 0;

  // After the spaces have been filled.
  void plan(uint32_t x_dtype);
  // arg: x, scale, bias, y, mean, inverse; NULL where absent.
  void run(const opmux_host_api* host, const void* const* arg) const;

 private:
  template <class T>
  class Row;
  template <class T>
  void run_rows(const void* const* arg, uint64_t begin, uint64_t end) const;
  template <class T>
  void run_row(const char* const* at, float* mean, float* inverse) const;

  LoadFn load_ = nullptr;
  StoreFn store_ = nullptr;
  bool direct_ = false;  // memory is lanes
  int64_t bytes_ = 0, run_ = 1, runs_ = 1;
  uint32_t n_outer_ = 0;
};

}  // namespace opmux::cpu
#endif
