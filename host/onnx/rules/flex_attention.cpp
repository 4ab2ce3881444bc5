// SPDX-License-Identifier: Apache-2.0
// FlexAttention: its sub-graphs work on the whole tensor of scores, so it is composed around them.
#include <cmath>

#include "host/onnx/rules/heads.hpp"

namespace opmux::onnx_import {
namespace {

ValueId modified(NodeContext& c, const char* attr, ValueId v) {
  if (!c.has_attr(attr)) return v;
  const std::vector<ValueId> y = c.lower(c.graph(attr), std::span(&v, 1));
  if (y.size() != 1) fail(OPMUX_E_INVALID, "attribute '{}' has {} outputs, it must have 1", attr, y.size());
  if (c.b.dims(y[0]) != c.b.dims(v) || c.b.dtype(y[0]) != c.b.dtype(v)) {
    fail(OPMUX_E_INVALID, "attribute '{}' changes the shape or the type of its input", attr);
  }
  return y[0];
}

void flex_attention(NodeContext& c) {
  const Math m(c.b);
  for (size_t i : {0, 1, 2}) {
    if (c.b.rank(c.in(i)) != 4)
      fail(OPMUX_E_INVALID, "input {} has rank {}, it must be 4", i, c.b.rank(c.in(i)));
  }
  const ValueId q = c.in(0);
  const uint32_t dtype = c.b.dtype(q);
  const uint32_t through =
      c.has_attr("softmax_precision") ? dtype_of_attr(c.integer("softmax_precision")) : formula_dtype(dtype);
  const double scale = c.real("scale", static_cast<float>(1 / std::sqrt(static_cast<double>(c.b.dim(q, 3)))));
  const ValueId k = c.b.permute(c.b.cast(c.in(1), through), kSwapLast);
  const ValueId scores = m.mul(grouped_matmul(c.b, c.b.cast(q, through), k), scale);
  const ValueId p = modified(c, "prob_mod", softmax_last(c.b, modified(c, "score_mod", scores)));
  c.out(0, c.b.cast(grouped_matmul(c.b, p, c.b.cast(c.in(2), through)), dtype));
}

constexpr Rule kRules[] = {{"ai.onnx.preview.FlexAttention", flex_attention}};

}  // namespace

std::span<const Rule> flex_attention_rules() { return kRules; }

}  // namespace opmux::onnx_import
