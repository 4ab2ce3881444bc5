// SPDX-License-Identifier: Apache-2.0
// Running sums and products. In log2(n) steps each element takes in the one that lies 1, 2, 4, ... before it
// (Hillis and Steele 1986, "Data parallel algorithms").
#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

template <uint32_t Fn>
void running(NodeContext& c) {
  GraphBuilder& b = c.b;
  const uint32_t dtype = b.dtype(c.in(0));
  ValueId x = b.cast(c.in(0), formula_dtype(dtype));
  const auto stated = b.ints(c.in(1), "the axis");
  if (stated.size() != 1) fail(OPMUX_E_INVALID, "the axis has {} elements, it must have 1", stated.size());
  const int64_t axis = normal_axis(stated[0], b.rank(x), "axis"), n = b.dim(x, axis);
  const bool reverse = c.flag("reverse");
  const auto turned = [&](ValueId v) { return reverse && n > 1 ? b.slice(v, axis, n - 1, n, -1) : v; };
  x = turned(x);
  if (c.flag("exclusive") && n > 0) {
    Dims row = b.dims(x);
    row[static_cast<size_t>(axis)] = 1;
    const ValueId neutral = b.expand(b.scalar(b.dtype(x), Fn == OPMUX_FN_MUL ? 1 : 0), row);
    const ValueId shifted[] = {neutral, b.slice(x, axis, 0, n - 1, 1)};
    x = b.concat(shifted, axis);
  }
  for (int64_t step = 1; step < n; step *= 2) {
    const ValueId sums =
        b.pointwise(Fn, {b.slice(x, axis, step, n - step, 1), b.slice(x, axis, 0, n - step, 1)});
    const ValueId parts[] = {b.slice(x, axis, 0, step, 1), sums};
    x = b.concat(parts, axis);
  }
  c.out(0, b.cast(turned(x), dtype));
}

constexpr Rule kRules[] = {{"CumProd", running<OPMUX_FN_MUL>}, {"CumSum", running<OPMUX_FN_ADD>}};

}  // namespace

std::span<const Rule> running_rules() { return kRules; }

}  // namespace opmux::onnx_import
