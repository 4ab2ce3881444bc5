// SPDX-License-Identifier: Apache-2.0
// Quantised operators by their formulas: integers inside, f32 around.
#include <numeric>

#include "host/onnx/rules/window.hpp"

namespace opmux::onnx_import {
namespace {

// A scale or zero point as it meets x: a scalar, one per slice of `axis`, or one per block of it.
ValueId spread(NodeContext& c, ValueId p, ValueId x, int64_t axis, int64_t block) {
  if (element_count(c.b.desc(p)) == 1 && c.b.rank(p) <= 1) return c.b.reshape(p, {});
  const Dims dims = c.b.dims(x);
  axis = normal_axis(axis, c.b.rank(x), "axis");
  const auto at = static_cast<size_t>(axis);
  if (block == 0) {
    if (c.b.rank(p) != 1 || c.b.dim(p, 0) != dims[at]) {
      fail(OPMUX_E_INVALID, "a scale or zero point is {}, dim {} of input 0 is {}", to_string(c.b.desc(p)),
           axis, dims[at]);
    }
    Dims column(dims.size() - at, 1);
    column[0] = dims[at];
    return c.b.reshape(p, column);
  }
  const int64_t blocks = c.b.rank(p) == c.b.rank(x) ? c.b.dim(p, axis) : -1;
  if (block < 1 || block > dims[at] || blocks != (dims[at] + block - 1) / block) {
    fail(OPMUX_E_INVALID, "a scale or zero point is {}, {} elements on axis {} in blocks of {} need {} there",
         to_string(c.b.desc(p)), dims[at], axis, block, block < 1 ? 0 : (dims[at] + block - 1) / block);
  }
  const int64_t inner[] = {axis + 1};
  p = c.b.unsqueeze(p, inner);
  Dims wide = c.b.dims(p);
  wide[at + 1] = block;
  Dims flat = wide;
  flat.erase(flat.begin() + axis);
  flat[at] = blocks * block;
  return c.b.slice(c.b.reshape(c.b.expand(p, wide), flat), axis, 0, dims[at], 1);
}

ValueId as_f32(NodeContext& c, ValueId v) { return convert(c.b, v, OPMUX_F32); }

// saturate(round(x / scale) + zero point), x in f32 or f64.
ValueId quantised(NodeContext& c, ValueId x, ValueId scale, ValueId zero, uint32_t dtype,
                  bool saturate = true) {
  const Math m(c.b);
  ValueId y = m.div(x, scale);
  if (is_integer(dtype)) y = m(OPMUX_FN_ROUND, {y});
  if (zero != kNone && (is_integer(dtype) || dtype == OPMUX_E2M1))
    y = m.add(y, convert(c.b, zero, c.b.dtype(y)));
  return c.b.cast(y, dtype, saturate);
}

void quantize_linear(NodeContext& c) {
  const ValueId x = as_f32(c, c.in(0));
  const int64_t axis = c.integer("axis", 1), block = c.integer("block_size", 0);
  const ValueId zero = c.in_or_none(2);
  uint32_t dtype = zero != kNone ? c.b.dtype(zero) : OPMUX_U8;
  if (const int64_t stated = c.integer("output_dtype", 0); stated != 0 && zero == kNone)
    dtype = dtype_of_attr(stated);
  const ValueId scale = spread(c, as_f32(c, c.in(1)), x, axis, block);
  const ValueId offset = zero == kNone ? kNone : spread(c, widen_narrow(c.b, zero), x, axis, block);
  c.out(0, quantised(c, x, scale, offset, dtype, c.flag("saturate", true)));
}

void dequantize_linear(NodeContext& c) {
  const Math m(c.b);
  const int64_t axis = c.integer("axis", 1), block = c.integer("block_size", 0);
  ValueId x = as_f32(c, c.in(0));
  const bool is_int = is_integer(c.b.dtype(c.in(0)));
  if (c.has(2) && is_int) x = m.sub(x, spread(c, as_f32(c, c.in(2)), x, axis, block));
  const ValueId scale = c.in(1);
  uint32_t dtype = c.b.dtype(scale);
  if (const int64_t stated = c.integer("output_dtype", 0); stated != 0) dtype = dtype_of_attr(stated);
  c.out(0, c.b.cast(m.mul(x, spread(c, as_f32(c, scale), x, axis, block)), dtype));
}

void dynamic_quantize_linear(NodeContext& c) {
  const Math m(c.b);
  const ValueId x = c.in(0);
  std::vector<int64_t> axes(static_cast<size_t>(c.b.rank(x)));
  std::iota(axes.begin(), axes.end(), 0);
  const ValueId zero = m.number(x, 0);
  const ValueId high = m(OPMUX_FN_MAX, {c.b.reduce(OPMUX_REDUCE_MAX, x, axes, false), zero});
  const ValueId low = m(OPMUX_FN_MIN, {c.b.reduce(OPMUX_REDUCE_MIN, x, axes, false), zero});
  const ValueId span = m.sub(high, low);
  const ValueId scale = m.div(m.select(m(OPMUX_FN_EQ, {span, zero}), m.number(x, 1), span), 255.0);
  const ValueId raw = m.div(m.sub(zero, low), scale);
  const ValueId offset =
      c.b.cast(m(OPMUX_FN_ROUND, {m(OPMUX_FN_CLAMP, {raw, zero, m.number(x, 255)})}), OPMUX_U8);
  c.out(0, quantised(c, x, scale, offset, OPMUX_U8));
  c.out(1, scale);
  c.out(2, offset);
}

bool is_zero(NodeContext& c, ValueId v) {
  const auto t = v == kNone ? std::nullopt : c.b.known(v);
  if (!t) return v == kNone;
  const auto values = t->to_int64();
  return std::all_of(values.begin(), values.end(), [](int64_t z) { return z == 0; });
}

// sum (a - za)(b - zb) = sum a b - zb sum a - za sum b + K za zb, exact in i32. za: scalar, [M] or [.., M,
// 1]; zb: scalar, [N] or [.., 1, N].
ValueId integer_matmul(NodeContext& c, ValueId a, ValueId za, ValueId b, ValueId zb) {
  const Math m(c.b);
  ValueId y = c.b.matmul(a, b);
  const auto wide = [&](ValueId v) { return c.b.cast(v, OPMUX_I32); };
  if (za != kNone && c.b.rank(za) == 1 && c.b.dim(za, 0) > 1) {
    const Dims column = {c.b.dim(za, 0), 1};
    za = c.b.reshape(za, column);
  }
  if (c.b.rank(a) < 2 || c.b.rank(b) < 2)
    fail(OPMUX_E_UNSUPPORTED, "vectors with zero points are not supported");
  const int64_t last[] = {-1}, before[] = {-2};
  const bool skip_a = is_zero(c, za), skip_b = is_zero(c, zb);
  if (!skip_b) y = m.sub(y, m.mul(c.b.reduce(OPMUX_REDUCE_SUM, wide(a), last, true), wide(zb)));
  if (!skip_a) y = m.sub(y, m.mul(c.b.reduce(OPMUX_REDUCE_SUM, wide(b), before, true), wide(za)));
  if (!skip_a && !skip_b) {
    const auto k = static_cast<double>(c.b.dim(a, c.b.rank(a) - 1));
    y = m.add(y, m.mul(m.mul(wide(za), wide(zb)), k));
  }
  return y;
}

void matmul_integer(NodeContext& c) {
  c.out(0, integer_matmul(c, c.in(0), c.in_or_none(2), c.in(1), c.in_or_none(3)));
}

void qlinear_matmul(NodeContext& c) {
  const Math m(c.b);
  const auto column = [&](ValueId v) {  // per row of a and y
    if (c.b.rank(v) != 1 || c.b.dim(v, 0) == 1) return v;
    const Dims dims = {c.b.dim(v, 0), 1};
    return c.b.reshape(v, dims);
  };
  const ValueId sum = as_f32(c, integer_matmul(c, c.in(0), c.in(2), c.in(3), c.in(5)));
  const ValueId y = m.mul(sum, m.mul(column(as_f32(c, c.in(1))), as_f32(c, c.in(4))));
  c.out(0, quantised(c, y, column(as_f32(c, c.in(6))), column(c.in(7)), c.b.dtype(c.in(7))));
}

// Integers below 2^24 are exact in f32, so the sums are as long as a window has fewer than 258 taps of 8
// bits, and as good as f32 beyond.
ValueId integer_conv(NodeContext& c, size_t xi, size_t x_zero, size_t wi, size_t w_zero) {
  const Math m(c.b);
  ValueId x = as_f32(c, c.in(xi)), w = as_f32(c, c.in(wi));
  if (c.has(x_zero)) x = m.sub(x, as_f32(c, c.b.reshape(c.in(x_zero), {})));
  if (c.has(w_zero)) w = m.sub(w, spread(c, as_f32(c, c.in(w_zero)), w, 0, 0));
  return convolve(c, x, w);
}

void conv_integer(NodeContext& c) { c.out(0, c.b.cast(integer_conv(c, 0, 2, 1, 3), OPMUX_I32)); }

void qlinear_conv(NodeContext& c) {
  const Math m(c.b);
  ValueId y = integer_conv(c, 0, 2, 3, 5);
  const Dims channel = channel_dims(c.b.dim(y, 1), c.b.rank(y));
  const auto per_channel = [&](ValueId v) {
    return element_count(c.b.desc(v)) == 1 ? c.b.reshape(v, {}) : c.b.reshape(v, channel);
  };
  if (c.has(8)) y = m.add(y, c.b.reshape(as_f32(c, c.in(8)), channel));
  y = m.mul(y, m.mul(as_f32(c, c.b.reshape(c.in(1), {})), per_channel(as_f32(c, c.in(4)))));
  c.out(0,
        quantised(c, y, as_f32(c, c.b.reshape(c.in(6), {})), c.b.reshape(c.in(7), {}), c.b.dtype(c.in(7))));
}

constexpr Rule kRules[] = {
    {"ConvInteger", conv_integer},
    {"DequantizeLinear", dequantize_linear},
    {"DynamicQuantizeLinear", dynamic_quantize_linear},
    {"MatMulInteger", matmul_integer},
    {"QLinearConv", qlinear_conv},
    {"QLinearMatMul", qlinear_matmul},
    {"QuantizeLinear", quantize_linear},
};

}  // namespace

std::span<const Rule> quantise_rules() { return kRules; }

}  // namespace opmux::onnx_import
