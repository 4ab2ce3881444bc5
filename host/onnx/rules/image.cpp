// SPDX-License-Identifier: Apache-2.0
// Sampling of images at given positions, regions and boxes, patches, deformed windows.
#include <algorithm>

#include "host/onnx/rules/window.hpp"

namespace opmux::onnx_import {
namespace {

uint32_t choice(const NodeContext& c, const char* attr, const char* otherwise,
                std::initializer_list<std::pair<std::string_view, uint32_t>> choices) {
  const std::string text = c.text(attr, otherwise);
  for (const auto& [name, value] : choices)
    if (text == name) return value;
  fail(OPMUX_E_INVALID, "attribute '{}' is '{}', which is unknown", attr, text);
}

// Every integer up to 2^53 is exact in f64.
ValueId as_float(NodeContext& c, ValueId v) { return is_float(c.b.dtype(v)) ? v : c.b.cast(v, OPMUX_F64); }

void grid_sample(NodeContext& c) {
  const ValueId x = c.in(0);
  Node node;
  node.op = OPMUX_OP_GRID_SAMPLE;
  node.in = {as_float(c, x), c.in(1)};
  opmux_op_grid_sample d{};
  d.mode = choice(c, "mode", "linear",
                  {{"nearest", OPMUX_INTERPOLATE_NEAREST},
                   {"linear", OPMUX_INTERPOLATE_LINEAR},
                   {"bilinear", OPMUX_INTERPOLATE_LINEAR},
                   {"cubic", OPMUX_INTERPOLATE_CUBIC},
                   {"bicubic", OPMUX_INTERPOLATE_CUBIC}});
  d.outside = choice(c, "padding_mode", "zeros",
                     {{"zeros", OPMUX_OUTSIDE_ZEROS},
                      {"border", OPMUX_OUTSIDE_BORDER},
                      {"reflection", OPMUX_OUTSIDE_REFLECTION}});
  d.align_corners = c.flag("align_corners");
  node.set(d);
  c.out(0, c.b.cast(c.b.emit(std::move(node)), c.b.dtype(x)));
}

// The coordinates of an axis of a grid over [-1, 1].
double grid_coordinate(int64_t i, int64_t n, bool align_corners) {
  const auto at = static_cast<double>(i), extent = static_cast<double>(n);
  if (!align_corners) return (2 * at + 1) / extent - 1;
  return n == 1 ? -1 : 2 * at / (extent - 1) - 1;
}

// The positions of an even grid, each with a 1 behind it, times the transposed matrices.
void affine_grid(NodeContext& c) {
  const ValueId theta = c.in(0);
  const std::vector<int64_t> size = c.b.ints(c.in(1), "the size");
  if (size.size() != 4 && size.size() != 5)
    fail(OPMUX_E_INVALID, "the size has {} entries, it must have 4 or 5", size.size());
  const auto dims = static_cast<int64_t>(size.size()) - 2;
  const Dims want = {size[0], dims, dims + 1};
  if (c.b.dims(theta) != want)
    fail(OPMUX_E_INVALID, "theta is {}, it must be {} matrices of {} x {}", to_string(c.b.desc(theta)),
         size[0], dims, dims + 1);
  const int64_t depth = dims == 3 ? size[2] : 1, height = size[size.size() - 2], width = size.back();
  for (int64_t n : {depth, height, width})
    if (n < 0) fail(OPMUX_E_INVALID, "the size has an entry {}, it must be 0 or more", n);
  const int64_t points = checked_made({depth, height, width, dims + 1}) / (dims + 1);
  const bool align = c.flag("align_corners");
  std::vector<double> even;
  for (int64_t p = 0; p < points; ++p) {
    even.push_back(grid_coordinate(p % width, width, align));
    even.push_back(grid_coordinate(p / width % height, height, align));
    if (dims == 3) even.push_back(grid_coordinate(p / width / height, depth, align));
    even.push_back(1);
  }
  const uint32_t dtype = c.b.dtype(theta), work = formula_dtype(dtype);
  const Dims even_dims = {points, dims + 1};
  const ValueId grid = c.b.cast(c.b.constant(HostTensor::of<double>(OPMUX_F64, even_dims, even)), work);
  const std::vector<int64_t> transposed = {0, 2, 1};
  const ValueId y = c.b.matmul(grid, c.b.permute(c.b.cast(theta, work), transposed));
  Dims out = {size[0]};
  out.insert(out.end(), size.begin() + 2, size.end());
  out.push_back(dims);
  c.out(0, c.b.cast(c.b.reshape(y, out), dtype));
}

int64_t pooled(int64_t extent, const char* what) {
  if (extent < 1 || extent > 65536)
    fail(OPMUX_E_INVALID, "attribute '{}' is {}, it must be from 1 to 65536", what, extent);
  return extent;
}

void roi_align(NodeContext& c) {
  Node node;
  node.op = OPMUX_OP_ROI_ALIGN;
  const ValueId image = c.in(2);
  node.in = {c.in(0), c.in(1), c.b.dtype(image) == OPMUX_I32 ? image : c.b.cast(image, OPMUX_I64)};
  opmux_op_roi_align d{};
  d.kind = choice(c, "mode", "avg", {{"avg", OPMUX_ROI_AVERAGE}, {"max", OPMUX_ROI_MAX}});
  // The attribute came with operator set 16; before that corners were not shifted.
  d.half_pixel =
      choice(c, "coordinate_transformation_mode", c.opset < 16 ? "output_half_pixel" : "half_pixel",
             {{"half_pixel", 1}, {"output_half_pixel", 0}});
  const int64_t samples = c.integer("sampling_ratio", 0);
  if (samples < 0 || samples > 1024)
    fail(OPMUX_E_INVALID, "attribute 'sampling_ratio' is {}, it must be from 0 to 1024", samples);
  d.samples = static_cast<uint32_t>(samples);
  d.height = static_cast<uint32_t>(pooled(c.integer("output_height", 1), "output_height"));
  d.width = static_cast<uint32_t>(pooled(c.integer("output_width", 1), "output_width"));
  d.spatial_scale = c.real("spatial_scale", 1);
  node.set(d);
  c.out(0, c.b.emit(std::move(node)));
}

// Regions are rows of the number of the image and two corners.
void max_roi_pool(NodeContext& c) {
  const ValueId roi = c.in(1);
  if (c.b.rank(roi) != 2 || c.b.dim(roi, 1) != 5)
    fail(OPMUX_E_INVALID, "the regions are {}, they must be rows of 5", to_string(c.b.desc(roi)));
  const auto shape = c.integers("pooled_shape");
  if (!shape || shape->size() != 2) fail(OPMUX_E_INVALID, "attribute 'pooled_shape' must have 2 entries");
  const Dims rows = {c.b.dim(roi, 0)};
  Node node;
  node.op = OPMUX_OP_ROI_ALIGN;
  node.in = {c.in(0), c.b.slice(roi, 1, 1, 4, 1),
             c.b.cast(c.b.reshape(c.b.slice(roi, 1, 0, 1, 1), rows), OPMUX_I64)};
  opmux_op_roi_align d{};
  d.kind = OPMUX_ROI_MAX_BINS;
  d.height = static_cast<uint32_t>(pooled((*shape)[0], "pooled_shape"));
  d.width = static_cast<uint32_t>(pooled((*shape)[1], "pooled_shape"));
  d.spatial_scale = c.real("spatial_scale", 1);
  node.set(d);
  c.out(0, c.b.emit(std::move(node)));
}

void col2im(NodeContext& c) {
  const ValueId x = c.in(0);
  const std::vector<int64_t> image = c.b.ints(c.in(1), "the image's shape"),
                             kernel = c.b.ints(c.in(2), "the block's shape");
  const size_t n = image.size();
  if (n < 1 || n > 3 || kernel.size() != n)
    fail(OPMUX_E_INVALID, "the image has {} extents and the block {}, both must have 1 to 3 alike", n,
         kernel.size());
  Node node;
  node.op = OPMUX_OP_COL2IM;
  node.in = {as_float(c, x)};
  opmux_op_col2im d{};
  d.image = node.add_list(image);
  d.kernel = node.add_list(kernel);
  d.stride = node.add_list(spatial_list(c, "strides", n, 1));
  d.dilation = node.add_list(spatial_list(c, "dilations", n, 1));
  d.pad = node.add_list(spatial_list(c, "pads", 2 * n, 0));
  node.set(d);
  c.out(0, c.b.cast(c.b.emit(std::move(node)), c.b.dtype(x)));
}
void non_max_suppression(NodeContext& c) {
  const ValueId boxes = c.in(0), scores = c.in(1);
  if (c.b.rank(boxes) != 3 || c.b.rank(scores) != 3)
    fail(OPMUX_E_INVALID, "boxes and scores are {} and {}, both must have rank 3", to_string(c.b.desc(boxes)),
         to_string(c.b.desc(scores)));
  const Dims one = {};
  auto number = [&](size_t i, uint32_t dtype) { return c.b.cast(c.b.reshape(c.in(i), one), dtype); };
  auto given = [&](size_t i) { return c.has(i) && element_count(c.b.desc(c.in(i))) > 0; };
  Node node;
  node.op = OPMUX_OP_NON_MAX_SUPPRESSION;
  node.in = {boxes, scores, given(2) ? number(2, OPMUX_I64) : c.b.scalar(OPMUX_I64, 0)};
  if (given(3) || given(4)) node.in.push_back(given(3) ? number(3, OPMUX_F32) : c.b.scalar(OPMUX_F32, 0));
  if (given(4)) node.in.push_back(number(4, OPMUX_F32));
  int64_t each = c.b.dim(scores, 2);
  if (const auto most = c.b.known(node.in[2]))
    each = std::clamp<int64_t>(c.b.ints(node.in[2], "the most boxes")[0], 0, each);
  opmux_op_non_max_suppression d{};
  d.center = c.flag("center_point_box");
  node.set(d);
  const Dims rows = {checked_made({c.b.dim(scores, 0), c.b.dim(scores, 1), each}), 3};
  const opmux_tdesc out[] = {make_desc(OPMUX_I64, rows), make_desc(OPMUX_I64, one)};
  const auto y = c.b.emit_as(std::move(node), out);
  c.out_counted(0, y[0], 0, y[1]);
}

// As conv, with the places of its taps.
void deform_conv(NodeContext& c) {
  const ValueId x = c.in(0), weight = c.in(1);
  if (c.b.rank(x) != 4 || c.b.rank(weight) != 4)
    fail(OPMUX_E_UNSUPPORTED, "input 0 has rank {} and the weight {}, only 4 is supported", c.b.rank(x),
         c.b.rank(weight));
  const Dims dims = c.b.dims(x), kernel = c.b.dims(weight);
  const Window w = window_of(c, std::span(dims).subspan(2), std::span(kernel).subspan(2));
  auto groups = [&](const char* attr) {
    const int64_t n = c.integer(attr, 1);
    if (n < 1 || n > INT32_MAX) fail(OPMUX_E_INVALID, "attribute '{}' is {}, it must be 1 or more", attr, n);
    return static_cast<uint32_t>(n);
  };
  Node node;
  node.op = OPMUX_OP_DEFORM_CONV;
  node.in = {x, weight, c.in(2)};
  if (c.has(4)) node.in.push_back(c.in(4));
  opmux_op_deform_conv d{};
  d.group = groups("group");
  d.offset_group = groups("offset_group");
  d.acc_dtype = formula_dtype(c.b.dtype(x));
  d.stride = node.add_list(w.stride);
  d.dilation = node.add_list(w.dilation);
  d.pad = node.add_list(w.pad);
  node.set(d);
  c.out(0, add_bias(c, c.b.emit(std::move(node)), 3));
}

// Zeros up to the dims that are asked for, behind the elements that are there.
ValueId grow(NodeContext& c, ValueId x, const Dims& dims) {
  const Dims old = c.b.dims(x);
  if (old == dims) return x;
  std::vector<int64_t> pad(2 * old.size(), 0);
  for (size_t i = 0; i < old.size(); ++i) {
    if (dims.size() != old.size() || dims[i] < old[i])
      fail(OPMUX_E_INVALID, "the output shape does not hold the {} that come from the window",
           to_string(c.b.desc(x)));
    pad[old.size() + i] = dims[i] - old[i];
  }
  return padded(c.b, x, pad);
}

// Zeros, into which the elements are written at the places that a max pool gave.
void max_unpool(NodeContext& c) {
  const ValueId x = c.in(0);
  Dims dims = c.b.dims(x);
  const auto kernel = c.integers("kernel_shape");
  if (!kernel || dims.size() < 3)
    fail(OPMUX_E_INVALID, "input 0 is {}, it must have rank 3 or more and 'kernel_shape' must be there",
         to_string(c.b.desc(x)));
  const size_t n = dims.size() - 2;
  const Window w = window_of(c, std::span(dims).subspan(2), *kernel);
  for (size_t i = 0; i < n; ++i) {
    dims[2 + i] = (dims[2 + i] - 1) * w.stride[i] - w.pad[i] - w.pad[n + i] + w.kernel[i];
    if (dims[2 + i] < 0)
      fail(OPMUX_E_INVALID, "the result would have {} elements on axis {}", dims[2 + i], 2 + i);
  }
  const Dims places = {product_of(dims)}, flat = {element_count(c.b.desc(x))};
  Node node;
  node.op = OPMUX_OP_SCATTER_ELEMENTS;
  node.in = {c.b.expand(c.b.scalar(c.b.dtype(x), 0), places), c.b.cast(c.b.reshape(c.in(1), flat), OPMUX_I64),
             c.b.reshape(x, flat)};
  opmux_op_scatter_elements d{};
  d.reduction = OPMUX_SCATTER_SET;
  node.set(d);
  const ValueId y = c.b.reshape(c.b.emit(std::move(node)), dims);
  c.out(0, c.has(2) ? grow(c, y, c.b.ints(c.in(2), "the output shape")) : y);
}

constexpr Rule kRules[] = {
    {"AffineGrid", affine_grid},
    {"Col2Im", col2im},
    {"DeformConv", deform_conv},
    {"GridSample", grid_sample},
    {"MaxRoiPool", max_roi_pool},
    {"MaxUnpool", max_unpool},
    {"NonMaxSuppression", non_max_suppression},
    {"RoiAlign", roi_align},
};

}  // namespace

std::span<const Rule> image_rules() { return kRules; }

}  // namespace opmux::onnx_import
