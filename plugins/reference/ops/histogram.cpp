// SPDX-License-Identifier: Apache-2.0
// Counts of equal bins between low and high; the last one has its upper end too. The place is computed in
// double, as the schema says it.
#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

double to_double(uint32_t dtype, Scalar v) { return kit::cast_to(dtype, OPMUX_F64, v).f; }

}  // namespace

void histogram(Job& job) {
  const opmux_tdesc& x = job.in(0);
  const double bins = job.desc<opmux_op_histogram>().bins;
  const double low = to_double(x.dtype, job.scalar(1)), high = to_double(x.dtype, job.scalar(2));
  if (!std::isfinite(low) || !std::isfinite(high) || !(low < high))
    fail(OPMUX_E_FAULT, 1, "histogram: low %g and high %g must be finite and rise", low, high);
  std::vector<uint64_t> y(size_t(bins), 0);
  kit::Walk walk(x);
  walk.add(x);
  walk.each([&](const int64_t* offset) {
    const double v = to_double(x.dtype, kit::load(x.dtype, job.in_data(0), offset[0]));
    if (!(v >= low && v <= high)) return;
    const double bin = std::floor((v - low) * bins / (high - low));
    ++y[size_t(bin < bins ? bin : bins - 1)];
  });
  job.write(0, y);
}

}  // namespace opmux::reference
