// SPDX-License-Identifier: Apache-2.0
// resize: tables of places and weights for each axis, in f64, then the outputs. Axes are not done in turn:
// what all taps of an output take is, for a result smaller than x, a constant number of reads of each element
// of x.
#include <algorithm>
#include <cmath>

#include "gpu/ops/ops.hpp"
#include "kit/insn.hpp"
#include "kit/scalar.hpp"

namespace opmux::gpu {
namespace {

constexpr uint64_t kNotResized = 0xffffffffu;

struct Axis {
  uint32_t axis;
  int64_t in, out, most;
  uint64_t entry, weights;  // where its entries and weights start
};

struct Tables {
  std::vector<Axis> axes;
  uint64_t entries = 0, weights = 0;

  uint64_t place_bytes() const { return (entries * 8 + 255) & ~uint64_t{255}; }
  uint64_t weight_bytes(uint32_t type) const { return weights * element_bytes(type); }
};

const opmux_op_resize& desc(const opmux_opd& d) { return reinterpret_cast<const opmux_op_resize&>(d); }

// Elements that can have a weight, for any scale that a run may have.
int64_t most_taps(const opmux_opd& d, int64_t in, int64_t out) {
  const opmux_op_resize& a = desc(d);
  if (a.mode == OPMUX_INTERPOLATE_NEAREST) return 0;
  double radius = a.mode == OPMUX_INTERPOLATE_CUBIC ? 2 : 1;
  if (a.antialias) {
    const double ratio = static_cast<double>(out) / static_cast<double>(std::max<int64_t>(in, 1));
    radius /= std::min(1.0, has_in(d, 1) ? ratio / 2 : ratio);
  }
  const double most = 2 * std::ceil(radius) + 3;
  return most < static_cast<double>(in) ? static_cast<int64_t>(most) : std::max<int64_t>(in, 1);
}

Tables tables_of(const opmux_opd& d) {
  Tables t;
  const opmux_slice& axes = desc(d).axes;
  for (uint32_t k = 0; k < axes.count; ++k) {
    const auto axis = static_cast<uint32_t>(d.list[axes.first + k]);
    const int64_t in = d.in[0].dim[axis], out = d.out[0].dim[axis];
    t.axes.push_back({axis, in, out, most_taps(d, in, out), t.entries, t.weights});
    t.entries += static_cast<uint64_t>(out);
    t.weights += static_cast<uint64_t>(out * t.axes.back().most);
  }
  return t;
}

bool check(const opmux_devinfo& info, const opmux_opd& d, const Tables& t, uint32_t sum, opmux_cap& cap) {
  const bool nearest = desc(d).mode == OPMUX_INTERPOLATE_NEAREST;
  if (!(nearest ? check_moved(info, d, cap, {1, 2}) : check_operands(info, d, cap)) || !check_apart(d, cap))
    return false;
  return check_doubles(info, cap) &&
         check_workspace(info, std::max(t.place_bytes(), t.weight_bytes(sum)), cap);
}

// Numbers that a run brings, as words.
void bind_numbers(StepMaker& s, const opmux_opd& d, uint32_t arg, const char* name, const std::string& has,
                  const std::string& wide, const std::string& step) {
  if (!has_in(d, arg)) return s.unused(name, OPMUX_U32);
  s.bind(name, d, arg, OPMUX_U32);
  s.set(has, 1);
  s.set(wide, d.in[arg].dtype == OPMUX_F64);
  s.set(step, static_cast<uint64_t>(d.in[arg].stride[0]));
}

Step table_step(const opmux_devinfo& info, const opmux_opd& d, const Tables& t, uint32_t sum) {
  const opmux_op_resize& a = desc(d);
  StepMaker s("resize_table");
  s.source().doubles = true;
  bind_numbers(s, d, 1, "scale", "has_scale", "scale_wide", "scale_step");
  bind_numbers(s, d, 2, "roi", "has_roi", "roi_wide", "roi_step");
  s.workspace("place", 0, t.entries * 8, OPMUX_U32);
  if (t.weights > 0)
    s.workspace("weight", t.place_bytes(), t.weight_bytes(sum), sum);
  else
    s.unused("weight", sum);
  s.set("count", t.entries);
  s.set("axes", t.axes.size());
  s.set("mode", a.mode);
  s.set("coordinates", a.coordinates);
  s.set("rounding", a.rounding);
  s.set("antialias", a.antialias);
  s.set("exclude", a.exclude_outside);
  s.set_float("cubic", a.cubic);
  for (uint32_t k = 0; k < t.axes.size(); ++k) {
    s.set("in", static_cast<uint64_t>(t.axes[k].in), k);
    s.set("out", static_cast<uint64_t>(t.axes[k].out), k);
    s.set("entry", t.axes[k].entry, k);
    s.set("weights", t.axes[k].weights, k);
    s.set("most", static_cast<uint64_t>(t.axes[k].most), k);
  }
  s.elements(info, t.entries);
  return s.take();
}

void set_extrapolation(StepMaker& s, const opmux_opd& d, uint32_t raw) {
  const uint32_t dtype = d.out[0].dtype;
  const auto value = kit::of_float(static_cast<double>(desc(d).extrapolation));
  uint64_t bits = 0;
  kit::store(dtype, &bits, 0, kit::cast_to(OPMUX_F32, dtype, value, true));
  s.set("extrapolation", bits & 0xffffffffu);
  s.set("extrapolation", bits >> 32, 1);
  s.define("GK_OUTSIDE(v)", raw == kRaw64
                                ? "v.x = GK_CODE(P_extrapolation); v.y = GK_CODE(P_extrapolation + 1);"
                                : "v = TO_y(GK_CODE(P_extrapolation));");
}

}  // namespace

bool plan_resize(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const opmux_op_resize& a = desc(d);
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  const bool nearest = a.mode == OPMUX_INTERPOLATE_NEAREST;
  const uint32_t sum = x.dtype == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32;
  const Tables t = tables_of(d);
  if (!check(info, d, t, sum, cap)) return false;
  const uint64_t workspace = t.place_bytes() + t.weight_bytes(sum);
  say_yes(info, d, cap, workspace);
  if (!plan) return true;
  plan->workspace = workspace;
  plan->faulty_arg = has_in(d, 1) || !has_in(d, 2) ? 1 : 2;
  if (t.entries > 0) plan->steps.push_back(table_step(info, d, t, nearest ? uint32_t{OPMUX_F32} : sum));
  StepMaker s(nearest ? "resize_nearest" : "resize");
  const uint32_t type = nearest ? raw_type(x.dtype) : x.dtype;
  s.bind("x", d, 0, type);
  s.bind("y", d, d.n_in, type);
  s.workspace("place", 0, t.entries * 8, OPMUX_U32);
  if (nearest) {
    set_extrapolation(s, d, type);
  } else {
    s.type("sum", sum);
    s.workspace("weight", t.place_bytes(), t.weight_bytes(sum), sum);
    s.set_float("extrapolation", a.extrapolation);
  }
  s.set("rank", y.rank);
  for (uint32_t i = 0; i < y.rank; ++i) {
    s.set("dims", static_cast<uint64_t>(y.dim[i]), i);
    s.set("ys", static_cast<uint64_t>(y.stride[i]), i);
    s.set("xs", static_cast<uint64_t>(x.stride[i]), i);
    s.set("entry", kNotResized, i);
  }
  for (const Axis& k : t.axes) {
    s.set("entry", k.entry, k.axis);
    s.set("weights", k.weights, k.axis);
    s.set("most", static_cast<uint64_t>(k.most), k.axis);
  }
  s.elements(info, static_cast<uint64_t>(elements(y)));
  plan->steps.push_back(s.take());
  return true;
}

}  // namespace opmux::gpu
