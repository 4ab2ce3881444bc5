// SPDX-License-Identifier: Apache-2.0
// scan: long rows in parts, first the join of each part, then the joins before each part, then the elements.
#include <bit>
#include <utility>

#include "gpu/ops/ops.hpp"
#include "gpu/ops/rows.hpp"
#include "gpu/ops/series.hpp"
#include "kit/scalar.hpp"

namespace opmux::gpu {
namespace {

// Elements of a part: eight for each lane of a group, so that a warp reads whole lines.
constexpr int64_t kPart = 1024;
// Of a part of a product of floats, which one lane takes in the order of the row: other groupings of factors
// overflow where the running product does not.
constexpr int64_t kProductPart = 4096;

struct Parts {
  int64_t width, part, count;
};

bool is_float_product(const Series& s) { return s.kind == OPMUX_SCAN_PROD && kit::is_float(s.dtype); }

Parts parts_of(const Series& s) {
  Parts p{1, s.len, 1};
  if (is_float_product(s)) {
    p.part = std::min(s.len, kProductPart);
  } else if (s.rows < 4096 || s.step == 1 || s.step == -1) {  // else many rows lie beside each other
    while (p.width < 128 && p.width * 8 < s.len && s.rows * p.width * 2 < kMaxElements) p.width *= 2;
    if (p.width == 128 && (s.rows < 64 || s.len > 4 * kPart)) p.part = kPart;
  }
  if (s.len > 0) p.count = (s.len + p.part - 1) / p.part;
  return p;
}

Step one_step(const opmux_devinfo& info, const Series& s, const Parts& p, bool fold) {
  StepMaker m("scan");
  define_numbers(m, s.kind, s.dtype, s.sum());
  s.bind(m);
  if (fold) m.unused("y", m.source().types.at("y"));
  if (p.count > 1)
    m.workspace("carry", s.carry, s.workspace(), s.sum());
  else
    m.unused("carry", s.sum());
  m.walk(s.outer, "rank", "dims", {{"xs"}, {"ys"}});
  m.set("kind", s.kind);
  m.set("exclusive", s.exclusive);
  m.set("fold", fold);
  m.set("width", static_cast<uint64_t>(p.width));
  m.set("piece", static_cast<uint64_t>((p.part + p.width - 1) / p.width));
  m.set("part", static_cast<uint64_t>(p.part));
  m.set("parts", static_cast<uint64_t>(p.count));
  m.set("len", static_cast<uint64_t>(s.len));
  m.set("first", static_cast<uint64_t>(s.first));
  m.set("step", static_cast<uint64_t>(s.step));
  m.set("yfirst", static_cast<uint64_t>(s.y_first));
  m.set("ystep", static_cast<uint64_t>(s.y_step));
  m.elements(info, s.len == 0 ? 0 : static_cast<uint64_t>(s.rows * p.count * p.width));
  return m.take();
}

}  // namespace

uint32_t Series::sum() const {
  if (kit::is_float(dtype)) return dtype == OPMUX_F64 || kind == OPMUX_SCAN_PROD ? OPMUX_F64 : OPMUX_F32;
  return OPMUX_DTYPE_BITS(dtype) == 64 ? OPMUX_U64 : OPMUX_U32;
}

uint64_t Series::workspace() const {
  const int64_t count = parts_of(*this).count;
  return count > 1 ? static_cast<uint64_t>(rows * count) * element_bytes(sum()) : 0;
}

void scan_steps(const opmux_devinfo& info, const Series& s, KernelPlan& plan) {
  const Parts parts = parts_of(s);
  if (parts.count > 1) {
    plan.steps.push_back(one_step(info, s, parts, true));
    Series joins = s;
    joins.dtype = s.sum();
    if (!kit::is_float(s.dtype) && kit::is_signed(s.dtype))
      joins.dtype = joins.dtype == OPMUX_U64 ? OPMUX_I64 : OPMUX_I32;
    joins.exclusive = true;
    joins.len = parts.count;
    joins.first = joins.y_first = 0;
    joins.step = joins.y_step = 1;
    const int64_t rows[] = {s.rows};
    joins.outer = kit::Walk(rows);
    joins.outer.add_strides({parts.count}).add_strides({parts.count});
    joins.bind = [&s](StepMaker& m) {
      m.workspace("x", s.carry, s.workspace(), s.sum());
      m.workspace("y", s.carry, s.workspace(), s.sum());
    };
    const auto lanes = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(parts.count)));
    const int64_t width = is_float_product(s) ? 1 : std::min<int64_t>(128, lanes);
    plan.steps.push_back(one_step(info, joins, {width, parts.count, 1}, false));
  }
  plan.steps.push_back(one_step(info, s, parts, false));
}

Series running_counts(uint64_t at, int64_t n, uint64_t carry) {
  Series s;
  s.len = n;
  s.outer.add_strides({}).add_strides({});
  s.bind = [at, n](StepMaker& m) {
    m.workspace("x", at, static_cast<uint64_t>(n) * 4, OPMUX_U32);
    m.workspace("y", at, static_cast<uint64_t>(n) * 4, OPMUX_U32);
  };
  s.carry = carry;
  return s;
}

bool plan_scan(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const auto& a = reinterpret_cast<const opmux_op_scan&>(d);
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  if (!check_operands(info, d, cap) || !check_in_place(d, 0, cap)) return false;
  Series s;
  s.kind = a.kind;
  s.dtype = x.dtype;
  if (!check_dtype(info, 0, s.sum(), cap)) return false;
  s.exclusive = a.exclusive != 0;
  s.len = x.dim[a.axis];
  s.rows = s.len == 0 ? 0 : elements(x) / s.len;
  s.step = x.stride[a.axis];
  s.y_step = y.stride[a.axis];
  if (a.reverse && s.len > 0) {
    s.first = (s.len - 1) * std::exchange(s.step, -s.step);
    s.y_first = (s.len - 1) * std::exchange(s.y_step, -s.y_step);
  }
  if (!check_workspace(info, s.workspace(), cap)) return false;
  say_yes(info, d, cap, s.workspace());
  cap.inplace_mask = same_places(x, y) ? 1 : 0;
  if (!plan) return true;
  std::array<bool, 8> kept;
  kept.fill(true);
  kept[a.axis] = false;
  s.outer = walk_of(x, kept);
  s.outer.add_strides(strides_of(x, x, kept)).add_strides(strides_of(y, x, kept)).collapse();
  s.bind = [&](StepMaker& m) {
    m.bind("x", d, 0, lying_type(x.dtype));
    m.bind("y", d, 1, lying_type(x.dtype));
  };
  plan->workspace = s.workspace();
  scan_steps(info, s, *plan);
  return true;
}

}  // namespace opmux::gpu
