// SPDX-License-Identifier: Apache-2.0
// Resize and Upsample. Interpolation is separable: along each axis an output is a weighted sum of a few known
// places of the input, so an axis is a gather per tap and a multiplication.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

constexpr int64_t kMostExtent = int64_t{1} << 24;
constexpr int64_t kMostTaps = 1024;

struct Mode {
  std::string interpolation, coordinates, nearest;
  bool antialias = false, exclude_outside = false;
  float cubic = -0.75f;
  float extrapolation = 0;
};

struct Axis {
  int64_t axis = 0, in = 0, out = 0;
  double scale = 1;
  double roi_start = 0, roi_end = 1;
};

// Where output element `at` lies in the input; ONNX Resize, coordinate_transformation_mode.
double source_of(const Mode& mode, const Axis& a, double at) {
  const double in = static_cast<double>(a.in), resized = a.scale * in;
  const std::string& how = mode.coordinates;
  if (how == "asymmetric") return at / a.scale;
  if (how == "align_corners") return resized == 1 ? 0 : at * (in - 1) / (resized - 1);
  if (how == "tf_crop_and_resize") {
    const double length = (a.roi_end - a.roi_start) * (in - 1);
    return a.roi_start * (in - 1) + (resized == 1 ? length / 2 : at * length / (resized - 1));
  }
  const double half_pixel = (at + 0.5) / a.scale - 0.5;
  if (how == "half_pixel") return half_pixel;
  if (how == "pytorch_half_pixel") return resized == 1 ? -0.5 : half_pixel;
  if (how == "half_pixel_symmetric") {
    const double adjustment = static_cast<double>(a.out) / resized;
    return half_pixel + in / 2 * (1 - adjustment);
  }
  fail(OPMUX_E_INVALID, "attribute 'coordinate_transformation_mode' is '{}', which is unknown", how);
}

double nearest(const std::string& how, double x) {
  if (how == "round_prefer_floor") return std::ceil(x - 0.5);
  if (how == "round_prefer_ceil") return std::floor(x + 0.5);
  if (how == "floor") return std::floor(x);
  if (how == "ceil") return std::ceil(x);
  fail(OPMUX_E_INVALID, "attribute 'nearest_mode' is '{}', which is unknown", how);
}

double triangle(double d) { return std::max(0.0, 1 - std::abs(d)); }

// Keys 1981, "Cubic convolution interpolation for digital image processing".
double keys(double d, double a) {
  d = std::abs(d);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

// Places and weights of all outputs of one axis: [tap][output].
struct Taps {
  std::vector<std::vector<int64_t>> place;
  std::vector<std::vector<float>> weight;
  std::vector<bool> outside;  // the output takes the extrapolation value
};

Taps nearest_taps(const Mode& mode, const Axis& a) {
  Taps t;
  t.place.resize(1);
  for (int64_t i = 0; i < a.out; ++i) {
    const double x = source_of(mode, a, static_cast<double>(i)), last = static_cast<double>(a.in - 1);
    t.place[0].push_back(static_cast<int64_t>(std::clamp(nearest(mode.nearest, x), 0.0, last)));
    t.outside.push_back(mode.coordinates == "tf_crop_and_resize" && (x < 0 || x > last));
  }
  return t;
}

Taps weighted_taps(const Mode& mode, const Axis& a) {
  const bool cubic = mode.interpolation == "cubic";
  // Antialiasing widens the kernel by as much as the image shrinks.
  const double shrink = mode.antialias ? std::min(a.scale, 1.0) : 1.0;
  const double radius = (cubic ? 2 : 1) / shrink;
  if (!(radius * 2 <= static_cast<double>(kMostTaps))) {
    fail(OPMUX_E_UNSUPPORTED, "scale {} needs more than {} places for one output", a.scale, kMostTaps);
  }
  const auto first = static_cast<int64_t>(std::floor(-radius)) + 1;
  const auto count = static_cast<size_t>(2 - 2 * first);
  checked_made({a.out, static_cast<int64_t>(count)});
  Taps t;
  t.place.resize(count);
  t.weight.resize(count);
  std::vector<double> w(count);
  const double last = static_cast<double>(a.in - 1);
  for (int64_t i = 0; i < a.out; ++i) {
    const double x = source_of(mode, a, static_cast<double>(i));
    t.outside.push_back(mode.coordinates == "tf_crop_and_resize" && (x < 0 || x > last));
    const double base = std::ceil(x) - 1;
    double sum = 0;
    for (size_t k = 0; k < count; ++k) {
      const double place = base + static_cast<double>(first) + static_cast<double>(k);
      w[k] = cubic ? keys((place - x) * shrink, mode.cubic) : triangle((place - x) * shrink);
      if (mode.exclude_outside && (place < 0 || place > last)) w[k] = 0;
      sum += w[k];
      t.place[k].push_back(static_cast<int64_t>(std::clamp(place, 0.0, last)));
    }
    for (size_t k = 0; k < count; ++k)
      t.weight[k].push_back(static_cast<float>(sum == 0 ? w[k] : w[k] / sum));
  }
  return t;
}

ValueId gather_places(GraphBuilder& b, ValueId x, int64_t axis, const std::vector<int64_t>& places) {
  Node node;
  node.op = OPMUX_OP_GATHER;
  node.in = {x, b.int_vector(places)};
  opmux_op_gather d{};
  d.axis = static_cast<uint32_t>(axis);
  node.set(d);
  return b.emit(std::move(node));
}

ValueId resize_axis(GraphBuilder& b, ValueId x, const Mode& mode, const Axis& a) {
  const Math m(b);
  const bool is_nearest = mode.interpolation == "nearest";
  const Taps taps = is_nearest ? nearest_taps(mode, a) : weighted_taps(mode, a);
  Dims column(static_cast<size_t>(b.rank(x) - a.axis), 1);
  column[0] = a.out;
  ValueId y = kNone;
  for (size_t k = 0; k < taps.place.size(); ++k) {
    ValueId part = gather_places(b, x, a.axis, taps.place[k]);
    if (!is_nearest) {
      const ValueId weight = b.constant(HostTensor::of<float>(OPMUX_F32, column, taps.weight[k]));
      part = m.mul(part, b.cast(weight, b.dtype(part)));
    }
    y = y == kNone ? part : m.add(y, part);
  }
  if (std::find(taps.outside.begin(), taps.outside.end(), true) != taps.outside.end()) {
    HostTensor mask(make_desc(OPMUX_BOOL, column));
    for (size_t i = 0; i < taps.outside.size(); ++i)
      mask.mutable_data()[i] = static_cast<std::byte>(taps.outside[i]);
    y = m.select(b.constant(std::move(mask)), m.number(y, mode.extrapolation), y);
  }
  return y;
}

std::vector<double> numbers(NodeContext& c, size_t i, const char* what) {
  return c.b.contents(c.in(i), what).to_double();
}

bool has_numbers(NodeContext& c, size_t i) { return c.has(i) && element_count(c.b.desc(c.in(i))) > 0; }

void apply_axes(NodeContext& c, const Mode& mode, const std::vector<Axis>& axes) {
  ValueId x = c.in(0);
  const uint32_t dtype = c.b.dtype(x);
  const bool is_nearest = mode.interpolation == "nearest";
  if (!is_nearest && mode.interpolation != "linear" && mode.interpolation != "cubic") {
    fail(OPMUX_E_INVALID, "attribute 'mode' is '{}', it must be nearest, linear or cubic",
         mode.interpolation);
  }
  if (is_nearest && mode.antialias)
    fail(OPMUX_E_INVALID, "attribute 'antialias' goes with linear and cubic only");
  if (!is_nearest) x = c.b.cast(x, is_float(dtype) ? formula_dtype(dtype) : OPMUX_F32);
  for (const Axis& a : axes) {
    if (a.out < 0 || a.out > kMostExtent) {
      fail(OPMUX_E_INVALID, "the result would have {} elements on axis {}, the limit is {}", a.out, a.axis,
           kMostExtent);
    }
    if (a.in == 0 && a.out > 0) fail(OPMUX_E_INVALID, "axis {} has no elements to make {} of", a.axis, a.out);
    if (!(a.scale > 0) && a.out > 0)
      fail(OPMUX_E_INVALID, "the scale of axis {} is {}, it must be positive", a.axis, a.scale);
    const bool same = a.in == a.out && a.scale == 1 && a.roi_start == 0 && a.roi_end == 1;
    if (!same) x = resize_axis(c.b, x, mode, a);
  }
  c.out(0, c.b.cast(x, dtype));
}

int64_t scaled(int64_t extent, double scale) {
  const double n = std::floor(static_cast<double>(extent) * scale);
  return n >= 0 && n <= static_cast<double>(kMostExtent) ? static_cast<int64_t>(n) : kMostExtent + 1;
}

void set_scales(NodeContext& c, size_t i, std::vector<Axis>& axes) {
  const auto scales = numbers(c, i, "the scales");
  if (scales.size() != axes.size())
    fail(OPMUX_E_INVALID, "there are {} scales for {} axes", scales.size(), axes.size());
  for (size_t k = 0; k < axes.size(); ++k) {
    axes[k].scale = scales[k];
    axes[k].out = scaled(axes[k].in, scales[k]);
  }
}

void set_sizes(NodeContext& c, std::vector<Axis>& axes) {
  const auto sizes = c.b.ints(c.in(3), "the sizes");
  if (sizes.size() != axes.size())
    fail(OPMUX_E_INVALID, "there are {} sizes for {} axes", sizes.size(), axes.size());
  for (size_t k = 0; k < axes.size(); ++k) {
    axes[k].out = sizes[k];
    axes[k].scale = axes[k].in == 0 ? 1 : static_cast<double>(sizes[k]) / static_cast<double>(axes[k].in);
  }
  const std::string policy = c.text("keep_aspect_ratio_policy", "stretch");
  if (policy == "stretch" || axes.empty()) return;
  const bool larger = policy == "not_smaller";
  if (!larger && policy != "not_larger") {
    fail(OPMUX_E_INVALID, "attribute 'keep_aspect_ratio_policy' is '{}', which is unknown", policy);
  }
  const auto by_scale = [](const Axis& a, const Axis& b) { return a.scale < b.scale; };
  const double scale = larger ? std::max_element(axes.begin(), axes.end(), by_scale)->scale
                              : std::min_element(axes.begin(), axes.end(), by_scale)->scale;
  for (Axis& a : axes) {
    a.scale = scale;
    a.out = scaled(1, static_cast<double>(a.in) * scale + 0.5);
  }
}

std::vector<Axis> all_axes(NodeContext& c) {
  const ValueId x = c.in(0);
  std::vector<int64_t> list(static_cast<size_t>(c.b.rank(x)));
  std::iota(list.begin(), list.end(), 0);
  list = c.integers("axes").value_or(list);
  normal_axes(list, c.b.rank(x), "axes");
  std::vector<Axis> axes;
  for (int64_t a : list) {
    Axis& axis = axes.emplace_back();
    axis.axis = normal_axis(a, c.b.rank(x), "axes");
    axis.in = axis.out = c.b.dim(x, axis.axis);
  }
  return axes;
}

void resize(NodeContext& c) {
  const bool first_form = c.opset < 11;  // X and scales only
  std::vector<Axis> axes = all_axes(c);
  Mode mode;
  mode.interpolation = c.text("mode", "nearest");
  mode.coordinates = c.text("coordinate_transformation_mode", first_form ? "asymmetric" : "half_pixel");
  mode.nearest = c.text("nearest_mode", first_form ? "floor" : "round_prefer_floor");
  mode.antialias = c.flag("antialias");
  mode.exclude_outside = c.flag("exclude_outside");
  mode.cubic = c.real("cubic_coeff_a", -0.75f);
  mode.extrapolation = c.real("extrapolation_value", 0);
  if (first_form) {
    set_scales(c, 1, axes);
  } else if (has_numbers(c, 2)) {
    set_scales(c, 2, axes);
  } else if (has_numbers(c, 3)) {
    set_sizes(c, axes);
  } else {
    fail(OPMUX_E_INVALID, "neither scales nor sizes are there");
  }
  if (mode.coordinates == "tf_crop_and_resize") {
    const auto roi = numbers(c, 1, "the regions");
    if (roi.size() != 2 * axes.size())
      fail(OPMUX_E_INVALID, "there are {} bounds for {} axes", roi.size(), axes.size());
    for (size_t k = 0; k < axes.size(); ++k)
      axes[k].roi_start = roi[k], axes[k].roi_end = roi[axes.size() + k];
  }
  apply_axes(c, mode, axes);
}

// The operator before Resize; its scales are an attribute up to operator set 8.
void upsample(NodeContext& c) {
  std::vector<Axis> axes = all_axes(c);
  Mode mode;
  mode.interpolation = c.text("mode", "nearest");
  mode.coordinates = "asymmetric";
  mode.nearest = "floor";
  if (const auto scales = c.reals("scales")) {
    if (scales->size() != axes.size())
      fail(OPMUX_E_INVALID, "there are {} scales for {} axes", scales->size(), axes.size());
    for (size_t k = 0; k < axes.size(); ++k) {
      axes[k].scale = (*scales)[k];
      axes[k].out = scaled(axes[k].in, axes[k].scale);
    }
  } else {
    set_scales(c, 1, axes);
  }
  apply_axes(c, mode, axes);
}

constexpr Rule kRules[] = {{"Resize", resize}, {"Upsample", upsample}};

}  // namespace

std::span<const Rule> resize_rules() { return kRules; }

}  // namespace opmux::onnx_import
