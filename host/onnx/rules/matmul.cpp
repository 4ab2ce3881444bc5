// SPDX-License-Identifier: Apache-2.0
#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

void matmul(NodeContext& c) { c.out(0, c.b.matmul(c.in(0), c.in(1))); }

ValueId transposed_if(NodeContext& c, size_t i, const char* attr) {
  const ValueId v = c.in(i);
  if (c.b.rank(v) != 2) fail(OPMUX_E_INVALID, "input {} has rank {}, it must be 2", i, c.b.rank(v));
  const int64_t swap[] = {1, 0};
  return c.flag(attr) ? c.b.permute(v, swap) : v;
}

// alpha a b + beta c; the scales vanish where they are 1, c broadcasts to the product.
void gemm(NodeContext& c) {
  const Math m(c.b);
  ValueId y = c.b.matmul(transposed_if(c, 0, "transA"), transposed_if(c, 1, "transB"));
  if (const float alpha = c.real("alpha", 1); alpha != 1) y = m.mul(y, alpha);
  const float beta = c.real("beta", 1);
  if (c.has(2) && beta != 0) {
    const ValueId bias = beta == 1 ? c.in(2) : m.mul(c.in(2), beta);
    y = m.add(y, c.b.expand(bias, c.b.dims(y)));
  }
  c.out(0, y);
}

void det(NodeContext& c) {
  Node node;
  node.op = OPMUX_OP_DET;
  node.in = {c.in(0)};
  node.set(opmux_op_det{});
  c.out(0, c.b.emit(std::move(node)));
}

constexpr Rule kRules[] = {{"Det", det}, {"Gemm", gemm}, {"MatMul", matmul}};

}  // namespace

std::span<const Rule> matmul_rules() { return kRules; }

}  // namespace opmux::onnx_import
