// SPDX-License-Identifier: Apache-2.0
// Pooling of regions. ONNX RoiAlign (He et al. 2017, "Mask R-CNN") and MaxRoiPool (Girshick 2015, "Fast
// R-CNN").
#include <algorithm>

#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

constexpr double kFarthest = 2147483648.0, kMostPoints = 1048576;

// One side of a region, along y or along x.
struct Side {
  double start, extent;  // of the region, in elements
  int64_t bins, points;  // points along this side of each bin
  int64_t n;             // extent of the image

  double at(int64_t bin, int64_t point) const {
    const double size = extent / double(bins);
    return start + double(bin) * size + (double(point) + 0.5) * size / double(points);
  }
  // Both neighbours of a position and the weight of the upper one; false: it is outside.
  bool neighbours(double p, int64_t* low, int64_t* high, double* part) const {
    if (p < -1 || p > double(n)) return false;
    p = std::max(p, 0.0);
    *low = int64_t(p);
    *high = *low + 1;
    *part = p - double(*low);
    if (*low >= n - 1) {
      *low = *high = n - 1;
      *part = 0;
    }
    return true;
  }
};

class Regions {
 public:
  explicit Regions(Job& job) : job_(job), d_(job.desc<opmux_op_roi_align>()), roi_(job.read<double>(1)) {
    for (uint64_t v : job.read<uint64_t>(2)) {
      image_.push_back(int64_t(v));
      if (image_.back() < 0 || image_.back() >= job.in(0).dim[0])
        fail(OPMUX_E_FAULT, 2, "roi_align: image %lld of region %lld is outside [0, %lld]",
             static_cast<long long>(image_.back()), static_cast<long long>(image_.size() - 1),
             static_cast<long long>(job.in(0).dim[0] - 1));
    }
    for (size_t r = 0; r < image_.size(); ++r) check(r);
  }

  int64_t image(int64_t r) const { return image_[size_t(r)]; }
  double corner(int64_t r, int i) const { return roi_[size_t(r * 4 + i)] * double(d_.spatial_scale); }

  // axis 0: y, 1: x
  Side side(int64_t r, int axis) const {
    const double shift = d_.half_pixel ? 0.5 : 0;
    Side s{};
    s.start = corner(r, 1 - axis) - shift;
    s.extent = corner(r, 3 - axis) - shift - s.start;
    if (!d_.half_pixel) s.extent = std::max(s.extent, 1.0);
    s.bins = axis == 0 ? d_.height : d_.width;
    s.points =
        d_.samples ? int64_t(d_.samples) : int64_t(std::max(std::ceil(s.extent / double(s.bins)), 0.0));
    s.n = job_.in(0).dim[2 + axis];
    return s;
  }

 private:
  void check(size_t r) const {
    const auto number = static_cast<long long>(r);
    for (int i = 0; i < 4; ++i)
      if (!(std::fabs(corner(int64_t(r), i)) <= kFarthest))
        fail(OPMUX_E_FAULT, 1, "roi_align: corner %d of region %lld is %g, must be in [-2^31, 2^31]", i,
             number, corner(int64_t(r), i));
    if (d_.kind == OPMUX_ROI_MAX_BINS) return;
    const double points = double(side(int64_t(r), 0).points) * double(side(int64_t(r), 1).points);
    if (points > kMostPoints)
      fail(OPMUX_E_FAULT, 1, "roi_align: region %lld needs %.0f points a bin, at most 1048576 are possible",
           number, points);
  }

  Job& job_;
  const opmux_op_roi_align& d_;
  std::vector<double> roi_;
  std::vector<int64_t> image_;
};

template <class R>
struct Bin {
  R value = 0;
  double magnitude = 0;
};

template <class R>
void take_larger(R& best, R v, bool first) {
  if (first || v > best || std::isnan(v)) best = std::isnan(best) && !first ? best : v;
}

template <class R>
Bin<R> pool_points(const R* plane, const Side& y, const Side& x, int64_t by, int64_t bx, bool average) {
  Bin<R> bin;
  for (int64_t i = 0; i < y.points; ++i)
    for (int64_t j = 0; j < x.points; ++j) {
      int64_t at_y[2], at_x[2];
      double part_y, part_x;
      R sum = 0, largest = 0;
      if (y.neighbours(y.at(by, i), &at_y[0], &at_y[1], &part_y) &&
          x.neighbours(x.at(bx, j), &at_x[0], &at_x[1], &part_x)) {
        for (int corner = 0; corner < 4; ++corner) {
          const int v = corner / 2, h = corner % 2;
          const double weight = (v ? part_y : 1 - part_y) * (h ? part_x : 1 - part_x);
          const R term = weight == 0 ? R(0) : R(weight) * plane[at_y[v] * x.n + at_x[h]];
          sum += term;
          bin.magnitude += double(std::fabs(term));
          take_larger(largest, term, corner == 0);
        }
      }
      if (average)
        bin.value += sum;
      else
        take_larger(bin.value, largest, i == 0 && j == 0);
    }
  const double count = std::max<double>(double(y.points) * double(x.points), 1);
  if (average) {
    bin.value /= R(count);
    bin.magnitude /= count;
  } else {
    bin.magnitude = double(std::fabs(bin.value));
  }
  return bin;
}

struct Range {
  int64_t begin, end;
};
// Rows (columns) of a bin of max_bins.
Range rows_of(const Regions& regions, int64_t r, int axis, int64_t bin, int64_t bins, int64_t n) {
  const auto start = int64_t(std::round(regions.corner(r, 1 - axis))),
             end = int64_t(std::round(regions.corner(r, 3 - axis)));
  const int64_t extent = std::max<int64_t>(end - start + 1, 1);
  const int64_t first = bin * extent / bins, last = ((bin + 1) * extent + bins - 1) / bins;
  return {std::clamp<int64_t>(start + first, 0, n), std::clamp<int64_t>(start + last, 0, n)};
}

template <class R>
Bin<R> pool_bin(const R* plane, Range y, Range x, int64_t width) {
  Bin<R> bin;
  for (int64_t i = y.begin; i < y.end; ++i)
    for (int64_t j = x.begin; j < x.end; ++j)
      take_larger(bin.value, plane[i * width + j], i == y.begin && j == x.begin);
  bin.magnitude = double(std::fabs(bin.value));
  return bin;
}

template <class R>
void pool_regions(Job& job) {
  const auto& d = job.desc<opmux_op_roi_align>();
  const opmux_tdesc &x = job.in(0), &y = job.out(0);
  const std::vector<R> image = job.read<R>(0);
  const Regions regions(job);
  std::vector<R> values;
  std::vector<double> magnitude;
  for (int64_t r = 0; r < y.dim[0]; ++r)
    for (int64_t c = 0; c < y.dim[1]; ++c) {
      const R* plane = image.data() + (regions.image(r) * x.dim[1] + c) * x.dim[2] * x.dim[3];
      for (int64_t i = 0; i < y.dim[2]; ++i)
        for (int64_t j = 0; j < y.dim[3]; ++j) {
          const Bin<R> bin = d.kind == OPMUX_ROI_MAX_BINS
                                 ? pool_bin(plane, rows_of(regions, r, 0, i, y.dim[2], x.dim[2]),
                                            rows_of(regions, r, 1, j, y.dim[3], x.dim[3]), x.dim[3])
                                 : pool_points(plane, regions.side(r, 0), regions.side(r, 1), i, j,
                                               d.kind == OPMUX_ROI_AVERAGE);
          values.push_back(bin.value);
          magnitude.push_back(bin.magnitude);
        }
    }
  job.write(0, values, magnitude);
}

}  // namespace

void roi_align(Job& job) {
  if (job.in(0).dtype == OPMUX_F64)
    pool_regions<long double>(job);
  else
    pool_regions<double>(job);
}

}  // namespace opmux::reference
