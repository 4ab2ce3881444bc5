// SPDX-License-Identifier: Apache-2.0
#include "host/onnx/rules/heads.hpp"

namespace opmux::onnx_import {

ValueId split_heads(GraphBuilder& b, ValueId v, int64_t heads, const char* attr) {
  const Dims d = b.dims(v);
  if (heads < 1 || d[2] % heads != 0) {
    fail(OPMUX_E_INVALID, "attribute '{}' is {}, which does not divide {}", attr, heads, d[2]);
  }
  const Dims split = {d[0], d[1], heads, d[2] / heads};
  return b.permute(b.reshape(v, split), kSwapHeads);
}

ValueId join_heads(GraphBuilder& b, ValueId v) {
  const Dims d = b.dims(v), joined = {d[0], d[2], d[1] * d[3]};
  return b.reshape(b.permute(v, kSwapHeads), joined);
}

ValueId grouped_matmul(GraphBuilder& b, ValueId x, ValueId y) {
  const Dims q = b.dims(x), k = b.dims(y);
  if (k[1] < 1 || q[1] % k[1] != 0) {
    fail(OPMUX_E_INVALID, "{} heads of keys and values do not divide {} heads of queries", k[1], q[1]);
  }
  const Dims groups = {q[0], k[1], q[1] / k[1], q[2], q[3]}, shared = {k[0], k[1], 1, k[2], k[3]},
             result = {q[0], q[1], q[2], k[3]};
  return b.reshape(b.matmul(b.reshape(x, groups), b.reshape(y, shared)), result);
}

ValueId softmax_last(GraphBuilder& b, ValueId x) {
  Node node;
  node.op = OPMUX_OP_SOFTMAX;
  node.in = {x};
  opmux_op_softmax d{};
  d.kind = OPMUX_SOFTMAX_PLAIN;
  d.axis = static_cast<uint32_t>(b.rank(x) - 1);
  node.set(d);
  return b.emit(std::move(node));
}

ValueId rotate(GraphBuilder& b, ValueId x, ValueId cosine, ValueId sine, ValueId positions,
               bool interleaved) {
  Node node;
  node.op = OPMUX_OP_ROTARY;
  node.in = {x, cosine, sine, positions};
  opmux_op_rotary d{};
  d.interleaved = interleaved;
  node.set(d);
  return b.emit(std::move(node));
}

std::vector<ValueId> emit_layer_norm(GraphBuilder& b, uint32_t kind, ValueId x, ValueId scale, ValueId bias,
                                     int64_t axis, float epsilon, size_t n_out) {
  const auto broadcast = [&](ValueId v) {
    return v == kNone ? v : b.expand(b.cast(v, b.dtype(x)), b.dims(x));
  };
  Node node;
  node.op = OPMUX_OP_LAYER_NORM;
  node.in = {x, broadcast(scale), broadcast(bias)};
  opmux_op_layer_norm d{};
  d.kind = kind;
  d.axis = static_cast<uint32_t>(normal_axis(axis, b.rank(x), "axis"));
  d.epsilon = epsilon;
  node.set(d);
  return b.emit_n(std::move(node), n_out);
}

}  // namespace opmux::onnx_import
