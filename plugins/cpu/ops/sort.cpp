// SPDX-License-Identifier: Apache-2.0
// sort: rows of keys and positions, digit by digit.
#include "cpu/ops/ops.hpp"
#include "cpu/ordered_op.hpp"
#include "opmux/ops/sort.gen.h"

namespace opmux::cpu {
namespace {

OrderedRows::Form form(const opmux_opd& d) {
  const auto& a = reinterpret_cast<const opmux_op_sort&>(d);
  return {a.axis, d.in[0].dim[a.axis], a.descending != 0, true};
}

}  // namespace

const kit_op kSort = ordered_op<opmux_op_sort, form>(OPMUX_OP_SORT);

}  // namespace opmux::cpu
