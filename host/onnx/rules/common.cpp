// SPDX-License-Identifier: Apache-2.0
#include "host/onnx/rules/common.hpp"

#include <algorithm>

namespace opmux::onnx_import {

std::vector<int64_t> normal_axes(std::span<const int64_t> axes, int64_t rank, const char* what) {
  std::vector<int64_t> out;
  for (int64_t a : axes) out.push_back(normal_axis(a, rank, what));
  std::sort(out.begin(), out.end());
  if (const auto twice = std::adjacent_find(out.begin(), out.end()); twice != out.end()) {
    fail(OPMUX_E_INVALID, "{}: axis {} is named twice", what, *twice);
  }
  return out;
}

int64_t checked_made(std::initializer_list<int64_t> dims, int64_t limit) {
  int64_t n = 1;
  for (int64_t d : dims) {
    if (d != 0 && n > limit / d) {
      fail(OPMUX_E_UNSUPPORTED, "it needs a constant of more than {} elements, which is not supported",
           limit);
    }
    n *= d;
  }
  return n;
}

int64_t product_of(std::span<const int64_t> dims) {
  int64_t n = 1;
  for (int64_t d : dims) {
    if (__builtin_mul_overflow(n, d, &n)) fail(OPMUX_E_INVALID, "a product of extents is beyond 2^63");
  }
  return n;
}

Dims channel_dims(int64_t channels, int64_t rank) {
  Dims d(static_cast<size_t>(std::max<int64_t>(rank - 1, 1)), 1);
  d[0] = channels;
  return d;
}

uint32_t dtype_of_attr(int64_t data_type) {
  static constexpr uint32_t kTypes[] = {
      OPMUX_NONE, OPMUX_F32,  OPMUX_U8,   OPMUX_I8,     OPMUX_U16,      OPMUX_I16,  OPMUX_I32,
      OPMUX_I64,  OPMUX_NONE, OPMUX_BOOL, OPMUX_F16,    OPMUX_F64,      OPMUX_U32,  OPMUX_U64,
      OPMUX_NONE, OPMUX_NONE, OPMUX_BF16, OPMUX_E4M3FN, OPMUX_E4M3FNUZ, OPMUX_E5M2, OPMUX_E5M2FNUZ,
      OPMUX_U4,   OPMUX_I4,   OPMUX_E2M1, OPMUX_E8M0,   OPMUX_U2,       OPMUX_I2};
  const auto n = static_cast<int64_t>(std::size(kTypes));
  if (data_type < 0 || data_type >= n || kTypes[data_type] == OPMUX_NONE) {
    fail(OPMUX_E_UNSUPPORTED, "ONNX element type {} is not supported", data_type);
  }
  return kTypes[data_type];
}

double scalar_of(NodeContext& c, size_t i, const char* what) {
  const HostTensor t = c.b.contents(c.in(i), what);
  if (element_count(t.desc()) != 1) {
    fail(OPMUX_E_INVALID, "{} has {} elements, it must have 1", what, element_count(t.desc()));
  }
  return t.to_double()[0];
}

ValueId index_operand(NodeContext& c, size_t i) {
  const ValueId v = c.in(i);
  const uint32_t t = c.b.dtype(v);
  if (!is_integer(t)) fail(OPMUX_E_INVALID, "input {} is no integer tensor", i);
  return t == OPMUX_I32 || t == OPMUX_I64 ? v : c.b.cast(v, OPMUX_I64);
}

ValueId padded(GraphBuilder& b, ValueId x, std::span<const int64_t> pads, ValueId value, uint32_t mode) {
  if (std::all_of(pads.begin(), pads.end(), [](int64_t p) { return p == 0; })) return x;
  Node node;
  node.op = OPMUX_OP_PAD;
  node.in = {x, value};
  opmux_op_pad d{};
  d.mode = mode;
  d.pad = node.add_list(pads);
  node.set(d);
  return b.emit(std::move(node));
}

ValueId convert(GraphBuilder& b, ValueId v, uint32_t dtype, bool saturate) {
  v = widen_narrow(b, v);
  // Integers narrower than a byte wrap from any type, as the ONNX reference has it.
  const bool narrow = is_integer(dtype) && OPMUX_DTYPE_BITS(dtype) < 8;
  return b.cast(v, dtype, saturate && is_float(b.dtype(v)) && !narrow);
}

ValueId widen_narrow(GraphBuilder& b, ValueId v) {
  const uint32_t from = b.dtype(v), bits = OPMUX_DTYPE_BITS(from);
  const auto t = is_integer(from) && bits < 8 ? b.known(v) : std::nullopt;
  if (!t) return v;
  const bool is_signed = OPMUX_DTYPE_CLASS(from) == OPMUX_CLASS_SIGNED;
  HostTensor wide(make_desc(is_signed ? OPMUX_I8 : OPMUX_U8, dims_of(t->desc())));
  const int64_t n = element_count(wide.desc());
  for (int64_t i = 0; i < n; ++i) {
    const auto at = static_cast<uint64_t>(i) * bits;
    uint32_t value = std::to_integer<uint32_t>(t->data()[at / 8]) >> at % 8 & ((1u << bits) - 1);
    if (is_signed && value >> (bits - 1)) value |= ~0u << bits;
    wide.mutable_data()[i] = static_cast<std::byte>(value);
  }
  return b.constant(std::move(wide));
}

}  // namespace opmux::onnx_import
