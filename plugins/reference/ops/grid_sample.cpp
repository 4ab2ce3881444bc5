// SPDX-License-Identifier: Apache-2.0
// Samples of an image at positions that a tensor gives. ONNX GridSample, PyTorch grid_sample.
//
// Corners: nearest takes the even one of two equally near elements; elements with a weight of 0 do not count,
// so that a NaN beside an exact position is not seen; a NaN position gives NaN.
#include <limits>

#include "kit/resample.hpp"
#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

struct Taps {
  int n = 0;
  int64_t at[4] = {};
  double weight[4] = {};
};

template <class R>
void sample(Job& job) {
  const auto& d = job.desc<opmux_op_grid_sample>();
  const opmux_tdesc &x = job.in(0), &y = job.out(0);
  const uint32_t dims = x.rank - 2;
  const std::vector<R> image = job.read<R>(0);
  const std::vector<double> grid = job.read<double>(1);
  int64_t plane = 1, points = 1, extent[3] = {1, 1, 1};
  for (uint32_t i = 0; i < dims; ++i) {
    extent[3 - dims + i] = x.dim[2 + i];
    plane *= x.dim[2 + i];
    points *= y.dim[2 + i];
  }
  std::vector<R> result(size_t(count_of(y)));
  std::vector<double> magnitude(result.size());
  for (int64_t n = 0; n < x.dim[0]; ++n)
    for (int64_t point = 0; point < points; ++point) {
      Taps taps[3];
      bool valid = true;
      for (int axis = 0; axis < 3; ++axis) {
        taps[axis] = Taps{.n = 1, .at = {}, .weight = {1}};
        if (axis < 3 - int(dims)) continue;
        const kit::SampleAxis rule{d.mode, d.outside, d.align_corners != 0, extent[axis]};
        const double p = rule.position(grid[size_t((n * points + point) * dims + 2 - axis)]);
        valid = valid && !std::isnan(p);
        if (valid) taps[axis].n = rule.taps(p, taps[axis].at, taps[axis].weight);
      }
      for (int64_t c = 0; c < x.dim[1]; ++c) {
        const R* from = image.data() + (n * x.dim[1] + c) * plane;
        R sum = 0;
        double size = 0;
        for (int i = 0; i < taps[0].n; ++i)
          for (int j = 0; j < taps[1].n; ++j)
            for (int k = 0; k < taps[2].n; ++k) {
              const int64_t at = (taps[0].at[i] * extent[1] + taps[1].at[j]) * extent[2] + taps[2].at[k];
              const R term = from[at] * R(taps[0].weight[i] * taps[1].weight[j] * taps[2].weight[k]);
              sum += term;
              size += double(std::fabs(term));
            }
        const auto to = size_t((n * x.dim[1] + c) * points + point);
        result[to] = valid ? sum : std::numeric_limits<R>::quiet_NaN();
        magnitude[to] = size;
      }
    }
  job.write(0, result, magnitude);
}

}  // namespace

void grid_sample(Job& job) {
  if (job.in(0).dtype == OPMUX_F64)
    sample<long double>(job);
  else
    sample<double>(job);
}

}  // namespace opmux::reference
