// SPDX-License-Identifier: Apache-2.0
// Quantised operators by their formulas: integers inside, f32 around.
#include <algorithm>
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
  const ValueId offset = zero == kNone ? kNone : spread(c, as_f32(c, zero), x, axis, block);
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

// One group: all of x.
void dynamic_quantize_linear(NodeContext& c) {
  const ValueId x = c.in(0);
  const Dims dims = c.b.dims(x), flat = {element_count(c.b.desc(x))}, one = {1};
  Node node;
  node.op = OPMUX_OP_DYNAMIC_QUANTISE;
  node.in = {c.b.reshape(x, flat)};
  opmux_op_dynamic_quantise d{};
  d.dtype = OPMUX_U8;
  node.set(d);
  const opmux_tdesc out[] = {make_desc(OPMUX_U8, flat), make_desc(OPMUX_F32, one), make_desc(OPMUX_U8, one)};
  const std::vector<ValueId> y = c.b.emit_as(std::move(node), out);
  c.out(0, c.b.reshape(y[0], dims));
  c.out(1, c.b.reshape(y[1], {}));
  c.out(2, c.b.reshape(y[2], {}));
}

// A zero point of a matrix: a scalar, or one for each row (of a) or column (of b).
ValueId matrix_zero(NodeContext& c, ValueId z, bool of_rows) {
  if (z == kNone) return kNone;
  if (element_count(c.b.desc(z)) == 1) return c.b.reshape(z, {});
  if (c.b.rank(z) != 1) return z;
  const Dims dims = of_rows ? Dims{c.b.dim(z, 0), 1} : Dims{1, c.b.dim(z, 0)};
  return c.b.reshape(z, dims);
}

// sum (a - za)(b - zb), exact in i32; vectors as in numpy.matmul.
// 8-bit floats have no zero points; their sum is in f32.
ValueId integer_matmul(NodeContext& c, ValueId a, ValueId za, ValueId b, ValueId zb) {
  const bool row = c.b.rank(a) == 1, column = c.b.rank(b) == 1;
  if (c.b.rank(a) == 0 || c.b.rank(b) == 0) fail(OPMUX_E_INVALID, "a factor is a scalar");
  const int64_t first[] = {0}, second[] = {1};
  const bool floats = is_float(c.b.dtype(a)) || is_float(c.b.dtype(b));
  Node node;
  node.op = OPMUX_OP_QUANT_MATMUL;
  node.in = {row ? c.b.unsqueeze(a, first) : a,
             column ? c.b.unsqueeze(b, second) : b,
             kNone,
             floats ? kNone : matrix_zero(c, za, true),
             kNone,
             floats ? kNone : matrix_zero(c, zb, false)};
  opmux_op_quant_matmul d{};
  d.acc_dtype = floats ? OPMUX_F32 : OPMUX_I32;
  node.set(d);
  const ValueId y = c.b.emit(std::move(node));
  std::vector<int64_t> gone;
  if (row) gone.push_back(c.b.rank(y) - 2);
  if (column) gone.push_back(c.b.rank(y) - 1);
  return gone.empty() ? y : c.b.squeeze(y, gone);
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

// Is a zero point absent, or known to be zero?
bool no_zero(NodeContext& c, size_t i) {
  if (!c.has(i)) return true;
  const auto t = c.b.known(c.in(i));
  return t &&
         std::all_of(t->data(), t->data() + t->size_bytes(), [](std::byte v) { return v == std::byte{0}; });
}

// sum (x - zx)(w - zw) = sum x w - zx (sum w - taps zw) - zw sum x, in i32; the padding of x is zx.
ValueId integer_sums(NodeContext& c, size_t xi, size_t x_zero, size_t wi, size_t w_zero, int64_t taps) {
  const Math m(c.b);
  const ValueId x = c.in(xi), w = c.in(wi);
  const auto per_channel = [&](ValueId v) {
    return c.b.rank(v) == 0 ? v : c.b.reshape(v, channel_dims(c.b.dim(w, 0), c.b.rank(w)));
  };
  const auto as_i32 = [&](ValueId v) { return convert(c.b, v, OPMUX_I32); };
  const ValueId x_fill = no_zero(c, x_zero) ? kNone : c.b.reshape(c.in(x_zero), {});
  const bool shifted = !no_zero(c, w_zero);
  // A scalar, or one a channel.
  ValueId w_shift = kNone;
  if (shifted) {
    const ValueId spread_zero = spread(c, as_i32(c.in(w_zero)), w, 0, 0);
    w_shift = c.b.rank(spread_zero) == 0 ? spread_zero : c.b.reshape(spread_zero, Dims{c.b.dim(w, 0)});
  }
  ValueId y = convolve_padded(c, x, w, x_fill);
  if (x_fill != kNone) {
    std::vector<int64_t> axes(static_cast<size_t>(c.b.rank(w) - 1));
    std::iota(axes.begin(), axes.end(), 1);
    ValueId sum = c.b.reduce(OPMUX_REDUCE_SUM, as_i32(w), axes, false);
    if (shifted) sum = m.sub(sum, m.mul(w_shift, static_cast<double>(taps)));
    y = m.sub(y, m.mul(as_i32(x_fill), per_channel(sum)));
  }
  if (!shifted) return y;
  const ValueId ones = c.b.contiguous(c.b.expand(c.b.scalar(OPMUX_I8, 1), c.b.dims(w)));
  return m.sub(y, m.mul(per_channel(w_shift), convolve_padded(c, x, ones, x_fill)));
}

// Integers below 2^24 are exact in f32, which has the faster kernels for small windows; longer sums are
// formed in i32, exact but for its wrap.
ValueId integer_conv(NodeContext& c, size_t xi, size_t x_zero, size_t wi, size_t w_zero) {
  const Math m(c.b);
  ValueId x = c.in(xi), w = c.in(wi);
  int64_t taps = 1;
  for (int64_t axis = 1; axis < c.b.rank(w); ++axis) taps *= std::max<int64_t>(c.b.dim(w, axis), 1);
  constexpr int64_t kMostTaps = (int64_t{1} << 24) / (255 * 255);
  if (taps > kMostTaps) return integer_sums(c, xi, x_zero, wi, w_zero, taps);
  x = as_f32(c, x);
  w = as_f32(c, w);
  if (c.has(x_zero)) x = m.sub(x, as_f32(c, c.b.reshape(c.in(x_zero), {})));
  if (c.has(w_zero)) w = m.sub(w, spread(c, as_f32(c, c.in(w_zero)), w, 0, 0));
  return convolve(c, x, w);
}

void conv_integer(NodeContext& c) { c.out(0, convert(c.b, integer_conv(c, 0, 2, 1, 3), OPMUX_I32)); }

void qlinear_conv(NodeContext& c) {
  const Math m(c.b);
  ValueId y = integer_conv(c, 0, 2, 3, 5);
  const Dims channel = channel_dims(c.b.dim(y, 1), c.b.rank(y));
  const auto per_channel = [&](ValueId v) {
    return element_count(c.b.desc(v)) == 1 ? c.b.reshape(v, {}) : c.b.reshape(v, channel);
  };
  if (c.has(8)) y = m.add(y, c.b.reshape(convert(c.b, c.in(8), c.b.dtype(y)), channel));
  y = m.mul(as_f32(c, y), m.mul(as_f32(c, c.b.reshape(c.in(1), {})), per_channel(as_f32(c, c.in(4)))));
  c.out(0,
        quantised(c, y, as_f32(c, c.b.reshape(c.in(6), {})), c.b.reshape(c.in(7), {}), c.b.dtype(c.in(7))));
}

// Bytes of a contiguous value as elements of `dtype`: [outer, inner], a row being `row` elements long,
// transposed.
ValueId packed_view(NodeContext& c, ValueId v, uint32_t dtype, int64_t outer, int64_t inner, int64_t row) {
  v = c.b.contiguous(v);
  const auto bytes = element_count(c.b.desc(v)) * (OPMUX_DTYPE_BITS(c.b.dtype(v)) / 8);
  if (bytes * 8 != outer * row * OPMUX_DTYPE_BITS(dtype)) {
    fail(OPMUX_E_INVALID, "a tensor of {} bytes must hold {} x {} elements of {} bits", bytes, outer, row,
         OPMUX_DTYPE_BITS(dtype));
  }
  const Dims dims = {inner, outer};
  opmux_tdesc t = make_desc(dtype, dims);
  t.stride[0] = 1;
  t.stride[1] = row;
  return c.b.graph().add_view(v, t, 0, c.op());
}

// Unsigned codes whose zero is in the middle, as signed ones without a zero: the top bit of each turned.
ValueId centred(NodeContext& c, ValueId v, int64_t bits) {
  const auto t = c.b.known(v);
  HostTensor made(t->desc());
  const auto turn = static_cast<std::byte>(bits == 8 ? 0x80 : bits == 4 ? 0x88 : 0xaa);
  for (uint64_t i = 0; i < t->size_bytes(); ++i) made.mutable_data()[i] = t->data()[i] ^ turn;
  return c.b.constant(std::move(made));
}

// com.microsoft: weights [N, blocks, bytes] of packed unsigned codes along k, one scale and zero for each
// block.
void matmul_nbits(NodeContext& c) {
  const int64_t k = c.integer("K"), n = c.integer("N"), bits = c.integer("bits", 4),
                block = c.integer("block_size");
  if (bits != 2 && bits != 4 && bits != 8)
    fail(OPMUX_E_UNSUPPORTED, "weights of {} bits are not supported", bits);
  if (k < 1 || n < 1 || block < 8 || block > (int64_t{1} << 30))
    fail(OPMUX_E_INVALID, "K is {}, N is {}, block_size is {}", k, n, block);
  if (c.has(4)) fail(OPMUX_E_UNSUPPORTED, "a group index is not supported");
  const int64_t blocks = (k + block - 1) / block, per = 8 / bits;
  const bool known_middle = !c.has(3) && c.b.is_constant(c.in(1));
  const uint32_t codes = bits == 8 ? OPMUX_U8 : bits == 4 ? OPMUX_U4 : OPMUX_U2;
  const uint32_t signed_codes = bits == 8 ? OPMUX_I8 : bits == 4 ? OPMUX_I4 : OPMUX_I2;
  ValueId zero = kNone;
  if (c.has(3) && is_float(c.b.dtype(c.in(3))))
    zero = packed_view(c, c.in(3), c.b.dtype(c.in(3)), n, blocks, blocks);
  else if (c.has(3))
    zero = packed_view(c, c.in(3), codes, n, blocks, (blocks + per - 1) / per * per);
  else if (!known_middle)
    zero = c.b.scalar(OPMUX_U8, static_cast<double>(int64_t{1} << (bits - 1)));
  const ValueId weights = known_middle ? centred(c, c.in(1), bits) : c.in(1);
  const ValueId scale = c.in(2);
  const bool row = c.b.rank(c.in(0)) == 1;
  const int64_t first[] = {0};
  Node node;
  node.op = OPMUX_OP_QUANT_MATMUL;
  node.in = {row ? c.b.unsqueeze(c.in(0), first) : c.in(0),
             packed_view(c, weights, known_middle ? signed_codes : codes, n, k, blocks * block),
             kNone,
             kNone,
             packed_view(c, scale, c.b.dtype(scale), n, blocks, blocks),
             zero};
  opmux_op_quant_matmul d{};
  d.acc_dtype = OPMUX_F32;
  d.b_group = static_cast<uint32_t>(block);
  node.set(d);
  ValueId y = c.b.emit(std::move(node));
  if (row) y = c.b.squeeze(y, first);
  if (c.has(5)) y = Math(c.b).add(y, c.in(5));
  c.out(0, y);
}

constexpr Rule kRules[] = {
    {"ConvInteger", conv_integer},
    {"DequantizeLinear", dequantize_linear},
    {"DynamicQuantizeLinear", dynamic_quantize_linear},
    {"MatMulInteger", matmul_integer},
    {"com.microsoft.MatMulNBits", matmul_nbits},
    {"QLinearConv", qlinear_conv},
    {"QLinearMatMul", qlinear_matmul},
    {"QuantizeLinear", quantize_linear},
};

}  // namespace

std::span<const Rule> quantise_rules() { return kRules; }

}  // namespace opmux::onnx_import
