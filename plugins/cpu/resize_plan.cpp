// SPDX-License-Identifier: Apache-2.0
#include "cpu/resize_plan.hpp"

#include <algorithm>

#include "cpu/answer.hpp"
#include "cpu/number_reader.hpp"

namespace opmux::cpu {
namespace {

// Elements that can have a weight, for any scale that a run may have.
int64_t most_taps(const opmux_op_resize& d, const ResizeTable& t) {
  if (d.mode == OPMUX_INTERPOLATE_NEAREST) return 1;
  const bool cubic = d.mode == OPMUX_INTERPOLATE_CUBIC;
  double radius = cubic ? 2 : 1;
  if (d.antialias != 0) {
    const double ratio = static_cast<double>(t.out) / static_cast<double>(std::max<int64_t>(t.in, 1));
    radius /= std::min(1.0, has_in(d.o, 1) ? ratio / 2 : ratio);
  }
  const double most = 2 * std::ceil(radius) + 3;
  return most < static_cast<double>(t.in) ? static_cast<int64_t>(most) : std::max<int64_t>(t.in, 1);
}

}  // namespace

ResizePlan::ResizePlan(const opmux_opd& opd)
    : d(reinterpret_cast<const opmux_op_resize&>(opd)),
      x(opd.in[0]),
      y(opd.out[0]),
      nearest(d.mode == OPMUX_INTERPOLATE_NEAREST) {
  auto take = [&](int64_t count, uint64_t size) {
    const uint64_t at = table_bytes;
    table_bytes += (static_cast<uint64_t>(count) * size + 63) & ~uint64_t{63};
    return at;
  };
  for (; n < d.axes.count; ++n) {
    ResizeTable& t = table[n];
    t.axis = opd.list[d.axes.first + n];
    t.in = x.dim[t.axis];
    t.out = y.dim[t.axis];
    if (t.out == 0) continue;
    t.most_taps = most_taps(d, t);
    t.first = take(t.out + 1, sizeof(int64_t));
    t.place = take(t.out * t.most_taps, sizeof(int64_t));
    t.weight = take(nearest ? 0 : t.out * t.most_taps, sizeof(double));
    t.outside = take(t.out, sizeof(bool));
  }
  std::sort(table, table + n, [](const ResizeTable& a, const ResizeTable& b) {
    const int64_t left = a.out * b.in, right = b.out * a.in;
    return left < right || (left == right && a.axis < b.axis);
  });
}

uint32_t ResizePlan::number(const ResizeTable& t) const {
  uint32_t k = 0;
  while (d.o.list[d.axes.first + k] != t.axis) ++k;
  return k;
}

opmux_status ResizePlan::fill_table(const kit_call& call, char* ws, uint32_t i, opmux_err* err) const {
  const ResizeTable& t = table[i];
  const uint32_t k = number(t);
  kit::ResizeAxis axis{
      d.coordinates, t.in, t.out, static_cast<double>(t.out) / static_cast<double>(t.in), 0, 1};
  const double ratio = axis.scale;
  if (has_in(d.o, 1)) axis.scale = NumberReader(d.o.in[1].dtype)(call.arg[1], k * d.o.in[1].stride[0]);
  if (!(axis.scale >= kit::kResizeLeast && axis.scale <= kit::kResizeMost))
    return kit_fail(err, OPMUX_E_FAULT, 1, "resize: the scale of axis %lld is %g, must be in [1e-9, 1e9]",
                    static_cast<long long>(t.axis), axis.scale);
  if (d.antialias != 0 && axis.scale < ratio / 2)
    return kit_fail(err, OPMUX_E_FAULT, 1,
                    "resize: the scale of axis %lld is %g, less than half of %lld / %lld elements",
                    static_cast<long long>(t.axis), axis.scale, static_cast<long long>(t.out),
                    static_cast<long long>(t.in));
  if (has_in(d.o, 2)) {
    const NumberReader read(d.o.in[2].dtype);
    axis.start = read(call.arg[2], k * d.o.in[2].stride[0]);
    axis.end = read(call.arg[2], (d.axes.count + k) * d.o.in[2].stride[0]);
  }
  const kit::ResizeKernel kernel{d.mode == OPMUX_INTERPOLATE_CUBIC, d.antialias != 0, d.exclude_outside != 0,
                                 static_cast<double>(d.cubic)};
  auto* first = reinterpret_cast<int64_t*>(ws + t.first);
  auto* place = reinterpret_cast<int64_t*>(ws + t.place);
  auto* weight = reinterpret_cast<double*>(ws + t.weight);
  auto* outside = reinterpret_cast<bool*>(ws + t.outside);
  int64_t count = 0;
  for (int64_t o = 0; o < t.out; ++o) {
    const double p = axis.position(o);
    first[o] = count;
    outside[o] = axis.is_outside(p);
    if (nearest) {
      place[count++] = axis.nearest(d.rounding, p);
    } else {
      kernel.taps(axis, p, [&](int64_t at, double w) {
        place[count] = at;
        weight[count++] = w;
      });
    }
  }
  first[t.out] = count;
  return OPMUX_OK;
}

opmux_status ResizePlan::fill(const kit_call& call, char* ws, opmux_err* err) const {
  for (uint32_t i = 0; has_in(d.o, 2) && i < 2 * d.axes.count; ++i) {
    const double v = NumberReader(d.o.in[2].dtype)(call.arg[2], i * d.o.in[2].stride[0]);
    if (!(std::fabs(v) <= kit::kResizeMost))
      return kit_fail(err, OPMUX_E_FAULT, 2, "resize: a bound of the regions is %g, must be in [-1e9, 1e9]",
                      v);
  }
  // Axes in the order of the list, so that the first bad scale is the one that is named.
  for (uint32_t k = 0; k < n; ++k)
    for (uint32_t i = 0; i < n; ++i) {
      if (table[i].axis != d.o.list[d.axes.first + k] || table[i].out == 0) continue;
      const opmux_status status = fill_table(call, ws, i, err);
      if (status != OPMUX_OK) return status;
    }
  return OPMUX_OK;
}

}  // namespace opmux::cpu
