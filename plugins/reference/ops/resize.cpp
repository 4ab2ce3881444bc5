// SPDX-License-Identifier: Apache-2.0
// Resampling along axes. ONNX Resize: every result is a weighted sum of elements around its position, the
// weights products of those along each axis; nearest moves elements bit for bit.
#include "kit/resample.hpp"
#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

struct Tap {
  int64_t at;
  double weight;
};
struct Place {
  std::vector<Tap> taps;
  bool outside = false;
};

class Resize {
 public:
  explicit Resize(Job& job) : d_(job.desc<opmux_op_resize>()), places_(job.in(0).rank) {
    const opmux_tdesc &x = job.in(0), &y = job.out(0);
    const std::span<const int64_t> axes = job.list(d_.axes);
    const std::vector<double> scale = job.has_in(1) ? job.read<double>(1) : std::vector<double>();
    const std::vector<double> roi = job.has_in(2) ? job.read<double>(2) : std::vector<double>();
    for (double v : roi)
      if (!(std::fabs(v) <= kit::kResizeMost))
        fail(OPMUX_E_FAULT, 2, "resize: a bound of the regions is %g, must be in [-1e9, 1e9]", v);
    for (uint32_t i = 0; i < x.rank; ++i)
      for (int64_t k = 0; k < y.dim[i]; ++k) places_[i].push_back({{{k, 1}}});
    for (size_t k = 0; k < axes.size(); ++k) {
      const int64_t a = axes[k];
      kit::ResizeAxis axis{d_.coordinates, x.dim[a], y.dim[a], 1, 0, 1};
      if (axis.out == 0) continue;
      axis.scale = scale.empty() ? double(axis.out) / double(axis.in) : scale[k];
      check(axis, a);
      if (!roi.empty()) axis.start = roi[k], axis.end = roi[axes.size() + k];
      for (int64_t o = 0; o < axis.out; ++o) places_[size_t(a)][size_t(o)] = place(axis, o);
    }
  }
  const Place& at(uint32_t axis, int64_t o) const { return places_[axis][size_t(o)]; }

 private:
  void check(const kit::ResizeAxis& axis, int64_t number) const {
    if (!(axis.scale >= kit::kResizeLeast && axis.scale <= kit::kResizeMost))
      fail(OPMUX_E_FAULT, 1, "resize: the scale of axis %lld is %g, must be in [1e-9, 1e9]",
           static_cast<long long>(number), axis.scale);
    const double ratio = double(axis.out) / double(axis.in);
    if (d_.antialias && axis.scale < ratio / 2)
      fail(OPMUX_E_FAULT, 1, "resize: the scale of axis %lld is %g, less than half of %lld / %lld elements",
           static_cast<long long>(number), axis.scale, static_cast<long long>(axis.out),
           static_cast<long long>(axis.in));
  }
  Place place(const kit::ResizeAxis& axis, int64_t o) const {
    Place result;
    const double p = axis.position(o);
    result.outside = axis.is_outside(p);
    if (d_.mode == OPMUX_INTERPOLATE_NEAREST) {
      result.taps.push_back({axis.nearest(d_.rounding, p), 1});
    } else {
      const kit::ResizeKernel kernel{d_.mode == OPMUX_INTERPOLATE_CUBIC, d_.antialias != 0,
                                     d_.exclude_outside != 0, double(d_.cubic)};
      kernel.taps(axis, p, [&](int64_t at, double weight) { result.taps.push_back({at, weight}); });
    }
    return result;
  }

  const opmux_op_resize& d_;
  std::vector<std::vector<Place>> places_;
};

// f(index of the output, is it outside) for every output, row-major.
template <class F>
void each_output(const Resize& resize, const opmux_tdesc& y, F&& f) {
  int64_t index[8] = {};
  for (int64_t k = count_of(y); k > 0; --k) {
    bool outside = false;
    for (uint32_t i = 0; i < y.rank; ++i) outside = outside || resize.at(i, index[i]).outside;
    f(static_cast<const int64_t*>(index), outside);
    for (uint32_t i = y.rank; i-- > 0;) {
      if (++index[i] < y.dim[i]) break;
      index[i] = 0;
    }
  }
}

template <class R>
struct Sum {
  R value = 0;
  double magnitude = 0;
};
template <class R>
void add_taps(const Resize& resize, const opmux_tdesc& x, const R* from, uint32_t axis, const int64_t* index,
              int64_t at, double weight, Sum<R>& sum) {
  if (axis == x.rank) {
    sum.value += R(weight) * from[at];
    sum.magnitude += double(std::fabs(R(weight) * from[at]));
    return;
  }
  for (const Tap& t : resize.at(axis, index[axis]).taps)
    add_taps(resize, x, from, axis + 1, index, at * x.dim[axis] + t.at, weight * t.weight, sum);
}

template <class R>
void interpolate(Job& job, const Resize& resize) {
  const opmux_tdesc& x = job.in(0);
  const std::vector<R> from = job.read<R>(0);
  std::vector<R> values;
  std::vector<double> magnitude;
  each_output(resize, job.out(0), [&](const int64_t* index, bool outside) {
    Sum<R> sum;
    if (outside)
      sum.value = R(job.desc<opmux_op_resize>().extrapolation);
    else
      add_taps(resize, x, from.data(), 0, index, 0, 1, sum);
    values.push_back(sum.value);
    magnitude.push_back(sum.magnitude);
  });
  job.write(0, values, magnitude);
}

void take_nearest(Job& job, const Resize& resize) {
  const opmux_tdesc& x = job.in(0);
  std::vector<int64_t> source;
  each_output(resize, job.out(0), [&](const int64_t* index, bool outside) {
    int64_t offset = 0;
    for (uint32_t i = 0; i < x.rank; ++i) offset += resize.at(i, index[i]).taps[0].at * x.stride[i];
    source.push_back(outside ? Job::kNoSource : offset);
  });
  const auto value = kit::of_float(double(job.desc<opmux_op_resize>().extrapolation));
  uint64_t bits = 0;
  kit::store(x.dtype, &bits, 0, kit::cast_to(OPMUX_F32, x.dtype, value, true));
  job.move(0, 0, source, bits);
}

}  // namespace

void resize(Job& job) {
  const Resize places(job);
  if (job.desc<opmux_op_resize>().mode == OPMUX_INTERPOLATE_NEAREST)
    take_nearest(job, places);
  else if (job.in(0).dtype == OPMUX_F64)
    interpolate<long double>(job, places);
  else
    interpolate<double>(job, places);
}

}  // namespace opmux::reference
