// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>

#include "gpu/ops/ops.hpp"
#include "gpu/ops/product.hpp"
#include "gpu/ops/tile.hpp"
#include "gpu/ops/values.hpp"
#include "kit/insn.hpp"
#include "kit/nf4.hpp"
#include "kit/operands/matmul.gen.hpp"

namespace opmux::gpu {
namespace {

using enum operands::quant_matmul::Input;

void bind_operands(const opmux_opd& d, StepMaker& s) {
  const opmux_tdesc& a = d.in[kA];
  const bool plain = kind_of(a.dtype) == Kind::kFloat;
  if (plain)
    bind_real(s, "a", d, kA);
  else
    bind_codes(s, "a", d, kA, "a_format");
  s.define("GK_GET_A(x)", plain ? "GK_GET(x)" : "gk_decode(x, a_format)");
  bind_codes(s, "b", d, kB, "b_format");
  const auto factor = [&](const char* name, uint32_t arg, const char* format) {
    if (has_in(d, arg)) return bind_codes(s, name, d, arg, format);
    s.unused(name, OPMUX_U8);
  };
  factor("a_scale", kAScale, "as_format");
  factor("a_zero", kAZero, "az_format");
  factor("b_scale", kBScale, "bs_format");
  factor("b_zero", kBZero, "bz_format");
}

// Up to so many rows a lane adds up a column for all of them; beyond, tiles share what they read.
constexpr int64_t kFewRows = 4;
// Lanes that share a column: as many as neighbours in memory allow to be read at once.
uint32_t lanes_of_column(const opmux_opd& d, bool across) {
  const int64_t depth = d.in[kA].dim[d.in[kA].rank - 1], cols = d.out[0].dim[d.out[0].rank - 1];
  uint32_t width = 1;
  while (width < 128 && int64_t{width} * 8 < depth && !(across && width >= 4 && cols > 32)) width *= 2;
  return width;
}

bool is_across(const opmux_opd& d) { return stride_at(d.in[kB], 1) != 1; }

bool few_rows(const opmux_devinfo& info, const opmux_opd& d) {
  const opmux_tdesc& y = d.out[0];
  const int64_t many = 128 / lanes_of_column(d, is_across(d));
  return y.dim[y.rank - 2] <= kFewRows &&
         (y.dim[y.rank - 1] + many - 1) / many <= static_cast<int64_t>(info.max_groups[0]);
}

void set_rows(const opmux_devinfo& info, const opmux_opd& d, int64_t batch, StepMaker& s) {
  const opmux_tdesc& y = d.out[0];
  const bool across = is_across(d);
  const uint32_t width = lanes_of_column(d, across);
  const int64_t cols = y.dim[y.rank - 1], many = 128 / width;
  s.set("width", width);
  s.set("across", across);
  if (y.dim[y.rank - 2] == 0) return;
  const auto most = std::max<int64_t>(static_cast<int64_t>(info.max_groups[2]), 1);
  for (int64_t first = 0; cols > 0 && first < batch; first += most) {
    Dispatch g;
    g.groups[0] = static_cast<uint32_t>((cols + many - 1) / many);
    g.groups[2] = static_cast<uint32_t>(std::min(most, batch - first));
    g.first = static_cast<uint32_t>(first);
    s.dispatch(g);
  }
}

void fill(const opmux_devinfo& info, const opmux_opd& d, StepMaker& s) {
  const auto& m = reinterpret_cast<const opmux_op_quant_matmul&>(d);
  const opmux_tdesc &a = d.in[kA], &y = d.out[0];
  const int64_t rows = y.dim[y.rank - 2], cols = y.dim[y.rank - 1];
  const auto depth = static_cast<uint64_t>(a.dim[a.rank - 1]);
  s.set("rows", static_cast<uint64_t>(rows));
  s.set("cols", static_cast<uint64_t>(cols));
  s.set("depth", depth);
  // One group: longer than k.
  s.set("a_group", m.a_group == 0 ? UINT32_MAX : m.a_group);
  s.set("b_group", m.b_group == 0 ? UINT32_MAX : m.b_group);
  s.set("coded", m.b_code == OPMUX_WEIGHT_NF4);
  for (uint32_t i = 0; i < 16; ++i) s.set("table", std::bit_cast<uint32_t>(kit::kNf4[i]), i);
  static constexpr opmux_tdesc kNone{};
  const auto view = [&](uint32_t arg) { return has_in(d, arg) ? &d.in[arg] : &kNone; };
  product_walk(d,
               {{"as", &a},
                {"bs", &d.in[kB]},
                {"ass", view(kAScale)},
                {"azs", view(kAZero)},
                {"bss", view(kBScale)},
                {"bzs", view(kBZero)}},
               kit::own_inputs(d), s);
  int64_t count = 1;
  for (uint32_t i = 0; i + 2 < y.rank; ++i) count *= y.dim[i];
  if (few_rows(info, d))
    set_rows(info, d, count, s);
  else
    tile_groups(info, rows, cols, count, s);
}

}  // namespace

bool plan_quant_matmul(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const uint32_t sum = reinterpret_cast<const opmux_op_quant_matmul&>(d).acc_dtype;
  const opmux_tdesc& y = d.out[0];
  if (!check_coded(info, d, cap, {kA, kB, kAScale, kAZero, kBScale, kBZero}) || !check_apart(d, cap))
    return false;
  if (!check_tile_groups(info, d, y.rank - 2, y.dim[y.rank - 2], y.rank - 1, y.dim[y.rank - 1], cap))
    return false;
  const bool few = few_rows(info, d);
  StepMaker s(few ? "quant_matmul_rows" : "quant_matmul");
  if (few) s.define("GK_ROWS", "4");
  real_types(s, d.in[kA].dtype, false);
  tile_types(s, sum);
  s.define("GK_GET(x)", real_storage(d.in[kA].dtype) == OPMUX_U16
                            ? "(GK_CODE(P_brain) != 0u ? gk_bf16_float(x) : gk_f16_float(x))"
                            : "(x)");
  bind_operands(d, s);
  if (!s.epilogue(info, d, sum, cap)) return false;
  say_yes(info, d, cap);
  if (!plan) return true;
  fill(info, d, s);
  plan->steps.push_back(s.take());
  return true;
}

}  // namespace opmux::gpu
