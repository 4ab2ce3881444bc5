// SPDX-License-Identifier: Apache-2.0
// top_k: what is beyond the k kept so far is passed over; where k is much of a row, the row is sorted.
#include "cpu/ops/ops.hpp"
#include "cpu/ordered_op.hpp"
#include "opmux/ops/sort.gen.h"

namespace opmux::cpu {
namespace {

OrderedRows::Form form(const opmux_opd& d) {
  const auto& a = reinterpret_cast<const opmux_op_top_k&>(d);
  return {a.axis, a.k, a.largest != 0, a.sorted != 0};
}

}  // namespace

const kit_op kTopK = ordered_op<opmux_op_top_k, form>(OPMUX_OP_TOP_K);

}  // namespace opmux::cpu
