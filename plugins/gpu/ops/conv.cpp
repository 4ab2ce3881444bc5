// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/ops.hpp"
#include "gpu/ops/tile.hpp"
#include "gpu/ops/window.hpp"
#include "kit/insn.hpp"

namespace opmux::gpu {
namespace {

// Channels of a group from which tiles are worth their empty rows.
constexpr int64_t kTileRows = 8;

Window window_of(const opmux_opd& d) {
  const auto& a = reinterpret_cast<const opmux_op_conv&>(d);
  return {d, d.in[1].dim + 2, a.stride, a.dilation, a.pad};
}

bool answer(const opmux_devinfo& info, const opmux_opd& d, StepMaker& s, opmux_cap& cap, const char* x = "x",
            const char* w = "w") {
  const auto& a = reinterpret_cast<const opmux_op_conv&>(d);
  if (!check_operands(info, d, cap) || !check_apart(d, cap) || !check_window(d, window_of(d), cap))
    return false;
  tile_types(s, a.acc_dtype);
  s.bind(x, d, 0);
  s.bind(w, d, 1);
  return s.epilogue(info, d, a.acc_dtype, cap) && say_yes(info, d, cap);
}

void fill_views(const opmux_opd& d, StepMaker& s) {
  window_of(d).write(s);
  s.set("per_in", static_cast<uint64_t>(d.in[1].dim[1]));
  set_conv_strides(s, d);
}

}  // namespace

bool plan_conv(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const auto& a = reinterpret_cast<const opmux_op_conv&>(d);
  const opmux_tdesc& y = d.out[0];
  const int64_t rows = y.dim[1] / a.group, cols = window_of(d).outputs();
  StepMaker s("conv");
  if (rows < kTileRows) return kit_no(&cap, OPMUX_WHY_DIM, d.n_in, 1, rows, kTileRows);
  if (!answer(info, d, s, cap) || !check_tile_groups(info, d, 1, rows, 2, cols, cap)) return false;
  if (!plan) return true;
  fill_views(d, s);
  s.set("rows", static_cast<uint64_t>(rows));
  s.set("cols", static_cast<uint64_t>(cols));
  s.set("depth", static_cast<uint64_t>(d.in[1].dim[1] * window_of(d).taps()));
  s.set("groups", a.group);
  tile_groups(info, rows, cols, y.dim[0] * a.group, s);
  plan->steps.push_back(s.take());
  return true;
}

namespace {

// Spatial dims of t, which may have fewer dims than y, as one of extent `points` with one step.
bool joined_step(const opmux_tdesc& t, const opmux_tdesc& y, int64_t& step) {
  step = 0;
  int64_t joined = 0;  // elements behind the axes so far
  for (uint32_t i = y.rank; i-- > 2;) {
    if (y.dim[i] == 1) continue;
    const bool there = i + t.rank >= y.rank;
    const uint32_t axis = i + t.rank - y.rank;
    const int64_t own = !there || t.dim[axis] == 1 ? 0 : t.stride[axis];
    if (joined == 0) step = own;
    if (joined != 0 && own != step * joined) return false;
    joined = std::max<int64_t>(joined, 1) * y.dim[i];
  }
  return true;
}

// Every element of x under one tap: the convolution is a product of w by x as it lies.
bool is_product(const opmux_opd& d, const Window& w) {
  for (uint32_t i = 0; i < 3; ++i) {
    if (w.kernel[i] != 1 || w.stride[i] != 1 || w.begin[i] != 0 || w.end[i] != 0) return false;
  }
  int64_t step;
  if (!joined_step(d.in[0], d.out[0], step) || !joined_step(d.out[0], d.out[0], step)) return false;
  for (uint32_t i = kit::own_inputs(d); i < d.n_in; ++i)
    if (!joined_step(d.in[i], d.out[0], step)) return false;
  return true;
}

// Words of the kernel of matmul: a is w, b is x, the batch goes over images and groups.
void fill_product(const opmux_opd& d, int64_t group, StepMaker& s) {
  const opmux_tdesc &x = d.in[0], &w = d.in[1], &y = d.out[0];
  const int64_t rows = y.dim[1] / group;
  int64_t step = 0;
  joined_step(x, y, step);
  s.set("rows", static_cast<uint64_t>(rows));
  s.set("depth", static_cast<uint64_t>(w.dim[1]));
  s.set("a_row", static_cast<uint64_t>(w.stride[0]));
  s.set("a_col", static_cast<uint64_t>(w.stride[1]));
  s.set("b_row", static_cast<uint64_t>(x.stride[1]));
  s.set("b_col", static_cast<uint64_t>(step));
  const int64_t batch_dims[] = {y.dim[0], group};
  kit::Walk batch{std::span(batch_dims)};
  batch.add_strides({0, rows * w.stride[0]}).add_strides({x.stride[0], w.dim[1] * x.stride[1]});
  std::vector<StepMaker::Strides> names{{"as"}, {"bs"}};
  const auto program_view = [&](const char* name, uint32_t k, const opmux_tdesc& t) {
    const auto stride_of = [&](uint32_t axis) -> int64_t {  // axis 0 or 1 of y
      if (axis + t.rank < y.rank) return 0;
      const uint32_t own = axis + t.rank - y.rank;
      return t.dim[own] == 1 ? 0 : t.stride[own];
    };
    joined_step(t, y, step);
    batch.add_strides({stride_of(0), rows * stride_of(1)});
    names.push_back({name, 8 * k});
    s.set(name, static_cast<uint64_t>(stride_of(1)), 8 * k + 6);
    s.set(name, static_cast<uint64_t>(step), 8 * k + 7);
  };
  const uint32_t own = kit::own_inputs(d);
  for (uint32_t i = own; i < d.n_in; ++i) program_view("xs", i - own, d.in[i]);
  program_view("ys", 0, y);
  s.walk(batch, "rank", "dims", names);
}

}  // namespace

bool plan_conv_product(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const auto& a = reinterpret_cast<const opmux_op_conv&>(d);
  const Window w = window_of(d);
  const int64_t rows = d.out[0].dim[1] / a.group, cols = w.outputs();
  if (!is_product(d, w)) return kit_no(&cap, OPMUX_WHY_STRIDE, d.n_in, 0, w.taps(), 1);
  if (rows < kTileRows) return kit_no(&cap, OPMUX_WHY_DIM, d.n_in, 1, rows, kTileRows);
  StepMaker s("matmul");
  if (!answer(info, d, s, cap, "b", "a") || !check_tile_groups(info, d, 1, rows, 2, cols, cap)) return false;
  if (!plan) return true;
  fill_product(d, a.group, s);
  s.set("cols", static_cast<uint64_t>(cols));
  tile_groups(info, rows, cols, d.out[0].dim[0] * a.group, s);
  plan->steps.push_back(s.take());
  return true;
}

bool plan_conv_direct(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const auto& a = reinterpret_cast<const opmux_op_conv&>(d);
  const opmux_tdesc& y = d.out[0];
  StepMaker s("conv_direct");
  if (!answer(info, d, s, cap)) return false;
  if (!plan) return true;
  fill_views(d, s);
  s.set("channels", static_cast<uint64_t>(y.dim[1]));
  s.set("per_out", static_cast<uint64_t>(std::max<int64_t>(y.dim[1] / a.group, 1)));
  s.set("count", static_cast<uint64_t>(elements(y)));
  s.elements(info, static_cast<uint64_t>(elements(y)));
  plan->steps.push_back(s.take());
  return true;
}

}  // namespace opmux::gpu
