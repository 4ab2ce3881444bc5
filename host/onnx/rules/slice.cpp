// SPDX-License-Identifier: Apache-2.0
// Parts of tensors and their joining: slices and splits are views, concat and pad copy.
#include <algorithm>
#include <numeric>

#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

// One axis of Slice with numpy's meaning of bounds beyond the extent.
ValueId slice_axis(NodeContext& c, ValueId x, int64_t axis, int64_t start, int64_t end, int64_t step) {
  if (step == 0) fail(OPMUX_E_INVALID, "the step of axis {} is 0", axis);
  const int64_t n = c.b.dim(x, axis);
  const auto bound = [&](int64_t v) {
    if (v < 0) v = v < -n ? -1 : v + n;  // below the first element counts as just before it
    return step > 0 ? std::clamp<int64_t>(v, 0, n) : std::clamp<int64_t>(v, -1, n - 1);
  };
  const int64_t from = bound(start), to = bound(end);
  // Written so that steps as far as the int64 limits do not overflow.
  int64_t count = 0;
  if (step > 0 && to > from) count = (to - from - 1) / step + 1;
  if (step < 0 && from > to) count = (from - to - 1) / (step == INT64_MIN ? INT64_MAX : -step) + 1;
  return c.b.slice(x, axis, from, count, count > 1 ? step : 1);
}

void slice(NodeContext& c) {
  ValueId x = c.in(0);
  const auto starts = c.ints(1, "starts"), ends = c.ints(2, "ends");
  if (!starts || !ends) fail(OPMUX_E_INVALID, "starts or ends are missing");
  std::vector<int64_t> all(starts->size());
  std::iota(all.begin(), all.end(), 0);
  const auto axes = c.ints(3, "axes").value_or(all);
  const auto steps = c.ints(4, "steps").value_or(std::vector<int64_t>(starts->size(), 1));
  if (ends->size() != starts->size() || axes.size() != starts->size() || steps.size() != starts->size()) {
    fail(OPMUX_E_INVALID, "there are {} starts, {} ends, {} axes and {} steps", starts->size(), ends->size(),
         axes.size(), steps.size());
  }
  normal_axes(axes, c.b.rank(x), "axes");
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t axis = normal_axis(axes[i], c.b.rank(x), "axes");
    x = slice_axis(c, x, axis, (*starts)[i], (*ends)[i], steps[i]);
  }
  c.out(0, x);
}

// Extents of the parts; without a list they are equal, the last takes less from operator set 18 on.
std::vector<int64_t> split_sizes(const NodeContext& c, int64_t extent) {
  if (auto stated = c.ints(1, "split")) {
    int64_t sum = 0;
    for (int64_t n : *stated) {
      if (n < 0 || n > extent - sum) {
        fail(OPMUX_E_INVALID, "a part of {} elements at {} leaves the extent {}", n, sum, extent);
      }
      sum += n;
    }
    if (sum != extent) fail(OPMUX_E_INVALID, "the parts have {} elements, the axis has {}", sum, extent);
    return *stated;
  }
  const auto parts = static_cast<int64_t>(c.n_out());
  if (const int64_t said = c.integer("num_outputs", parts); said != parts) {
    fail(OPMUX_E_INVALID, "attribute 'num_outputs' is {}, the node has {} outputs", said, parts);
  }
  if (c.opset < 18 && extent % parts != 0) {
    fail(OPMUX_E_INVALID, "{} elements do not divide into {} equal parts", extent, parts);
  }
  const int64_t each = (extent + parts - 1) / parts;
  std::vector<int64_t> sizes(static_cast<size_t>(parts), each);
  sizes.back() = extent - each * (parts - 1);
  if (sizes.back() < 0) fail(OPMUX_E_INVALID, "{} elements are too few for {} parts", extent, parts);
  return sizes;
}

void split(NodeContext& c) {
  const ValueId x = c.in(0);
  const int64_t axis = normal_axis(c.integer("axis", 0), c.b.rank(x), "axis");
  const auto sizes = split_sizes(c, c.b.dim(x, axis));
  if (sizes.size() != c.n_out()) {
    fail(OPMUX_E_INVALID, "{} parts are stated, the node has {} outputs", sizes.size(), c.n_out());
  }
  int64_t at = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (c.wants(i)) c.out(i, c.b.slice(x, axis, at, sizes[i], 1));
    at += sizes[i];
  }
}

void concat(NodeContext& c) {
  std::vector<ValueId> parts;
  for (size_t i = 0; i < c.n_in(); ++i) parts.push_back(c.in(i));
  c.out(0, parts.size() == 1 ? parts[0]
                             : c.b.concat(parts, c.opset < 4 ? c.integer("axis", 1) : c.integer("axis")));
}

uint32_t pad_mode(const std::string& mode) {
  if (mode == "constant") return OPMUX_PAD_CONSTANT;
  if (mode == "reflect") return OPMUX_PAD_REFLECT;
  if (mode == "edge") return OPMUX_PAD_EDGE;
  if (mode == "wrap") return OPMUX_PAD_WRAP;
  fail(OPMUX_E_INVALID, "attribute 'mode' is '{}', it must be constant, reflect, edge or wrap", mode);
}

void pad(NodeContext& c) {
  const ValueId x = c.in(0);
  const auto rank = static_cast<size_t>(c.b.rank(x));
  auto stated = c.ints(1, "pads");
  if (!stated) fail(OPMUX_E_INVALID, "pads are missing");
  std::vector<int64_t> axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  if (c.has(3)) {
    axes = c.b.ints(c.in(3), "the axes");
    normal_axes(axes, c.b.rank(x), "axes");
  }
  if (stated->size() != 2 * axes.size()) {
    fail(OPMUX_E_INVALID, "there are {} pads, {} axes need {}", stated->size(), axes.size(), 2 * axes.size());
  }
  std::vector<int64_t> pads(2 * rank);
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<size_t>(normal_axis(axes[i], c.b.rank(x), "axes"));
    pads[axis] = (*stated)[i];
    pads[rank + axis] = (*stated)[axes.size() + i];
  }
  const uint32_t mode = pad_mode(c.text("mode", "constant"));
  ValueId value = kNone;
  if (mode == OPMUX_PAD_CONSTANT) {
    if (c.has(2))
      value = c.b.reshape(c.in(2), {});
    else if (c.has_attr("value"))
      value = c.b.scalar(c.b.dtype(x), c.real("value", 0));
  }
  c.out(0, padded(c.b, x, pads, value, mode));
}

// Each repeated axis becomes two, the outer of stride 0; one copy makes the result dense.
ValueId tile_axes(GraphBuilder& b, ValueId x, std::span<const int64_t> repeats) {
  const Dims dims = b.dims(x);
  Dims split, wide, flat;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (repeats[i] != 1) {
      split.push_back(1);
      wide.push_back(repeats[i]);
    }
    split.push_back(dims[i]);
    wide.push_back(dims[i]);
    int64_t extent = 0;
    if (__builtin_mul_overflow(dims[i], repeats[i], &extent)) {
      fail(OPMUX_E_INVALID, "{} repeats of {} elements are beyond 2^63", repeats[i], dims[i]);
    }
    flat.push_back(extent);
  }
  return b.reshape(b.expand(b.reshape(x, split), wide), flat);
}

void tile(NodeContext& c) {
  ValueId x = c.in(0);
  const auto rank = static_cast<size_t>(c.b.rank(x));
  std::vector<int64_t> repeats(rank, 1);
  if (c.opset < 6) {  // one axis: how often, and which
    const auto axis = static_cast<int64_t>(scalar_of(c, 2, "the axis"));
    repeats[static_cast<size_t>(normal_axis(axis, c.b.rank(x), "axis"))] =
        static_cast<int64_t>(scalar_of(c, 1, "the number of tiles"));
  } else {
    repeats = c.b.ints(c.in(1), "the repeats");
  }
  if (repeats.size() != rank)
    fail(OPMUX_E_INVALID, "there are {} repeats, input 0 has rank {}", repeats.size(), rank);
  for (int64_t n : repeats) {
    if (n < 0) fail(OPMUX_E_INVALID, "a repeat is {}, it must not be negative", n);
  }
  // Rank 8 is the limit, so many repeated axes are done in several steps.
  std::vector<int64_t> step(rank, 1);
  size_t in_step = 0;
  for (size_t i = 0; i < rank; ++i) {
    if (repeats[i] == 1) continue;
    step[i] = repeats[i];
    if (rank + ++in_step == OPMUX_MAX_RANK) {
      x = tile_axes(c.b, x, step);
      step.assign(rank, 1);
      in_step = 0;
    }
  }
  if (rank == OPMUX_MAX_RANK && in_step > 0) {
    fail(OPMUX_E_UNSUPPORTED, "rank {} leaves no room to repeat", OPMUX_MAX_RANK);
  }
  c.out(0, in_step > 0 ? tile_axes(c.b, x, step) : x);
}

void center_crop_pad(NodeContext& c) {
  ValueId x = c.in(0);
  const auto want = c.b.ints(c.in(1), "the shape");
  std::vector<int64_t> axes(static_cast<size_t>(c.b.rank(x)));
  std::iota(axes.begin(), axes.end(), 0);
  axes = c.integers("axes").value_or(axes);
  if (want.size() != axes.size()) {
    fail(OPMUX_E_INVALID, "the shape has {} dims, there are {} axes", want.size(), axes.size());
  }
  const auto rank = static_cast<size_t>(c.b.rank(x));
  std::vector<int64_t> pads(2 * rank);
  normal_axes(axes, c.b.rank(x), "axes");
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t axis = normal_axis(axes[i], c.b.rank(x), "axes");
    if (want[i] < 0) fail(OPMUX_E_INVALID, "dim {} of the shape is {}, it must not be negative", i, want[i]);
    const int64_t missing = want[i] - c.b.dim(x, axis);
    if (missing <= 0) {
      x = c.b.slice(x, axis, -missing / 2, want[i], 1);
    } else {
      pads[static_cast<size_t>(axis)] = missing / 2;
      pads[rank + static_cast<size_t>(axis)] = missing - missing / 2;
    }
  }
  c.out(0, padded(c.b, x, pads));
}

constexpr Rule kRules[] = {
    {"CenterCropPad", center_crop_pad},
    {"Concat", concat},
    {"Pad", pad},
    {"Slice", slice},
    {"Split", split},
    {"Tile", tile},
};

}  // namespace

std::span<const Rule> slice_rules() { return kRules; }

}  // namespace opmux::onnx_import
