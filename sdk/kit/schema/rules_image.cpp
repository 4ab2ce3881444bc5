// SPDX-License-Identifier: Apache-2.0
// Shape rules of operators that resample images.
#include "kit/schema/table.hpp"

namespace opmux::schema {
namespace {

long long ll(int64_t v) { return v; }

}  // namespace

namespace rules {

bool grid_sample(const View& v, Shapes& s, Problem& p) {
  const opmux_tdesc &x = v.in(0), &grid = v.in(1);
  if (grid.rank != x.rank)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_RANK, 1), grid.rank, x.rank,
                "grid has rank %u, but x has rank %u", grid.rank, x.rank);
  if (grid.dim[0] != x.dim[0])
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 1, 0), grid.dim[0], x.dim[0],
                "dim 0 of grid is %lld, but that of x is %lld", ll(grid.dim[0]), ll(x.dim[0]));
  const uint32_t last = grid.rank - 1, spatial = x.rank - 2;
  if (grid.dim[last] != spatial)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 1, last), grid.dim[last], spatial,
                "dim %u of grid is %lld, but x has %u spatial dims", last, ll(grid.dim[last]), spatial);
  opmux_tdesc y = x;
  for (uint32_t i = 2; i < x.rank; ++i) {
    if (x.dim[i] < 1)
      return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 0, i), x.dim[i], 1,
                  "dim %u of x is %lld, must be at least 1", i, ll(x.dim[i]));
    y.dim[i] = grid.dim[i - 1];
  }
  s.like(0, x.dtype, y);
  return true;
}

bool roi_align(const View& v, Shapes& s, Problem& p) {
  const auto& a = v.attr<opmux_op_roi_align>();
  const opmux_tdesc &x = v.in(0), &roi = v.in(1), &image = v.in(2);
  if (roi.dim[1] != 4)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 1, 1), roi.dim[1], 4, "dim 1 of roi is %lld, must be 4",
                ll(roi.dim[1]));
  if (image.dim[0] != roi.dim[0])
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 2, 0), image.dim[0], roi.dim[0],
                "dim 0 of image is %lld, but that of roi is %lld", ll(image.dim[0]), ll(roi.dim[0]));
  constexpr int64_t kLargest = int64_t{1} << 31;
  for (uint32_t i = 2; i < 4; ++i)
    if (x.dim[i] < 1 || x.dim[i] > kLargest)
      return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 0, i), x.dim[i], x.dim[i] < 1 ? 1 : kLargest,
                  "dim %u of x is %lld, must be in [1, %lld]", i, ll(x.dim[i]), ll(kLargest));
  const int64_t y[] = {roi.dim[0], x.dim[1], a.height, a.width};
  s.set(0, x.dtype, y);
  return true;
}

}  // namespace rules
}  // namespace opmux::schema
