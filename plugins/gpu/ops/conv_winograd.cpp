// SPDX-License-Identifier: Apache-2.0
// conv of 3 x 3 taps by F(2x2, 3x3) (Winograd 1980; Lavin and Gray 2016): 16 multiplications for four outputs
// in place of 36. Both operands are transformed, 16 products are made by the kernel of matmul, and
// transformed back.
#include <algorithm>

#include "gpu/ops/ops.hpp"
#include "gpu/ops/tile.hpp"
#include "gpu/ops/window.hpp"
#include "kit/insn.hpp"

namespace opmux::gpu {
namespace {

// Channels and tiles from which the transforms, whose work is that of some tens of them, are small beside
// what they save.
constexpr int64_t kLeastChannels = 16, kLeastTiles = 16;
constexpr int64_t kPlanes = 16;

struct Shape {
  int64_t images, group, inputs, outputs, per_in, per_out, tiles[2];

  explicit Shape(const opmux_opd& d)
      : images(d.in[0].dim[0]),
        group(reinterpret_cast<const opmux_op_conv&>(d).group),
        inputs(d.in[0].dim[1]),
        outputs(d.out[0].dim[1]),
        per_in(d.in[1].dim[1]),
        per_out(outputs / group) {
    for (uint32_t i = 0; i < 2; ++i) tiles[i] = (d.out[0].dim[2 + i] + 1) / 2;
  }
  int64_t all_tiles() const { return tiles[0] * tiles[1]; }
  int64_t inputs_count() const { return images * inputs * all_tiles(); }
  int64_t outputs_count() const { return images * outputs * all_tiles(); }
  static uint64_t bytes(int64_t plane) {
    return (static_cast<uint64_t>(kPlanes * plane) * 4 + 255) & ~uint64_t{255};
  }
  uint64_t weight_bytes() const { return bytes(outputs * per_in); }
  uint64_t input_bytes() const { return bytes(inputs_count()); }
  uint64_t product_bytes() const { return bytes(outputs_count()); }
  uint64_t input_at() const { return weight_bytes(); }
  uint64_t product_at() const { return weight_bytes() + input_bytes(); }
  uint64_t workspace() const { return product_at() + product_bytes(); }
};

const opmux_op_conv& desc(const opmux_opd& d) { return reinterpret_cast<const opmux_op_conv&>(d); }

Window window_of(const opmux_opd& d) {
  const auto& a = desc(d);
  return {d, d.in[1].dim + 2, a.stride, a.dilation, a.pad};
}

// Is it a convolution that this is for, and one that becomes cheaper?
bool check_shape(const opmux_opd& d, const Window& w, const Shape& s, opmux_cap& cap) {
  if (d.math & OPMUX_MATH_STRICT)
    return kit_no(&cap, OPMUX_WHY_ACCURACY, OPMUX_NO_ARG, 0, OPMUX_MATH_STRICT, 0);
  if (desc(d).acc_dtype != OPMUX_F32)
    return kit_no(&cap, OPMUX_WHY_DTYPE, OPMUX_NO_ARG, 0, desc(d).acc_dtype, OPMUX_F32);
  if (d.in[0].rank != 4) return kit_no(&cap, OPMUX_WHY_RANK, 0, 0, d.in[0].rank, 4);
  for (uint32_t i = 1; i < 3; ++i) {
    if (w.kernel[i] != 3) return kit_no(&cap, OPMUX_WHY_DIM, 1, 1 + i, w.kernel[i], 3);
    if (w.stride[i] != 1 || w.dilation[i] != 1)
      return kit_no(&cap, OPMUX_WHY_STRIDE, 1, 1 + i, std::max(w.stride[i], w.dilation[i]), 1);
  }
  if (s.per_in < kLeastChannels) return kit_no(&cap, OPMUX_WHY_DIM, 1, 1, s.per_in, kLeastChannels);
  if (s.per_out < kLeastChannels) return kit_no(&cap, OPMUX_WHY_DIM, 1, 0, s.per_out, kLeastChannels);
  const int64_t positions = w.outputs();
  if (s.all_tiles() < kLeastTiles || s.all_tiles() * kPlanes * 4 > positions * 9 * 3)
    return kit_no(&cap, OPMUX_WHY_DIM, d.n_in, 2, positions, 4 * kLeastTiles);
  return true;
}

Step weights(const opmux_devinfo& info, const opmux_opd& d, const Shape& sh) {
  StepMaker s("winograd_weights");
  s.bind("w", d, 1);
  s.workspace("y", 0, sh.weight_bytes(), OPMUX_F32);
  set_window_strides(s, "ws", 0, d.in[1], d.in[1]);
  s.set("inputs", static_cast<uint64_t>(sh.per_in));
  s.set("count", static_cast<uint64_t>(sh.outputs * sh.per_in));
  s.elements(info, static_cast<uint64_t>(sh.outputs * sh.per_in));
  return s.take();
}

void set_tiles(StepMaker& s, const Shape& sh, const Window& w) {
  for (uint32_t i = 0; i < 2; ++i) s.set("tiles", static_cast<uint64_t>(sh.tiles[i]), i);
  for (uint32_t i = 0; i < 3; ++i) {
    s.set("in", static_cast<uint64_t>(w.in[i]), i);
    s.set("begin", static_cast<uint64_t>(w.begin[i]), i);
  }
}

Step inputs(const opmux_devinfo& info, const opmux_opd& d, const Shape& sh, const Window& w) {
  StepMaker s("winograd_input");
  s.bind("x", d, 0);
  s.workspace("y", sh.input_at(), sh.input_bytes(), OPMUX_F32);
  set_tiles(s, sh, w);
  set_window_strides(s, "xs", 0, d.in[0], d.in[0]);
  s.set("channels", static_cast<uint64_t>(sh.inputs));
  s.set("count", static_cast<uint64_t>(sh.inputs_count()));
  s.elements(info, static_cast<uint64_t>(sh.inputs_count()));
  return s.take();
}

Step products(const opmux_devinfo& info, const Shape& sh) {
  StepMaker s("matmul");
  tile_types(s, OPMUX_F32);
  opmux_tdesc result{};
  result.dtype = OPMUX_F32;
  write_result(OPMUX_F32, result, s.source());
  s.workspace("a", 0, sh.weight_bytes(), OPMUX_F32);
  s.workspace("b", sh.input_at(), sh.input_bytes(), OPMUX_F32);
  s.workspace("y0", sh.product_at(), sh.product_bytes(), OPMUX_F32);
  const int64_t tiles = sh.all_tiles();
  s.set("rows", static_cast<uint64_t>(sh.per_out));
  s.set("cols", static_cast<uint64_t>(tiles));
  s.set("depth", static_cast<uint64_t>(sh.per_in));
  s.set("a_row", static_cast<uint64_t>(sh.per_in));
  s.set("a_col", 1);
  s.set("b_row", static_cast<uint64_t>(tiles));
  s.set("b_col", 1);
  s.set("ys", static_cast<uint64_t>(tiles), 6);
  s.set("ys", 1, 7);
  const int64_t batch_dims[] = {kPlanes, sh.images, sh.group};
  kit::Walk batch{std::span(batch_dims)};
  batch.add_strides({sh.outputs * sh.per_in, 0, sh.per_out * sh.per_in});
  batch.add_strides({sh.inputs_count(), sh.inputs * tiles, sh.per_in * tiles});
  batch.add_strides({sh.outputs_count(), sh.outputs * tiles, sh.per_out * tiles});
  s.walk(batch, "rank", "dims", {{"as"}, {"bs"}, {"ys"}});
  tile_groups(info, sh.per_out, tiles, kPlanes * sh.images * sh.group, s);
  return s.take();
}

void outputs(const opmux_devinfo& info, const opmux_opd& d, const Shape& sh, const Window& w, StepMaker& s) {
  set_tiles(s, sh, w);
  for (uint32_t i = 0; i < 3; ++i) s.set("out", static_cast<uint64_t>(w.out[i]), i);
  s.set("per_in", static_cast<uint64_t>(sh.per_in));
  s.set("per_out", static_cast<uint64_t>(sh.per_out));
  s.set("channels", static_cast<uint64_t>(sh.outputs));
  s.set("count", static_cast<uint64_t>(sh.outputs_count()));
  set_conv_strides(s, d);
  s.elements(info, static_cast<uint64_t>(sh.outputs_count()));
}

}  // namespace

bool plan_conv_winograd(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  if (d.in[0].rank != 4) return kit_no(&cap, OPMUX_WHY_RANK, 0, 0, d.in[0].rank, 4);
  const Shape sh(d);
  const Window w = window_of(d);
  if (!check_shape(d, w, sh, cap) || !check_operands(info, d, cap) || !check_apart(d, cap) ||
      !check_window(d, w, cap))
    return false;
  const uint64_t widest = std::max({sh.weight_bytes(), sh.input_bytes(), sh.product_bytes()});
  if (!check_workspace(info, widest, cap) ||
      !check_tile_groups(info, d, 1, sh.per_out, 2, sh.all_tiles(), cap))
    return false;
  StepMaker last("winograd_output");
  last.workspace("product", sh.product_at(), sh.product_bytes(), OPMUX_F32);
  last.bind("x", d, 0);
  last.bind("w", d, 1);
  if (!last.epilogue(info, d, OPMUX_F32, cap)) return false;
  say_yes(info, d, cap, sh.workspace());
  cap.accuracy = OPMUX_ACC_ALGEBRAIC;
  if (!plan) return true;
  plan->workspace = sh.workspace();
  plan->steps.push_back(weights(info, d, sh));
  plan->steps.push_back(inputs(info, d, sh, w));
  plan->steps.push_back(products(info, sh));
  outputs(info, d, sh, w, last);
  plan->steps.push_back(last.take());
  return true;
}

}  // namespace opmux::gpu
