// SPDX-License-Identifier: Apache-2.0
// segment: rows sorted by their segments, then each column of a segment by lanes that share its rows.
#include "gpu/ops/ops.hpp"
#include "gpu/ops/order.hpp"
#include "gpu/ops/rows.hpp"
#include "gpu/ops/series.hpp"
#include "kit/scalar.hpp"
#include "opmux/ops/index.gen.h"

namespace opmux::gpu {
namespace {

uint32_t join_of(uint32_t kind) {
  switch (kind) {
    case OPMUX_SEGMENT_MAX:
      return OPMUX_SCAN_MAX;
    case OPMUX_SEGMENT_MIN:
      return OPMUX_SCAN_MIN;
    case OPMUX_SEGMENT_PROD:
      return OPMUX_SCAN_PROD;
    default:
      return OPMUX_SCAN_SUM;
  }
}

// Products of floats in f64, as in Series; means of integers from sums of 64 bits.
uint32_t sum_of(uint32_t kind, uint32_t dtype) {
  if (!kit::is_float(dtype))
    return kind == OPMUX_SEGMENT_MEAN || OPMUX_DTYPE_BITS(dtype) == 64 ? OPMUX_U64 : OPMUX_U32;
  return dtype == OPMUX_F64 || kind == OPMUX_SEGMENT_PROD ? OPMUX_F64 : OPMUX_F32;
}

Step keys_step(const opmux_devinfo& info, const opmux_opd& d, const Order& order) {
  const opmux_tdesc& ids = d.in[1];
  StepMaker m("segment_keys");
  m.bind("ids", d, 1, OPMUX_U32);
  order.items(m, "items");
  m.set("n", static_cast<uint64_t>(ids.dim[0]));
  m.set("words", element_bytes(ids.dtype) / 4);
  m.set("step", static_cast<uint64_t>(ids.stride[0]));
  m.set("segments", reinterpret_cast<const opmux_op_segment&>(d).segments);
  m.elements(info, static_cast<uint64_t>(ids.dim[0]));
  return m.take();
}

Step cells_step(const opmux_devinfo& info, const opmux_opd& d, const Order& order) {
  const auto& a = reinterpret_cast<const opmux_op_segment&>(d);
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  const bool softmax = a.kind == OPMUX_SEGMENT_SOFTMAX;
  StepMaker m(softmax ? "segment_softmax" : "segment");
  const uint32_t sum = sum_of(a.kind, x.dtype);
  m.bind("x", d, 0, lying_type(x.dtype));
  m.bind("y", d, 2, lying_type(x.dtype));
  if (x.dim[0] > 0)
    order.items(m, "items");
  else
    m.unused("items", kRaw64);
  if (softmax) {
    m.type("sum", sum);
    if (sum == OPMUX_F64) m.source().parts.insert("double_core.h");
    m.define("GK_EXP(v)", sum == OPMUX_F64 ? "gk_exp_d(v)" : "gk_exp(v)");
    m.define("GK_RESULT(v)", "(v)");
  } else {
    define_numbers(m, join_of(a.kind), x.dtype, sum);
    m.define("GK_MEAN(s, n)",
             kit::is_float(x.dtype)
                 ? "((n) == 0u ? TO_sum(GK_NAN) : (s) / TO_sum(n))"
                 : "((n) == 0u ? TO_sum(0) : (GK_CODE(P_flip) != 0u && GK_RANK(s) < GK_RANK(TO_sum(0)) ? "
                   "TO_sum(0) - (TO_sum(0) - (s)) / TO_sum(n) : (s) / TO_sum(n)))");
    m.set("kind", join_of(a.kind));
    m.set("mean", a.kind == OPMUX_SEGMENT_MEAN);
  }
  std::array<bool, 8> column;
  column.fill(true);
  column[0] = false;
  kit::Walk w = walk_of(x, column);
  w.add_strides(strides_of(x, x, column)).add_strides(strides_of(y, y, column)).collapse();
  m.walk(w, "rank", "dims", {{"xs"}, {"ys"}});
  int64_t columns = 1;
  for (uint32_t i = 1; i < x.rank; ++i) columns *= x.dim[i];
  m.set("n", static_cast<uint64_t>(x.dim[0]));
  m.set("segments", a.segments);
  m.set("columns", static_cast<uint64_t>(columns));
  m.set("xrow", static_cast<uint64_t>(x.stride[0]));
  m.set("yrow", static_cast<uint64_t>(y.stride[0]));
  const int64_t cells = a.segments * columns;
  const bool ordered = a.kind == OPMUX_SEGMENT_PROD && kit::is_float(x.dtype);
  const uint64_t width = ordered ? 1 : shared_width(m.source(), cells, x.dim[0]);
  m.set("width", width);
  m.elements(info, static_cast<uint64_t>(cells) * width);
  return m.take();
}

}  // namespace

bool plan_segment(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const auto& a = reinterpret_cast<const opmux_op_segment&>(d);
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  if (!check_operands(info, d, cap) || !check_apart(d, cap)) return false;
  if (!check_dtype(info, 0, sum_of(a.kind, x.dtype), cap)) return false;
  // Cells of a softmax are not those of y.
  int64_t cells = a.segments;
  for (uint32_t i = 1; i < x.rank; ++i) {
    cells *= x.dim[i];
    if (cells >= kMaxElements) return kit_no(&cap, OPMUX_WHY_DIM, 0, i, cells, kMaxElements - 1);
  }
  Order order(1, x.dim[0], 1, 0);
  if (!check_workspace(info, order.largest(), cap)) return false;
  const uint64_t workspace = x.dim[0] == 0 ? 0 : order.end();
  say_yes(info, d, cap, workspace);
  if (!plan) return true;
  plan->workspace = workspace;
  plan->faulty_arg = 1;
  plan->steps.push_back(keys_step(info, d, order));
  if (elements(y) == 0) return true;
  order.sort(info, std::max<int64_t>(x.dim[0], 1), false, *plan);
  plan->steps.push_back(cells_step(info, d, order));
  return true;
}

}  // namespace opmux::gpu
