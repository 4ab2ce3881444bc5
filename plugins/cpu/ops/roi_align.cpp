// SPDX-License-Identifier: Apache-2.0
// roi_align: a mean of interpolated points is one weighted sum of the rows and columns of a bin, so weights
// along each side are found once for a region and serve its bins and channels. The maxima go point by point.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "cpu/answer.hpp"
#include "cpu/number_reader.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/scratch.hpp"
#include "cpu/state.hpp"
#include "cpu/tiles.hpp"
#include "opmux/ops/pool.gen.h"

namespace opmux::cpu {
namespace {

constexpr int64_t kChannels = 32;  // of one task
constexpr double kFarthest = 2147483648.0, kMostPoints = 1048576;

const opmux_op_roi_align& desc(const opmux_opd& d) { return reinterpret_cast<const opmux_op_roi_align&>(d); }
uint32_t working_type(const opmux_opd& d) { return d.in[0].dtype == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32; }

uint64_t sums_bytes(const opmux_tdesc& x) {
  return (static_cast<uint64_t>(std::max(x.dim[2], x.dim[3])) * sizeof(double) + 63) & ~uint64_t{63};
}
// Weights of both sides, densely, one row of elements, one of results, and the sums that become weights.
uint64_t slot_bytes(const opmux_opd& d) {
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  const int64_t size = element_bytes(working_type(d));
  const auto bytes =
      static_cast<uint64_t>((y.dim[2] * x.dim[2] + y.dim[3] * x.dim[3] + x.dim[3] + y.dim[3]) * size);
  return ((bytes + 63) & ~uint64_t{63}) + sums_bytes(x);
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap) || !apart(*d, cap)) return;
  const auto y = static_cast<double>(elements(d->out[0]));
  yes(cap, info,
      {.flops = 16 * y,
       .bytes = 5 * y * static_cast<double>(element_bytes(d->in[0].dtype)),
       .flops_per_ns = 1,
       .ws = scratch_bytes(slot_bytes(*d))});
}

struct State {
  explicit State(const opmux_opd& opd)
      : d(desc(opd)),
        x(opd.in[0]),
        roi(opd.in[1]),
        image(opd.in[2]),
        y(opd.out[0]),
        bytes(element_bytes(x.dtype)),
        slot(slot_bytes(opd)),
        load(find_load(x.dtype)),
        read(roi.dtype),
        store(find_store(x.dtype)) {}
  const opmux_op_roi_align& d;
  const opmux_tdesc &x, &roi, &image, &y;
  int64_t bytes;
  uint64_t slot;
  LoadFn load;
  NumberReader read;  // of roi
  StoreFn store;

  int64_t image_of(const void* images, int64_t r) const {
    const char* at = static_cast<const char*>(images) + r * image.stride[0] * element_bytes(image.dtype);
    int64_t wide = 0;
    int32_t narrow = 0;
    if (image.dtype == OPMUX_I64) {
      std::memcpy(&wide, at, sizeof wide);
      return wide;
    }
    std::memcpy(&narrow, at, sizeof narrow);
    return narrow;
  }
  double corner(const void* rois, int64_t r, int i) const {
    return read(rois, r * roi.stride[0] + i * roi.stride[1]) * static_cast<double>(d.spatial_scale);
  }
};

// One side of a region, along y (0) or x (1).
struct Side {
  double start, extent;
  int64_t bins, points, n;

  Side(const State& s, const void* rois, int64_t r, int axis) {
    const double shift = s.d.half_pixel != 0 ? 0.5 : 0;
    start = s.corner(rois, r, 1 - axis) - shift;
    extent = s.corner(rois, r, 3 - axis) - shift - start;
    if (s.d.half_pixel == 0) extent = std::max(extent, 1.0);
    bins = s.y.dim[2 + axis];
    n = s.x.dim[2 + axis];
    points = s.d.samples;
    if (points == 0)
      points = static_cast<int64_t>(std::max(std::ceil(extent / static_cast<double>(bins)), 0.0));
  }

  // Both neighbours of a point and the weight of the upper one; false: it is outside.
  bool neighbours(int64_t bin, int64_t point, int64_t* low, int64_t* high, double* part) const {
    const double size = extent / static_cast<double>(bins);
    double p = start + static_cast<double>(bin) * size +
               (static_cast<double>(point) + 0.5) * size / static_cast<double>(points);
    if (p < -1 || p > static_cast<double>(n)) return false;
    p = std::max(p, 0.0);
    *low = static_cast<int64_t>(p);
    *high = *low + 1;
    *part = p - static_cast<double>(*low);
    if (*low >= n - 1) {
      *low = *high = n - 1;
      *part = 0;
    }
    return true;
  }
};

struct Range {
  int64_t begin = 0, end = 0;
};

template <class T>
class Regions {
 public:
  Regions(const State& s, const kit_call& call, char* slot) : s_(s), call_(call) {
    const opmux_tdesc &x = s.x, &y = s.y;
    weight_[0] = reinterpret_cast<T*>(slot);
    weight_[1] = weight_[0] + y.dim[2] * x.dim[2];
    row_ = weight_[1] + y.dim[3] * x.dim[3];
    out_ = row_ + x.dim[3];
    sums_ = reinterpret_cast<double*>(slot + s.slot - sums_bytes(x));
  }

  // Channels [c0, c1) of region r.
  void run(int64_t r, int64_t c0, int64_t c1) {
    const auto* x =
        static_cast<const char*>(call_.arg[0]) + s_.image_of(call_.arg[2], r) * s_.x.stride[0] * s_.bytes;
    auto* y = static_cast<char*>(call_.arg[3]) + r * s_.y.stride[0] * s_.bytes;
    const Side side[2] = {{s_, call_.arg[1], r, 0}, {s_, call_.arg[1], r, 1}};
    if (s_.d.kind == OPMUX_ROI_AVERAGE) {
      weigh(side[0], weight_[0]);
      weigh(side[1], weight_[1]);
    }
    for (int64_t c = c0; c < c1; ++c) {
      const char* plane = x + c * s_.x.stride[1] * s_.bytes;
      for (int64_t i = 0; i < s_.y.dim[2]; ++i) {
        row(plane, r, side, i);
        s_.store(y + (c * s_.y.stride[1] + i * s_.y.stride[2]) * s_.bytes, s_.y.stride[3], out_,
                 static_cast<size_t>(s_.y.dim[3]));
      }
    }
  }

 private:
  void row(const char* plane, int64_t r, const Side* side, int64_t i) {
    if (s_.d.kind == OPMUX_ROI_AVERAGE) return means(plane, side, i);
    for (int64_t j = 0; j < s_.y.dim[3]; ++j)
      out_[j] = s_.d.kind == OPMUX_ROI_MAX ? largest_point(plane, side, i, j)
                                           : largest(plane, bin(r, 0, i), bin(r, 1, j));
  }

  // The weight of each row (column) of the image in each bin.
  void weigh(const Side& side, T* weight) {
    const double count = static_cast<double>(std::max<int64_t>(side.points, 1));
    for (int64_t bin = 0; bin < side.bins; ++bin, weight += side.n) {
      std::fill(sums_, sums_ + side.n, 0.0);
      for (int64_t p = 0; p < side.points; ++p) {
        int64_t low, high;
        double part;
        if (!side.neighbours(bin, p, &low, &high, &part)) continue;
        sums_[low] += 1 - part;
        sums_[high] += part;
      }
      for (int64_t k = 0; k < side.n; ++k) weight[k] = static_cast<T>(sums_[k] / count);
    }
  }

  // From the first to the last place that has a weight.
  static Range used(const T* weight, int64_t n) {
    Range u{0, n};
    while (u.begin < n && weight[u.begin] == 0) ++u.begin;
    while (u.end > u.begin && weight[u.end - 1] == 0) --u.end;
    return u;
  }

  void means(const char* plane, const Side* side, int64_t i) {
    const T* weight = weight_[0] + i * side[0].n;
    const Range rows = used(weight, side[0].n);
    std::fill(out_, out_ + side[1].bins, T{0});
    for (int64_t j = 0; j < side[1].bins; ++j) {
      const T* across = weight_[1] + j * side[1].n;
      const Range columns = used(across, side[1].n);
      for (int64_t h = rows.begin; h < rows.end; ++h) {
        if (weight[h] == 0 || columns.begin == columns.end) continue;
        const T* v = elements(plane, h, columns);
        T sum = 0;
        for (int64_t w = columns.begin; w < columns.end; ++w)
          if (across[w] != 0) sum += across[w] * v[w - columns.begin];
        out_[j] += weight[h] * sum;
      }
    }
  }

  // Row h of the plane within some columns, in the working type.
  const T* elements(const char* plane, int64_t h, Range columns) {
    const char* at = plane + (h * s_.x.stride[2] + columns.begin * s_.x.stride[3]) * s_.bytes;
    if (lanes_are_memory(s_.x.dtype) && s_.x.stride[3] == 1) return reinterpret_cast<const T*>(at);
    s_.load(row_, at, s_.x.stride[3], static_cast<size_t>(columns.end - columns.begin));
    return row_;
  }
  T element(const char* plane, int64_t h, int64_t w) {
    T v;
    s_.load(&v, plane + (h * s_.x.stride[2] + w * s_.x.stride[3]) * s_.bytes, 1, 1);
    return v;
  }

  static void take_larger(T& best, T v, bool first) {
    if (first || (!std::isnan(best) && (v > best || std::isnan(v)))) best = v;
  }

  T largest_point(const char* plane, const Side* side, int64_t i, int64_t j) {
    T best = 0;
    for (int64_t p = 0; p < side[0].points; ++p)
      for (int64_t q = 0; q < side[1].points; ++q) {
        int64_t h[2], w[2];
        double part[2];
        T value = 0;
        if (side[0].neighbours(i, p, &h[0], &h[1], &part[0]) &&
            side[1].neighbours(j, q, &w[0], &w[1], &part[1])) {
          for (int corner = 0; corner < 4; ++corner) {
            const int v = corner / 2, u = corner % 2;
            const double weight = (v ? part[0] : 1 - part[0]) * (u ? part[1] : 1 - part[1]);
            take_larger(value, weight == 0 ? T{0} : static_cast<T>(weight) * element(plane, h[v], w[u]),
                        corner == 0);
          }
        }
        take_larger(best, value, p == 0 && q == 0);
      }
    return best;
  }

  Range bin(int64_t r, int axis, int64_t b) const {
    const auto start = static_cast<int64_t>(std::round(s_.corner(call_.arg[1], r, 1 - axis))),
               end = static_cast<int64_t>(std::round(s_.corner(call_.arg[1], r, 3 - axis)));
    const int64_t extent = std::max<int64_t>(end - start + 1, 1), bins = s_.y.dim[2 + axis],
                  n = s_.x.dim[2 + axis];
    return {std::clamp<int64_t>(start + b * extent / bins, 0, n),
            std::clamp<int64_t>(start + ((b + 1) * extent + bins - 1) / bins, 0, n)};
  }
  T largest(const char* plane, Range rows, Range columns) {
    T best = 0;
    for (int64_t h = rows.begin; h < rows.end && columns.begin < columns.end; ++h) {
      const T* v = elements(plane, h, columns);
      for (int64_t w = columns.begin; w < columns.end; ++w)
        take_larger(best, v[w - columns.begin], h == rows.begin && w == columns.begin);
    }
    return best;
  }

  const State& s_;
  const kit_call& call_;
  T *weight_[2], *row_, *out_;
  double* sums_;
};

opmux_status check(const State& s, const kit_call& call, opmux_err* err) {
  for (int64_t r = 0; r < s.roi.dim[0]; ++r) {
    const int64_t image = s.image_of(call.arg[2], r);
    const auto number = static_cast<long long>(r);
    if (image < 0 || image >= s.x.dim[0])
      return kit_fail(err, OPMUX_E_FAULT, 2, "roi_align: image %lld of region %lld is outside [0, %lld]",
                      static_cast<long long>(image), number, static_cast<long long>(s.x.dim[0] - 1));
    for (int i = 0; i < 4; ++i) {
      const double v = s.corner(call.arg[1], r, i);
      if (!(std::fabs(v) <= kFarthest))
        return kit_fail(err, OPMUX_E_FAULT, 1,
                        "roi_align: corner %d of region %lld is %g, must be in [-2^31, 2^31]", i, number, v);
    }
    if (s.d.kind == OPMUX_ROI_MAX_BINS) continue;
    const double points = static_cast<double>(Side(s, call.arg[1], r, 0).points) *
                          static_cast<double>(Side(s, call.arg[1], r, 1).points);
    if (points > kMostPoints)
      return kit_fail(err, OPMUX_E_FAULT, 1,
                      "roi_align: region %lld needs %.0f points a bin, at most 1048576 are possible", number,
                      points);
  }
  return OPMUX_OK;
}

opmux_status run(const kit_call* call, opmux_err* err) {
  const State& s = *static_cast<const State*>(call->state);
  if (const opmux_status status = check(s, *call, err); status != OPMUX_OK) return status;
  const int64_t channels = s.y.dim[1], parts = (channels + kChannels - 1) / kChannels;
  const double ns = static_cast<double>(s.y.dim[2] * s.y.dim[3] * std::min(channels, kChannels)) * 20 + 1000;
  parallel_scratch(call->host, s.y.dim[0] * parts, ns, call->ws, s.slot,
                   [&](int64_t begin, int64_t end, char* slot) {
                     auto all = [&](auto t) {
                       Regions<decltype(t)> regions(s, *call, slot);
                       for (int64_t i = begin; i < end; ++i) {
                         const int64_t c = i % parts * kChannels;
                         regions.run(i / parts, c, std::min(channels, c + kChannels));
                       }
                     };
                     working_type(*call->d) == OPMUX_F64 ? all(double{}) : all(float{});
                   });
  return OPMUX_OK;
}

}  // namespace

const kit_op kRoiAlign = state_op<State, opmux_op_roi_align>(OPMUX_OP_ROI_ALIGN, "regions", query, run);

}  // namespace opmux::cpu
