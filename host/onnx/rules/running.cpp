// SPDX-License-Identifier: Apache-2.0
// Running sums and products.
#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

template <uint32_t Kind>
void running(NodeContext& c) {
  const ValueId x = c.in(0);
  const auto axis = static_cast<int64_t>(scalar_of(c, 1, "the axis"));
  opmux_op_scan d{};
  d.kind = Kind;
  d.axis = static_cast<uint32_t>(normal_axis(axis, c.b.rank(x), "axis"));
  d.exclusive = c.flag("exclusive");
  d.reverse = c.flag("reverse");
  Node node;
  node.op = OPMUX_OP_SCAN;
  node.in = {x};
  node.set(d);
  c.out(0, c.b.emit(std::move(node)));
}

constexpr Rule kRules[] = {{"CumProd", running<OPMUX_SCAN_PROD>}, {"CumSum", running<OPMUX_SCAN_SUM>}};

}  // namespace

std::span<const Rule> running_rules() { return kRules; }

}  // namespace opmux::onnx_import
