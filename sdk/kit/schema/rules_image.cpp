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

bool non_max_suppression(const View& v, Shapes& s, Problem& p) {
  const opmux_tdesc &boxes = v.in(0), &scores = v.in(1), &asked = v.out(0);
  if (boxes.dim[2] != 4)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 0, 2), boxes.dim[2], 4,
                "dim 2 of boxes is %lld, must be 4", ll(boxes.dim[2]));
  const struct {
    uint32_t scores, boxes;
  } same[] = {{0, 0}, {2, 1}};
  for (const auto& axis : same)
    if (scores.dim[axis.scores] != boxes.dim[axis.boxes])
      return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 1, axis.scores), scores.dim[axis.scores],
                  boxes.dim[axis.boxes], "dim %u of scores is %lld, but dim %u of boxes is %lld", axis.scores,
                  ll(scores.dim[axis.scores]), axis.boxes, ll(boxes.dim[axis.boxes]));
  const auto all = static_cast<int64_t>(numel(scores).value());
  int64_t rows = all;
  if (asked.rank == 2) {
    rows = asked.dim[0];
    if (rows < 0 || rows > all)
      return fail(p, v.name(), v.at_out(OPMUX_WHY_DIM, 0, 0), rows, all,
                  "dim 0 of output selected is %lld, must be in [0, %lld]", ll(rows), ll(all));
  }
  const int64_t selected[] = {rows, 3};
  s.set(0, OPMUX_I64, selected);
  s.set(1, OPMUX_I64, {});
  return true;
}

bool resize(const View& v, Shapes& s, Problem& p) {
  const auto& a = v.attr<opmux_op_resize>();
  const opmux_tdesc &x = v.in(0), &asked = v.out(0);
  const auto axes = v.list(a.axes);
  const At at = View::at_attr(offsetof(opmux_op_resize, axes));
  if (axes.empty() || axes.size() > x.rank)
    return fail(p, v.name(), at, static_cast<int64_t>(axes.size()), x.rank,
                "axes has %zu entries, must have 1 to %u", axes.size(), x.rank);
  for (size_t i = 0; i < axes.size(); ++i)
    if (axes[i] < (i == 0 ? 0 : axes[i - 1] + 1) || axes[i] >= x.rank)
      return fail(p, v.name(), at, axes[i], int64_t{x.rank} - 1,
                  "entry %zu of axes is %lld, must be in [%lld, %u], axes rise", i, ll(axes[i]),
                  ll(i == 0 ? 0 : axes[i - 1] + 1), x.rank - 1);
  const bool nearest = a.mode == OPMUX_INTERPOLATE_NEAREST,
             crops = a.coordinates == OPMUX_RESIZE_TF_CROP_AND_RESIZE;
  const bool computes =
      x.dtype == OPMUX_F64 || x.dtype == OPMUX_F32 || x.dtype == OPMUX_F16 || x.dtype == OPMUX_BF16;
  if (!nearest && !computes)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DTYPE, 0), x.dtype, OPMUX_F32,
                "x is %s, mode %u takes f64, f32, f16 and bf16", dtype_name(x.dtype), a.mode);
  if (nearest && a.antialias != 0)
    return fail(p, v.name(), View::at_attr(offsetof(opmux_op_resize, antialias)), a.antialias, 0,
                "antialias is %u, the nearest mode has none", a.antialias);
  if (crops != v.has_in(2))
    return fail(p, v.name(), v.at_in(OPMUX_WHY_INVALID, 2), a.coordinates, OPMUX_RESIZE_TF_CROP_AND_RESIZE,
                "coordinates are %u, input roi goes with tf_crop_and_resize (6) and only with it",
                a.coordinates);
  for (uint32_t i = 1; i < 3; ++i) {
    const auto want = static_cast<int64_t>(axes.size() * i);
    if (v.has_in(i) && v.in(i).dim[0] != want)
      return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, i, 0), v.in(i).dim[0], want,
                  "dim 0 of %s is %lld, must be %lld for %zu axes", i == 1 ? "scale" : "roi",
                  ll(v.in(i).dim[0]), ll(want), axes.size());
  }
  opmux_tdesc y = x;
  constexpr int64_t kLargest = int64_t{1} << 31;
  for (int64_t axis : axes) {
    if (asked.rank == x.rank) y.dim[axis] = asked.dim[axis];
    if (y.dim[axis] > 0 && (x.dim[axis] < 1 || x.dim[axis] > kLargest || y.dim[axis] > kLargest))
      return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 0, static_cast<uint32_t>(axis)), x.dim[axis], kLargest,
                  "axis %lld goes from %lld to %lld elements, both must be in [1, %lld]", ll(axis),
                  ll(x.dim[axis]), ll(y.dim[axis]), ll(kLargest));
  }
  s.like(0, x.dtype, y);
  return true;
}

}  // namespace rules
}  // namespace opmux::schema
