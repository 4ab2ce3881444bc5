// SPDX-License-Identifier: Apache-2.0
// Fourier transforms and what goes with them.
#include <algorithm>
#include <cmath>

#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

int64_t whole_of(NodeContext& c, size_t i, const char* what) {
  const auto values = c.b.ints(c.in(i), what);
  if (values.size() != 1) fail(OPMUX_E_INVALID, "{} has {} elements, it must have 1", what, values.size());
  return values[0];
}

ValueId transform(NodeContext& c, ValueId x, int64_t axis, int64_t length, bool inverse, bool onesided) {
  if (length < 1 || length > UINT32_MAX) {
    fail(OPMUX_E_INVALID, "the length of the transform is {}, it must be from 1 to 2^32 - 1", length);
  }
  opmux_op_dft d{};
  d.axis = static_cast<uint32_t>(axis);
  d.length = static_cast<uint32_t>(length);
  d.inverse = inverse;
  d.onesided = onesided;
  Node node;
  node.op = OPMUX_OP_DFT;
  node.in = {x};
  node.set(d);
  return c.b.emit(std::move(node));
}

void dft(NodeContext& c) {
  const ValueId x = c.in(0);
  const int64_t rank = c.b.rank(x);
  if (rank < 2) fail(OPMUX_E_INVALID, "input 0 has rank {}, it must be 2 or more", rank);
  const int64_t stated = c.opset < 20 ? c.integer("axis", 1) : c.has(2) ? whole_of(c, 2, "the axis") : -2;
  const int64_t axis = normal_axis(stated, rank, "axis");
  const bool inverse = c.flag("inverse"), onesided = c.flag("onesided");
  const int64_t given = c.b.dim(x, axis);
  const int64_t length = c.has(1)              ? whole_of(c, 1, "the length of the transform")
                         : inverse && onesided ? 2 * (given - 1)
                                               : given;
  c.out(0, transform(c, x, axis, length, inverse, onesided));
}

// Frames are gathered, weighted by the window and transformed.
void stft(NodeContext& c) {
  ValueId signal = c.in(0);
  if (c.b.rank(signal) == 2) {
    const int64_t last[] = {2};
    signal = c.b.unsqueeze(signal, last);
  }
  if (c.b.rank(signal) != 3) fail(OPMUX_E_INVALID, "input 0 has rank {}, it must be 3", c.b.rank(signal));
  const int64_t step = whole_of(c, 1, "the step of the frames"), samples = c.b.dim(signal, 1);
  const ValueId window = c.in_or_none(2);
  if (window != kNone && c.b.rank(window) != 1) {
    fail(OPMUX_E_INVALID, "the window has rank {}, it must be 1", c.b.rank(window));
  }
  const int64_t length = c.has(3)          ? whole_of(c, 3, "the length of the frames")
                         : window != kNone ? c.b.dim(window, 0)
                                           : samples;
  if (step < 1 || length < 1 || length > samples) {
    fail(OPMUX_E_INVALID, "frames of {} samples every {} samples do not fit a signal of {}", length, step,
         samples);
  }
  if (window != kNone && c.b.dim(window, 0) != length) {
    fail(OPMUX_E_INVALID, "the window has {} elements, a frame {}", c.b.dim(window, 0), length);
  }
  const int64_t count = (samples - length) / step + 1;
  std::vector<int64_t> places;
  places.reserve(static_cast<size_t>(checked_made({count, length})));
  for (int64_t f = 0; f < count; ++f) {
    for (int64_t i = 0; i < length; ++i) places.push_back(f * step + i);
  }
  const Dims index_dims = {count, length}, window_dims = {length, 1};
  opmux_op_gather d{};
  d.axis = 1;
  Node node;
  node.op = OPMUX_OP_GATHER;
  node.in = {signal, c.b.constant(HostTensor::of<int64_t>(OPMUX_I64, index_dims, places))};
  node.set(d);
  ValueId frames = c.b.emit(std::move(node));
  if (window != kNone) {
    frames = Math(c.b).mul(frames, c.b.cast(c.b.reshape(window, window_dims), c.b.dtype(frames)));
  }
  c.out(0, transform(c, frames, 2, length, false, c.flag("onesided", true)));
}

// Triangles over the frequencies of a onesided transform, equally far apart on the mel scale.
void mel_weight_matrix(NodeContext& c) {
  const auto bins = static_cast<int64_t>(scalar_of(c, 0, "the number of mel bins"));
  const auto length = static_cast<int64_t>(scalar_of(c, 1, "the length of the transform"));
  const double rate = scalar_of(c, 2, "the sample rate"), low = scalar_of(c, 3, "the lower edge"),
               high = scalar_of(c, 4, "the upper edge");
  if (bins < 1 || length < 1 || !(rate > 0) || !(low >= 0) || !(high > low)) {
    fail(OPMUX_E_INVALID, "{} bins from {} to {} hertz of {} points at {} hertz make no sense", bins, low,
         high, length, rate);
  }
  const auto mel = [](double hertz) { return 2595 * std::log10(1 + hertz / 700); };
  const double step = (mel(high) - mel(low)) / static_cast<double>(bins + 2);
  const int64_t rows = length / 2 + 1;
  checked_made({rows, bins});
  std::vector<double> weight(static_cast<size_t>(rows * bins));
  const auto point = [&](int64_t i) {
    const double hertz = 700 * (std::pow(10, (mel(low) + static_cast<double>(i) * step) / 2595) - 1);
    return static_cast<int64_t>(std::floor(static_cast<double>(length + 1) * hertz / rate));
  };
  const auto put = [&](int64_t row, int64_t bin, double v) {
    if (row < 0 || row >= rows) {
      fail(OPMUX_E_INVALID, "the upper edge of {} hertz is beyond half of the sample rate of {}", high, rate);
    }
    weight[static_cast<size_t>(row * bins + bin)] = v;
  };
  for (int64_t i = 0; i < bins; ++i) {
    const int64_t left = point(i), centre = point(i + 1), right = point(i + 2);
    if (left == centre) put(centre, i, 1);
    for (int64_t j = left; left < centre && j <= centre; ++j) {
      put(j, i, static_cast<double>(j - left) / static_cast<double>(centre - left));
    }
    for (int64_t j = centre; j < right; ++j) {
      put(j, i, static_cast<double>(right - j) / static_cast<double>(right - centre));
    }
  }
  const Dims dims = {rows, bins};
  const ValueId y = c.b.constant(HostTensor::of<double>(OPMUX_F64, dims, weight));
  c.out(0, c.b.cast(y, dtype_of_attr(c.integer("output_datatype", 1))));
}

constexpr Rule kRules[] = {{"DFT", dft}, {"MelWeightMatrix", mel_weight_matrix}, {"STFT", stft}};

}  // namespace

std::span<const Rule> signal_rules() { return kRules; }

}  // namespace opmux::onnx_import
