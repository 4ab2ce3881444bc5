// SPDX-License-Identifier: Apache-2.0
// Values that are known while the graph is built.
#include <cmath>
#include <cstring>
#include <numbers>

#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

// A filled tensor above this stays a single element seen many times.
constexpr uint64_t kMostFilledBytes = uint64_t{1} << 30;
constexpr int64_t kMostElements = int64_t{1} << 31;

ValueId filled(NodeContext& c, HostTensor value, const Dims& dims) {
  if (element_count(value.desc()) != 1) {
    fail(OPMUX_E_INVALID, "the value has {} elements, it must have 1", element_count(value.desc()));
  }
  const ValueId scalar = c.b.reshape(c.b.constant(value), {});
  const opmux_tdesc desc = make_desc(c.b.dtype(scalar), dims);
  const uint64_t width = OPMUX_DTYPE_BITS(desc.dtype) / 8;
  if (packed_bytes(desc) > kMostFilledBytes || width == 0) return c.b.expand(scalar, dims);
  // At once on the host: this is how some models hold all their weights.
  HostTensor whole(desc);
  const auto n = static_cast<size_t>(element_count(desc));
  for (size_t i = 0; i < n; ++i) std::memcpy(whole.mutable_data() + i * width, value.data(), width);
  return c.b.constant(std::move(whole));
}

template <class T>
HostTensor vector_of(uint32_t dtype, const std::vector<T>& values) {
  const auto n = static_cast<int64_t>(values.size());
  return HostTensor::of<T>(dtype, std::span(&n, 1), values);
}

void constant(NodeContext& c) {
  HostTensor t;
  if (c.has_attr("value")) {
    t = c.tensor("value");
  } else if (c.has_attr("value_float")) {
    const float v = c.real("value_float", 0);
    t = HostTensor::of<float>(OPMUX_F32, {}, std::span(&v, 1));
  } else if (c.has_attr("value_int")) {
    const int64_t v = c.integer("value_int");
    t = HostTensor::of<int64_t>(OPMUX_I64, {}, std::span(&v, 1));
  } else if (auto reals = c.reals("value_floats")) {
    t = vector_of(OPMUX_F32, *reals);
  } else if (auto ints = c.integers("value_ints")) {
    t = vector_of(OPMUX_I64, *ints);
  } else {
    fail(OPMUX_E_UNSUPPORTED, "only dense numbers are supported as its value");
  }
  c.out(0, c.b.constant(std::move(t)));
}

void constant_of_shape(NodeContext& c) {
  const Dims dims = c.b.ints(c.in(0), "the shape");
  HostTensor value(make_desc(OPMUX_F32, {}));
  if (c.has_attr("value")) value = c.tensor("value");
  c.out(0, filled(c, std::move(value), dims));
}

int64_t range_count(NodeContext& c) {
  if (is_integer(c.b.dtype(c.in(0)))) {  // exact beyond 2^53
    const int64_t start = c.b.ints(c.in(0), "the start").at(0), limit = c.b.ints(c.in(1), "the limit").at(0);
    const int64_t delta = c.b.ints(c.in(2), "the step").at(0);
    if (delta == 0) fail(OPMUX_E_INVALID, "the step is 0");
    const double estimate =
        std::ceil((static_cast<double>(limit) - static_cast<double>(start)) / static_cast<double>(delta));
    if (!(estimate > 0)) return 0;
    if (estimate > static_cast<double>(kMostElements)) return kMostElements + 1;
    return delta > 0 ? (limit - start - 1) / delta + 1 : (start - limit - 1) / -delta + 1;
  }
  const double delta = scalar_of(c, 2, "the step");
  if (delta == 0) fail(OPMUX_E_INVALID, "the step is 0");
  const double count = std::ceil((scalar_of(c, 1, "the limit") - scalar_of(c, 0, "the start")) / delta);
  if (std::isnan(count)) fail(OPMUX_E_INVALID, "start, limit or step is not a number");
  return static_cast<int64_t>(std::clamp(count, 0.0, static_cast<double>(kMostElements + 1)));
}

void range(NodeContext& c) {
  const int64_t n = range_count(c);
  if (n > kMostElements) fail(OPMUX_E_UNSUPPORTED, "the range has more than {} elements", kMostElements);
  Node node;
  node.op = OPMUX_OP_IOTA;
  node.in = {c.b.reshape(c.in(0), {}), c.b.reshape(c.in(2), {})};
  node.set(opmux_op_iota{});
  const opmux_tdesc y = make_desc(c.b.dtype(c.in(0)), {n});
  c.out(0, c.b.emit_as(std::move(node), std::span(&y, 1))[0]);
}

// Bool matrix of what `holds(row, column)` says.
template <class F>
ValueId mask_of(NodeContext& c, int64_t rows, int64_t columns, F holds) {
  checked_made({rows, columns}, kMostMasked);
  HostTensor mask(make_desc(OPMUX_BOOL, {rows, columns}));
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j)
      mask.mutable_data()[i * columns + j] = static_cast<std::byte>(holds(i, j));
  }
  return c.b.constant(std::move(mask));
}

// Any diagonal beyond 2^40 is as good as that one.
int64_t near(int64_t k) { return std::clamp(k, -(int64_t{1} << 40), int64_t{1} << 40); }

void trilu(NodeContext& c) {
  const ValueId x = c.in(0);
  const int64_t rank = c.b.rank(x);
  if (rank < 2) fail(OPMUX_E_INVALID, "input 0 has rank {}, it must be 2 or more", rank);
  const int64_t k = near(c.has(1) ? c.b.ints(c.in(1), "k").at(0) : 0);
  const bool upper = c.flag("upper", true);
  const ValueId mask = mask_of(c, c.b.dim(x, rank - 2), c.b.dim(x, rank - 1),
                               [&](int64_t i, int64_t j) { return upper ? j - i >= k : j - i <= k; });
  c.out(0, Math(c.b).select(mask, x, c.b.scalar(c.b.dtype(x), 0)));
}

void eye_like(NodeContext& c) {
  const ValueId x = c.in(0);
  if (c.b.rank(x) != 2) fail(OPMUX_E_INVALID, "input 0 has rank {}, it must be 2", c.b.rank(x));
  const int64_t k = near(c.integer("k", 0));
  const uint32_t dtype = c.has_attr("dtype") ? dtype_of_attr(c.integer("dtype")) : c.b.dtype(x);
  const ValueId mask =
      mask_of(c, c.b.dim(x, 0), c.b.dim(x, 1), [&](int64_t i, int64_t j) { return j - i == k; });
  c.out(0, c.b.cast(mask, dtype));
}

// Windows of signal processing: a sum of cosines over [0, n) or, periodic, [0, n].
template <int Terms>
void window(NodeContext& c, const double (&a)[Terms]) {
  const double size = scalar_of(c, 0, "the size");
  if (!(size >= 0) || size > static_cast<double>(kMostMade)) {
    fail(OPMUX_E_INVALID, "the size is {}, it must be from 0 to {}", size, kMostMade);
  }
  const auto n = static_cast<int64_t>(size);
  const double turn = c.flag("periodic", true) ? size : size - 1;
  HostTensor t(make_desc(OPMUX_F64, {n}));
  for (int64_t i = 0; i < n; ++i) {
    double v = 0;
    for (int k = 0; k < Terms; ++k) {
      const double phase = turn == 0 ? 0 : 2 * std::numbers::pi * k * static_cast<double>(i) / turn;
      v += a[k] * std::cos(phase);
    }
    std::memcpy(t.mutable_data() + 8 * i, &v, sizeof v);
  }
  c.out(0, c.b.cast(c.b.constant(std::move(t)), dtype_of_attr(c.integer("output_datatype", 1))));
}

void hann(NodeContext& c) { window(c, {0.5, -0.5}); }
void hamming(NodeContext& c) { window(c, {25.0 / 46.0, -21.0 / 46.0}); }
void blackman(NodeContext& c) { window(c, {0.42, -0.5, 0.08}); }

constexpr Rule kRules[] = {
    {"BlackmanWindow", blackman},
    {"Constant", constant},
    {"ConstantOfShape", constant_of_shape},
    {"EyeLike", eye_like},
    {"HammingWindow", hamming},
    {"HannWindow", hann},
    {"Range", range},
    {"Trilu", trilu},
};

}  // namespace

std::span<const Rule> constant_rules() { return kRules; }

}  // namespace opmux::onnx_import
