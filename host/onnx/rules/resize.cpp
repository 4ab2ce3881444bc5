// SPDX-License-Identifier: Apache-2.0
// Resize and Upsample: extents, scales and regions of the axes that change.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

constexpr int64_t kMostExtent = int64_t{1} << 24;

struct Axis {
  int64_t axis = 0, in = 0, out = 0;
  double scale = 1;
  double roi_start = 0, roi_end = 1;
};

uint32_t choice(const std::string& text, const char* attr,
                std::initializer_list<std::pair<std::string_view, uint32_t>> choices) {
  for (const auto& [name, value] : choices)
    if (text == name) return value;
  fail(OPMUX_E_INVALID, "attribute '{}' is '{}', which is unknown", attr, text);
}

// first_form: X and scales only, without the attributes that came with operator set 11.
opmux_op_resize attributes(const NodeContext& c, bool first_form) {
  opmux_op_resize d{};
  d.mode = choice(c.text("mode", "nearest"), "mode",
                  {{"nearest", OPMUX_INTERPOLATE_NEAREST},
                   {"linear", OPMUX_INTERPOLATE_LINEAR},
                   {"bilinear", OPMUX_INTERPOLATE_LINEAR},
                   {"cubic", OPMUX_INTERPOLATE_CUBIC}});
  const char* const coordinates = "coordinate_transformation_mode";
  d.coordinates = choice(first_form ? "asymmetric" : c.text(coordinates, "half_pixel"), coordinates,
                         {{"half_pixel", OPMUX_RESIZE_HALF_PIXEL},
                          {"half_pixel_symmetric", OPMUX_RESIZE_HALF_PIXEL_SYMMETRIC},
                          {"pytorch_half_pixel", OPMUX_RESIZE_PYTORCH_HALF_PIXEL},
                          {"align_corners", OPMUX_RESIZE_ALIGN_CORNERS},
                          {"asymmetric", OPMUX_RESIZE_ASYMMETRIC},
                          {"tf_crop_and_resize", OPMUX_RESIZE_TF_CROP_AND_RESIZE}});
  d.rounding = choice(first_form ? "floor" : c.text("nearest_mode", "round_prefer_floor"), "nearest_mode",
                      {{"round_prefer_floor", OPMUX_ROUND_PREFER_FLOOR},
                       {"round_prefer_ceil", OPMUX_ROUND_PREFER_CEIL},
                       {"floor", OPMUX_ROUND_FLOOR},
                       {"ceil", OPMUX_ROUND_CEIL}});
  d.antialias = c.flag("antialias");
  d.exclude_outside = c.flag("exclude_outside");
  d.cubic = c.real("cubic_coeff_a", -0.75f);
  d.extrapolation = c.real("extrapolation_value", 0);
  return d;
}

std::vector<double> numbers(NodeContext& c, size_t i, const char* what) {
  return c.b.contents(c.in(i), what).to_double();
}

bool has_numbers(NodeContext& c, size_t i) { return c.has(i) && element_count(c.b.desc(c.in(i))) > 0; }

void check_axis(const Axis& a) {
  if (a.out < 0 || a.out > kMostExtent) {
    fail(OPMUX_E_INVALID, "the result would have {} elements on axis {}, the limit is {}", a.out, a.axis,
         kMostExtent);
  }
  if (a.in == 0 && a.out > 0) fail(OPMUX_E_INVALID, "axis {} has no elements to make {} of", a.axis, a.out);
  if (!(a.scale > 0) && a.out > 0)
    fail(OPMUX_E_INVALID, "the scale of axis {} is {}, it must be positive", a.axis, a.scale);
}

void emit(NodeContext& c, opmux_op_resize d, std::vector<Axis> axes) {
  for (const Axis& a : axes) check_axis(a);
  std::erase_if(axes, [](const Axis& a) {
    return a.in == a.out && a.scale == 1 && a.roi_start == 0 && a.roi_end == 1;
  });
  std::sort(axes.begin(), axes.end(), [](const Axis& a, const Axis& b) { return a.axis < b.axis; });
  const ValueId x = c.in(0);
  if (axes.empty()) return c.out(0, x);
  const uint32_t dtype = c.b.dtype(x);
  const bool as_is =
      d.mode == OPMUX_INTERPOLATE_NEAREST || (is_float(dtype) && OPMUX_DTYPE_BITS(dtype) >= 16);
  const uint32_t work = as_is ? dtype : OPMUX_F32;
  Dims dims = c.b.dims(x);
  std::vector<int64_t> numbers;
  std::vector<double> scales, starts, ends;
  for (const Axis& a : axes) {
    dims[static_cast<size_t>(a.axis)] = a.out;
    numbers.push_back(a.axis);
    scales.push_back(a.scale);
    starts.push_back(a.roi_start);
    ends.push_back(a.roi_end);
  }
  auto operand = [&](const std::vector<double>& values) {
    const Dims shape = {static_cast<int64_t>(values.size())};
    return c.b.constant(HostTensor::of<double>(OPMUX_F64, shape, values));
  };
  Node node;
  node.op = OPMUX_OP_RESIZE;
  node.in = {c.b.cast(x, work), operand(scales)};
  if (d.coordinates == OPMUX_RESIZE_TF_CROP_AND_RESIZE) {
    starts.insert(starts.end(), ends.begin(), ends.end());
    node.in.push_back(operand(starts));
  }
  d.axes = node.add_list(numbers);
  node.set(d);
  const opmux_tdesc y = make_desc(work, dims);
  c.out(0, c.b.cast(c.b.emit_as(std::move(node), std::span(&y, 1))[0], dtype));
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
  const bool first_form = c.opset < 11;
  std::vector<Axis> axes = all_axes(c);
  const opmux_op_resize d = attributes(c, first_form);
  if (first_form) {
    set_scales(c, 1, axes);
  } else if (has_numbers(c, 2)) {
    set_scales(c, 2, axes);
  } else if (has_numbers(c, 3)) {
    set_sizes(c, axes);
  } else {
    fail(OPMUX_E_INVALID, "neither scales nor sizes are there");
  }
  if (d.coordinates == OPMUX_RESIZE_TF_CROP_AND_RESIZE) {
    const auto roi = numbers(c, 1, "the regions");
    if (roi.size() != 2 * axes.size())
      fail(OPMUX_E_INVALID, "there are {} bounds for {} axes", roi.size(), axes.size());
    for (size_t k = 0; k < axes.size(); ++k)
      axes[k].roi_start = roi[k], axes[k].roi_end = roi[axes.size() + k];
  }
  emit(c, d, std::move(axes));
}

// The operator before Resize; its scales are an attribute up to operator set 8.
void upsample(NodeContext& c) {
  std::vector<Axis> axes = all_axes(c);
  if (const auto scales = c.reals("scales")) {
    if (scales->size() != axes.size())
      fail(OPMUX_E_INVALID, "there are {} scales for {} axes", scales->size(), axes.size());
    for (size_t k = 0; k < axes.size(); ++k) {
      axes[k].scale = static_cast<double>((*scales)[k]);
      axes[k].out = scaled(axes[k].in, axes[k].scale);
    }
  } else {
    set_scales(c, 1, axes);
  }
  emit(c, attributes(c, true), std::move(axes));
}

constexpr Rule kRules[] = {{"Resize", resize}, {"Upsample", upsample}};

}  // namespace

std::span<const Rule> resize_rules() { return kRules; }

}  // namespace opmux::onnx_import
