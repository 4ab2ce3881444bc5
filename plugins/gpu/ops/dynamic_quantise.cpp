// SPDX-License-Identifier: Apache-2.0
// Scales and zeros of the groups, then the codes, then the zeros as codes.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "gpu/ops/ops.hpp"
#include "gpu/ops/rows.hpp"
#include "gpu/ops/values.hpp"
#include "kit/operands/quantise.gen.hpp"
#include "kit/scalar.hpp"

namespace opmux::gpu {
namespace {

using enum operands::dynamic_quantise::Input;
using enum operands::dynamic_quantise::Output;

struct Groups {
  uint32_t axis, dtype;
  int64_t extent, len;
  float bottom, top;

  explicit Groups(const opmux_opd& d) {
    const auto& a = reinterpret_cast<const opmux_op_dynamic_quantise&>(d);
    axis = a.axis;
    dtype = d.out[kY].dtype;
    extent = d.in[kX].dim[axis];
    len = a.block == 0 ? std::max<int64_t>(extent, 1)
                       : std::min<int64_t>(a.block, std::max<int64_t>(extent, 1));
    top = kit::is_float(dtype)
              ? static_cast<float>(kit::cast_to(OPMUX_F64, dtype, kit::of_float(INFINITY), true).f)
              : std::ldexp(1.f, static_cast<int>(OPMUX_DTYPE_BITS(dtype)) - (kit::is_signed(dtype) ? 1 : 0)) -
                    1;
    bottom = kit::is_signed(dtype) ? -top - 1 : 0;
  }
};

std::array<int64_t, 8> dense_strides(const opmux_tdesc& t) {
  std::array<int64_t, 8> s{};
  int64_t step = 1;
  for (uint32_t i = t.rank; i-- > 0; step *= t.dim[i]) s[i] = step;
  return s;
}

// Axes of y from the greatest stride on, and whether those after each lie within one step of it.
std::vector<uint32_t> axes_of(const opmux_tdesc& y) {
  std::vector<uint32_t> axes;
  for (uint32_t i = 0; i < y.rank; ++i)
    if (y.dim[i] > 1) axes.push_back(i);
  std::ranges::sort(axes, {}, [&](uint32_t i) { return std::pair(-std::abs(y.stride[i]), i); });
  return axes;
}
bool check_nested(const opmux_tdesc& y, uint32_t arg, opmux_cap& cap) {
  const std::vector<uint32_t> axes = axes_of(y);
  int64_t span = 1;
  for (size_t k = axes.size(); k-- > 0;) {
    const int64_t step = std::abs(y.stride[axes[k]]);
    if (step < span) return kit_no(&cap, OPMUX_WHY_STRIDE, arg, axes[k], step, span);
    span += step * (y.dim[axes[k]] - 1);
  }
  return true;
}

// x, the scales, and the zeros in the workspace, which a format without any lacks.
void bind_groups(const opmux_opd& d, bool with_zero, StepMaker& s) {
  real_types(s, d.in[kX].dtype, false);
  bind_real(s, "x", d, kX);
  s.bind("scale", d, d.n_in + kScale);
  if (with_zero)
    s.workspace("zero", 0, static_cast<uint64_t>(elements(d.out[kScale])) * 4, OPMUX_F32);
  else
    s.unused("zero", OPMUX_F32);
}

Step scale_step(const opmux_devinfo& info, const opmux_opd& d, const Groups& g, bool with_zero) {
  const opmux_tdesc &x = d.in[kX], &scale = d.out[kScale];
  StepMaker s("quantise_scale");
  bind_groups(d, with_zero, s);
  std::array<int64_t, 8> of_x{}, begin{};
  std::copy_n(x.stride, x.rank, of_x.begin());
  of_x[g.axis] *= g.len;
  begin[g.axis] = g.len;
  kit::Walk w(scale);
  w.add_strides(of_x).add_strides(begin).add(scale).add_strides(dense_strides(scale)).collapse();
  s.walk(w, "rank", "dims", {{"xs"}, {"gs"}, {"ss"}, {"zs"}});
  s.set("extent", static_cast<uint64_t>(g.extent));
  s.set("step", static_cast<uint64_t>(x.stride[g.axis]));
  s.set("with_zero", with_zero);
  s.set_float("bottom", g.bottom);
  s.set_float("top", g.top);
  row_groups(info, elements(scale), g.len, s);
  return s.take();
}

// Codes of output o: of y, or the zeros.
Step code_step(const opmux_devinfo& info, const opmux_opd& d, const Groups& g, uint32_t o, bool with_zero) {
  const opmux_tdesc &x = d.in[kX], &scale = d.out[kScale], &y = d.out[o];
  StepMaker s("quantise");
  bind_groups(d, with_zero, s);
  s.bind_bytes("y", d, d.n_in + o);
  const uint32_t per = 8 / OPMUX_DTYPE_BITS(y.dtype);
  const std::vector<uint32_t> axes = axes_of(y);
  const std::array<int64_t, 8> zs = dense_strides(scale);
  int64_t before = 0;  // elements before element 0
  for (size_t k = 0; k < axes.size(); ++k) {
    const uint32_t i = axes[k], at = static_cast<uint32_t>(k);
    const bool along = o == kY && i == g.axis;
    s.set("dims", static_cast<uint64_t>(y.dim[i]), at);
    s.set("steps", static_cast<uint64_t>(std::abs(y.stride[i])), at);
    s.set("backward", y.stride[i] < 0, at);
    s.set("share", along ? static_cast<uint64_t>(g.len) : 1, at);
    s.set("xs", o == kY ? static_cast<uint64_t>(x.stride[i]) : 0, at);
    s.set("ss", static_cast<uint64_t>(scale.stride[i]), at);
    s.set("zs", static_cast<uint64_t>(zs[i]), at);
    if (y.stride[i] < 0) before -= y.stride[i] * (y.dim[i] - 1);
  }
  const Reach r = reach_of(y);
  s.set("axes", axes.size());
  s.set("per", per);
  s.set("format", code_format(y.dtype));
  s.set("zeros", o == kZero);
  s.set("whole", !kit::is_float(y.dtype));
  s.set("has_zero", with_zero);
  s.set_float("bottom", g.bottom);
  s.set_float("top", g.top);
  s.set("bytes", r.size());
  s.set("skip", static_cast<uint64_t>(-r.low));
  s.set("span", static_cast<uint64_t>(-r.low * per - before));
  s.elements(info, r.size());
  return s.take();
}

}  // namespace

bool plan_dynamic_quantise(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  if (!check_coded(info, d, cap, {d.n_in + kY, d.n_in + kZero}) || !check_apart(d, cap)) return false;
  const bool with_zero = has_out(d, kZero);
  if (!check_nested(d.out[kY], d.n_in + kY, cap)) return false;
  if (with_zero && !check_nested(d.out[kZero], d.n_in + kZero, cap)) return false;
  const uint64_t zeros = with_zero ? static_cast<uint64_t>(elements(d.out[kScale])) * 4 : 0;
  say_yes(info, d, cap, zeros);
  if (!plan) return true;
  const Groups g(d);
  plan->workspace = zeros;
  plan->steps.push_back(scale_step(info, d, g, with_zero));
  plan->steps.push_back(code_step(info, d, g, kY, with_zero));
  if (with_zero) plan->steps.push_back(code_step(info, d, g, kZero, true));
  return true;
}

}  // namespace opmux::gpu
