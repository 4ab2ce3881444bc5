// SPDX-License-Identifier: Apache-2.0
// layer_norm and group_norm: rows of elements with the same statistics.
#include "gpu/ops/ops.hpp"
#include "gpu/ops/rows.hpp"

namespace opmux::gpu {
namespace {

using Steps = std::array<int64_t, 8>;

// Rows and their elements as walks, with the steps of x, scale, bias and y, and of mean and inverse by row.
struct Rows {
  kit::Walk outer, inner;
  int64_t rows, len;
  float epsilon;
  bool centred;
};

RowPlan row_plan(const opmux_opd& d, int64_t rows, int64_t len, bool centred) {
  return {rows, len, d.in[0].dtype == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32, centred ? 1u : 2u};
}

bool plan_rows(const opmux_devinfo& info, const opmux_opd& d, Rows r, KernelPlan& plan) {
  StepMaker s("normalise");
  const uint32_t dtype = d.in[0].dtype;
  s.type("sum", dtype == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32);
  s.bind("x", d, 0);
  const auto optional = [&](const char* name, bool there, uint32_t arg, uint32_t type, const char* flag) {
    if (!there) return s.unused(name, type);
    s.bind(name, d, arg);
    s.define(flag, "1");
  };
  optional("scale", has_in(d, 1), 1, dtype, "GK_SCALED");
  optional("bias", has_in(d, 2), 2, dtype, "GK_BIASED");
  s.bind("y", d, d.n_in);
  optional("mean", has_out(d, 1), d.n_in + 1, OPMUX_F32, "GK_MEAN");
  optional("inverse", has_out(d, 2), d.n_in + 2, OPMUX_F32, "GK_INVERSE");
  if (r.centred) s.define("GK_CENTRED", "1");
  r.outer.collapse();
  r.inner.collapse();
  s.walk(r.outer, "rank", "dims", {{"xs"}, {"ss"}, {"bs"}, {"ys"}, {"ms"}, {"vs"}});
  s.walk(r.inner, "rrank", "rdims", {{"rxs"}, {"rss"}, {"rbs"}, {"rys"}});
  s.set_float("epsilon", r.epsilon);
  row_steps(info, row_plan(d, r.rows, r.len, r.centred), s, plan);
  return true;
}

}  // namespace

bool plan_layer_norm(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const auto& a = reinterpret_cast<const opmux_op_layer_norm&>(d);
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  if (!check_operands(info, d, cap) || !check_apart(d, cap)) return false;
  std::array<bool, 8> kept{}, normalised{};
  int64_t rows = 1, len = 1;
  for (uint32_t i = 0; i < x.rank; ++i) {
    (i < a.axis ? kept : normalised)[i] = true;
    (i < a.axis ? rows : len) *= x.dim[i];
  }
  const bool centred = a.kind == OPMUX_NORM_LAYER;
  say_yes(info, d, cap, row_plan(d, rows, len, centred).workspace());
  if (!plan) return true;
  Rows r{walk_of(x, kept), walk_of(x, normalised), rows, len, a.epsilon, centred};
  const opmux_tdesc none{};
  const opmux_tdesc* views[] = {&x, has_in(d, 1) ? &d.in[1] : &none, has_in(d, 2) ? &d.in[2] : &none, &y};
  for (const opmux_tdesc* t : views) {
    r.outer.add_strides(strides_of(*t, x, kept));
    r.inner.add_strides(strides_of(*t, x, normalised));
  }
  for (uint32_t o : {1u, 2u}) r.outer.add_strides(strides_of(has_out(d, o) ? d.out[o] : none, x, kept));
  return plan_rows(info, d, std::move(r), *plan);
}

bool plan_group_norm(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const auto& a = reinterpret_cast<const opmux_op_group_norm&>(d);
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  if (!check_operands(info, d, cap) || !check_apart(d, cap)) return false;
  const int64_t per_group = x.dim[1] / a.groups;
  const int64_t outer_dims[] = {x.dim[0], a.groups};
  std::vector<int64_t> inner_dims{per_group};
  for (uint32_t i = 2; i < x.rank; ++i) inner_dims.push_back(x.dim[i]);
  int64_t len = 1;
  for (int64_t n : inner_dims) len *= n;
  say_yes(info, d, cap, row_plan(d, x.dim[0] * a.groups, len, true).workspace());
  if (!plan) return true;
  Rows r{kit::Walk(std::span(outer_dims)),
         kit::Walk(std::span<const int64_t>(inner_dims)),
         x.dim[0] * a.groups,
         len,
         a.epsilon,
         true};
  const auto by_channel = [&](int64_t batch, int64_t channel, const int64_t* spatial) {
    Steps inner{channel};
    for (uint32_t i = 2; spatial && i < x.rank; ++i) inner[i - 1] = spatial[i];
    r.outer.add_strides({batch, channel * per_group});
    r.inner.add_strides(inner);
  };
  by_channel(x.stride[0], x.stride[1], x.stride);
  for (uint32_t i : {1u, 2u}) by_channel(0, has_in(d, i) ? d.in[i].stride[0] : 0, nullptr);
  by_channel(y.stride[0], y.stride[1], y.stride);
  r.outer.add_strides({}).add_strides({});
  return plan_rows(info, d, std::move(r), *plan);
}

}  // namespace opmux::gpu
